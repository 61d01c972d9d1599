"""Do two methods differ in what they associate? Slopes of stereotype, pair by pair."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from equipoise.statistics.comparisons import holm
from equipoise.statistics.slopes import FEWEST, Array, ends, p_value, slope_estimate, slopes
from equipoise.statistics.tables import MOST_METHODS

COLUMNS = (
    "measure", "method_a", "method_b", "occupations", "seeds", "slope_a", "slope_b", "difference",
    "low", "high", "p", "p_holm",
)  # fmt: skip
"""Columns of the table, in order."""


def slope_comparisons(values: pd.DataFrame, measures: Iterable[str]) -> pd.DataFrame:
    """One row a measure and pair of methods, in order of first appearance.

    The difference of two slopes is the slope of the differences, occupation by occupation and,
    where both methods have the same seeds, seed by seed. So what an occupation adds to both falls
    out of it, and the interval is narrower than those of the two slopes would suggest.

    Columns: ``measure``; ``method_a``, ``method_b``; ``occupations`` that both have with their
    share; ``seeds``, how many pairs of seeds there are (1 where the methods have other
    seeds: their means are compared, and the interval is for other occupations alone); ``slope_a``,
    ``slope_b``, ``difference`` (a minus b), ``low``, ``high``: per 100 points of the share;
    ``p`` of "the slopes are equal"; ``p_holm``, corrected over the pairs of one measure, in which
    methods on one and the same model, a prompt and a filter say, count once. Interval
    and p are missing where two methods are the same model, or occupations are too few. Of more
    than `MOST_METHODS` methods no pair is compared.

    Args:
        values: A frame of values; see ``measures.stereotype_values``.
        measures: Those whose slopes are compared; see ``measures.stereotype``.
    """
    rows = []
    for measure in measures:
        part = values[values["measure"] == measure]
        share = part.groupby("occupation", sort=False)["share"].first().dropna()
        grids = {
            str(method): frame.pivot_table(index="occupation", columns="seed", values="value")
            for method, frame in part.groupby("method", sort=False)
        }
        pairs = itertools.combinations(grids if len(grids) <= MOST_METHODS else (), 2)
        family = [_compare(a, b, grids, share) for a, b in pairs]
        for row, p in zip(family, _holm(family, grids), strict=True):
            rows.append({"measure": measure, **row, "p_holm": p})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _holm(family: list[dict[str, Any]], grids: Mapping[str, pd.DataFrame]) -> list[float]:
    """Holm's correction of the rows' p-values, one test for each pair of different values."""
    first = {name: next(m for m in grids if grids[m].equals(grid)) for name, grid in grids.items()}
    tests = [frozenset((first[row["method_a"]], first[row["method_b"]])) for row in family]
    p = {test: row["p"] for test, row in zip(tests, family, strict=True)}
    corrected = dict(zip(p, holm(list(p.values())), strict=True))
    return [corrected[test] for test in tests]


def _compare(
    a: str, b: str, grids: Mapping[str, pd.DataFrame], share: pd.Series[float]
) -> dict[str, Any]:
    """A row without measure and correction."""
    one, other = grids[a].dropna(), grids[b].dropna()
    common = [name for name in share.index if name in one.index and name in other.index]
    x = share.loc[common].to_numpy(dtype=float)
    sides = [grid.loc[common].to_numpy(dtype=float).T for grid in (one, other)]
    paired = list(one.columns) == list(other.columns)
    if not paired:
        sides = [rows.mean(axis=0, keepdims=True) for rows in sides]
    row: dict[str, Any] = {"method_a": a, "method_b": b, "occupations": len(common)}
    row |= {"seeds": len(sides[0]), "p": math.nan}
    if len(np.unique(x)) >= FEWEST:
        row |= _difference(x, *sides)
    return row


def _difference(x: Array, a: Array, b: Array) -> dict[str, Any]:
    """The slopes of two methods' values [S, N] over ``x``, and how they differ."""
    slope_a, slope_b = (100 * float(slopes(x, side.mean(axis=0))) for side in (a, b))
    row: dict[str, Any] = {"slope_a": slope_a, "slope_b": slope_b}
    row["difference"] = slope_a - slope_b
    found = slope_estimate(x, a - b)
    if found.se.max() > 0:
        low, high = ends(found)
        row |= {"low": 100 * low, "high": 100 * high, "p": p_value(found)}
    return row
