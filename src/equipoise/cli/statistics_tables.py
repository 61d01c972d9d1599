"""Comparisons and power for terminals 80 columns wide."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from equipoise.measures import registry
from equipoise.wording.numbers import narrow, p_value, percent, plain, plain_interval


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
        narrow(percent(row["mean_a"])),
        narrow(percent(row["mean_b"])),
        plain(100 * row["difference"], 1, sign=True),
        plain_interval(100 * row["low"], 100 * row["high"], 1),
        narrow(p_value(row["p"])),
        plain(row["cohens_h"]),
    ]


def _score_cells(row: Mapping[Hashable, Any]) -> list[str]:
    """The same in the score's own unit, with Cliff's delta."""
    return [
        plain(row["mean_a"]),
        plain(row["mean_b"]),
        plain(row["difference"], sign=True),
        plain_interval(row["low"], row["high"], 2),
        narrow(p_value(row["p"])),
        plain(row["cliffs_delta"]),
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
    told = table.assign(percent=[f"{100 * p:.0f}" for p in table["power"]])
    for seeds, rows in told.groupby("seeds", sort=False):
        grid.add_row(str(seeds), *rows.set_index("samples")["percent"].reindex(samples))
    return grid


def _table(title: str | None) -> Table:
    return Table(
        title=title, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True
    )
