"""Comparisons and power for terminals 80 columns wide."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from equipoise.measures import registry


def comparison_table(comparisons: pd.DataFrame) -> Table:
    """A row per outcome and split of two methods; the p-values are of one pair.

    Rates are in percent, with Cohen's h as their effect; scores as they are, with Cliff's delta.

    Args:
        comparisons: What ``comparisons`` returned for two methods.
    """
    names = {outcome.name: outcome.short for outcome in registry.outcomes()}
    scores = comparisons["cliffs_delta"].notna()
    table = _table(None)
    table.add_column("outcome", no_wrap=True)
    table.add_column("subjects", no_wrap=True)
    for title in ("A", "B", "A − B", "interval", "p", "h, d" if scores.any() else "h"):
        table.add_column(title, justify="right", no_wrap=True)
    before = ""
    for row, is_score in zip(comparisons.to_dict("records"), scores, strict=True):
        name = names.get(str(row["outcome"])) or str(row["outcome"])
        table.add_row(
            "" if name == before else name,
            str(row["split"]),
            *(_score_cells(row) if is_score else _rate_cells(row)),
        )
        before = name
    return table


def _rate_cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Means, difference and its interval in percent, p-value, Cohen's h."""
    return [
        _percent(row["mean_a"]),
        _percent(row["mean_b"]),
        _points(row["difference"]),
        _interval(100 * row["low"], 100 * row["high"], 1),
        p_text(row["p"]),
        _decimals(row["cohens_h"]),
    ]


def _score_cells(row: Mapping[Hashable, Any]) -> list[str]:
    """The same in the score's own unit, with Cliff's delta."""
    return [
        _decimals(row["mean_a"]),
        _decimals(row["mean_b"]),
        _decimals(row["difference"], "+.2f"),
        _interval(row["low"], row["high"], 2),
        p_text(row["p"]),
        _decimals(row["cliffs_delta"]),
    ]


def power_grid(table: pd.DataFrame) -> Table:
    """Power in percent: a row per number of seeds, a column per number of samples.

    Args:
        table: What ``power_table`` returned.
    """
    grid = _table("Power, in % (columns: samples of each subject and seed)")
    grid.add_column("seeds", justify="right", no_wrap=True)
    samples = list(dict.fromkeys(table["samples"]))
    for number in samples:
        grid.add_column(f"{number:,}", justify="right", no_wrap=True)
    percent = table.assign(percent=[f"{100 * p:.0f}" for p in table["power"]])
    for seeds, rows in percent.groupby("seeds", sort=False):
        grid.add_row(str(seeds), *rows.set_index("samples")["percent"].reindex(samples))
    return grid


def p_text(p: float) -> str:
    """A p-value for readers: three decimals, ``<0.001``, or ``–`` where there is none."""
    if math.isnan(p):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _table(title: str | None) -> Table:
    return Table(
        title=title, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True
    )


def _percent(rate: float) -> str:
    return "–" if math.isnan(rate) else f"{100 * rate:.1f} %"


def _points(difference: float) -> str:
    return "–" if math.isnan(difference) else f"{100 * difference:+.1f}"


def _decimals(value: float, form: str = ".2f") -> str:
    return "–" if math.isnan(value) else format(value, form)


def _interval(low: float, high: float, decimals: int) -> str:
    return "–" if math.isnan(low) else f"{low:.{decimals}f} to {high:.{decimals}f}"
