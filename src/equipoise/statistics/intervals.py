"""Rates with their intervals: per cell, per method, and the generalisation gap."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from equipoise.statistics.cells import SPLITS, Cells, Grouped, cells_of, sampling_floor_of
from equipoise.statistics.estimate import Estimate, Floats
from equipoise.statistics.rates import wilson_effective, wilson_interval
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.statistics.two_level import Subjects, gap, mean

_MISSING = (math.nan, math.nan)
_ENDS = ("low", "high", "low_fixed", "high_fixed")

COLUMNS = ("outcome", "method", "split", "seeds", "subjects", "mean", "sd", *_ENDS)
"""Columns of the table of intervals, in order."""

WILSON_COLUMNS = ("outcome", "method", "seed", "split", "n", "rate", "low", "high")
"""Columns of the table of cells, in order."""


def wilson_table(
    scored: pd.DataFrame | Grouped,
    outcomes: Iterable[str],
    settings: StatisticsSettings | None = None,
) -> pd.DataFrame:
    """One row per outcome, method, seed and split: the rate and its Wilson interval.

    Columns: ``outcome``, ``method``, ``seed``, ``split``, ``n`` (completions), ``rate``, ``low``,
    ``high`` (0-1). It is an interval for this cell's model, with these subjects: what more texts
    of it would show. Outcomes that are no rates, or were not measured, have no row.
    """
    confidence = 1 - (settings or StatisticsSettings()).alpha
    grouped = Grouped.of(scored)
    rows = []
    for outcome in outcomes:
        for cells in cells_of(grouped, outcome).values():
            if cells.kind != "rate":
                continue
            parts = {split: cells.only(cells.of_split(split)) for split in SPLITS}
            for i, seed in enumerate(cells.seeds):
                for split, part in parts.items():
                    n, hits = int(part.n[i].sum()), int(part.totals[i].sum())
                    if n:
                        low, high = wilson_interval(hits, n, confidence)
                        row = (outcome, cells.method, seed, split, n, hits / n, low, high)
                        rows.append(row)
    return pd.DataFrame(rows, columns=list(WILSON_COLUMNS))


def interval_table(
    scored: pd.DataFrame | Grouped,
    outcomes: Iterable[str],
    settings: StatisticsSettings | None = None,
) -> pd.DataFrame:
    """One row per outcome, method and split, ``gap`` (train minus validation) among the splits.

    Columns:

    - ``outcome``, ``method``, ``split``; ``seeds``, ``subjects``: how many;
    - ``mean``: over seeds and subjects, each counting once; ``sd``: sample SD over seeds of their
      means (for ``gap``: the spread of the gap across seeds), missing with one seed;
    - ``low``, ``high``: interval for new seeds and new subjects of the kind (``two_level``);
    - ``low_fixed``, ``high_fixed``: for new seeds and these very subjects.

    Rates and their ends are 0-1, their gaps from -1 to 1; scores are in their unit. Subjects of
    which a seed has no completion are left out; ``subjects`` says how many remain. An interval that
    cannot be had is missing: one for new subjects from a single subject, or of scores that do not
    vary.
    """
    settings = settings or StatisticsSettings()
    grouped = Grouped.of(scored)
    rows = []
    for outcome in outcomes:
        for cells in cells_of(grouped, outcome).values():
            rows += [
                {"outcome": outcome, "method": cells.method, **row}
                for row in _method_rows(cells, settings)
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rate_interval(estimate: Estimate, n: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a mean rate that stays within 0-1: Wilson's, from the effective trials.

    Args:
        estimate: From ``two_level.mean``, shape (...).
        n: Completions it is from, shape (...). Where ``estimate.sampling`` is above 0, the interval
            is never narrower than Wilson's of ``n`` independent completions.
        confidence: In (0, 1).

    Returns:
        Lower and upper end, 0-1, shape (...).
    """
    from scipy.special import ndtri

    rate, variance = estimate.value, estimate.variances.sum(axis=-1)
    product = rate * (1 - rate)
    varies = (variance > 0) & (product > 0)
    effective = np.where(varies, product / np.where(varies, variance, 1.0), np.inf)
    low, high = wilson_effective(rate, effective, estimate.quantile(confidence))
    independent = wilson_effective(rate, n, -ndtri((1 - confidence) / 2))
    floor = estimate.sampling > 0
    return (
        np.where(floor, np.minimum(low, independent[0]), low),
        np.where(floor, np.maximum(high, independent[1]), high),
    )


def _method_rows(cells: Cells, settings: StatisticsSettings) -> list[dict[str, object]]:
    kept = [name for name in cells.subjects if name in cells.complete]
    whole = cells.only(kept)
    rows = []
    for split in SPLITS:
        part = whole.only(whole.of_split(split))
        if part.subjects:
            ends = [_ends(part, which, settings) for which in ("sampled", "fixed")]
            rows.append(_row(split, part, part.means.mean(axis=1), ends))
    trained = np.array([split == "train" for split in whole.splits])
    named = np.array([split != "" for split in whole.splits])
    if trained.any() and (named & ~trained).any():
        part = whole.only([name for name, of in zip(kept, named, strict=True) if of])
        rows.append(_gap_row(part, trained[named], settings))
    return rows


def _gap_row(cells: Cells, trained: np.ndarray, settings: StatisticsSettings) -> dict[str, object]:
    """The row of the generalisation gap."""
    sides = [cells.only(cells.of_split(split)) for split in SPLITS[:2]]
    floor, confidence = sampling_floor_of(*sides), 1 - settings.alpha
    fixed = gap(cells.means, trained, "fixed", floor)
    sampled = gap(cells.means, trained, "sampled", floor, proportions=cells.kind == "rate")
    ends = [_MISSING, _clipped(fixed, confidence, cells.kind)]
    if min(len(side.subjects) for side in sides) > 1:
        ends[0] = _clipped(sampled, confidence, cells.kind)
    by_seed = cells.means[:, trained].mean(axis=1) - cells.means[:, ~trained].mean(axis=1)
    return _row("gap", cells, by_seed, ends)


def _ends(cells: Cells, subjects: Subjects, settings: StatisticsSettings) -> tuple[float, float]:
    found = mean(cells.means, subjects, sampling_floor_of(cells))
    if found.se == 0 or (subjects == "sampled" and len(cells.subjects) == 1):
        return _MISSING
    confidence = 1 - settings.alpha
    if cells.kind == "rate":
        low, high = rate_interval(found, np.asarray(cells.n.sum()), confidence)
        return float(low), float(high)
    return _clipped(found, confidence, cells.kind)


def _clipped(found: Estimate, confidence: float, kind: str) -> tuple[float, float]:
    """The interval, within -1 to 1 for rates; NaN where nothing varies."""
    if found.se == 0:
        return _MISSING
    low, high = (float(end) for end in found.interval(confidence))
    return (max(low, -1.0), min(high, 1.0)) if kind == "rate" else (low, high)


def _row(
    split: str, cells: Cells, by_seed: Floats, ends: list[tuple[float, float]]
) -> dict[str, object]:
    sd = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else math.nan
    flat = [end for pair in ends for end in pair]
    return {
        "split": split,
        "seeds": len(cells.seeds),
        "subjects": len(cells.subjects),
        "mean": float(by_seed.mean()),
        "sd": sd,
        **dict(zip(_ENDS, flat, strict=True)),
    }
