"""Comparisons and power for terminals 80 columns wide."""

from __future__ import annotations

import math

import pandas as pd
from rich import box
from rich.table import Table

_OUTCOMES = {"balanced_held_out": "held-out terms", "any": "any term"}


def comparison_table(comparisons: pd.DataFrame) -> Table:
    """A row per outcome and split of two methods, in percent; the p-values are of one pair.

    Args:
        comparisons: What ``comparisons`` returned for two methods, rates only.
    """
    table = _table(None)
    table.add_column("outcome", no_wrap=True)
    table.add_column("subjects", no_wrap=True)
    for title in ("A", "B", "A − B", "interval", "p", "h"):
        table.add_column(title, justify="right", no_wrap=True)
    before = ""
    for row in comparisons.to_dict("records"):
        name = _OUTCOMES.get(str(row["outcome"]), str(row["outcome"]))
        table.add_row(
            "" if name == before else name,
            str(row["split"]),
            _percent(row["mean_a"]),
            _percent(row["mean_b"]),
            _points(row["difference"]),
            _interval(row["low"], row["high"]),
            p_text(row["p"]),
            "–" if math.isnan(row["cohens_h"]) else f"{row['cohens_h']:.2f}",
        )
        before = name
    return table


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


def _interval(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{100 * low:.1f} to {100 * high:.1f}"
