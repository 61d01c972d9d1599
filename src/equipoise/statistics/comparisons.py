"""The comparisons table: every pair of methods, tested on every outcome."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from equipoise.progress import tracked
from equipoise.statistics.cells import SPLITS, Cells, Grouped, cells_of, sampling_floor_of
from equipoise.statistics.conclusion import verdict
from equipoise.statistics.effect_sizes import cliffs_delta, cohens_h
from equipoise.statistics.estimate import Estimate
from equipoise.statistics.permutation import permute_cells, permute_seeds
from equipoise.statistics.rate_difference import RateDifference, rate_difference
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.statistics.two_level import difference
from equipoise.wording.numbers import listing

MOST_NAMED = 20
"""Subjects that a sentence names at most."""

COLUMNS = (
    "outcome", "split", "method_a", "method_b", "seeds_a", "seeds_b", "paired", "subjects",
    "mean_a", "mean_b", "difference", "low", "high", "p", "p_holm", "p_permutation_seeds",
    "p_permutation_cells", "p_permutation_cells_holm", "cohens_h", "cliffs_delta",
    "p_equivalent", "p_equivalent_holm", "verdict", "over",
)  # fmt: skip
"""Columns of the table, in order."""


def comparisons(
    scored: pd.DataFrame | Grouped,
    outcomes: Iterable[str],
    settings: StatisticsSettings | None = None,
    *,
    splits: Sequence[str] = SPLITS,
) -> pd.DataFrame:
    """One row per outcome, split and pair of methods, in order of first appearance.

    Both methods are taken on the subjects of which every seed of both has completions, each seed
    and subject counting once. Seeds are ``paired`` where both methods have the same seeds.

    - ``difference`` (mean_a - mean_b, in -1 to 1 for rates), ``low``, ``high`` and ``p``: see
      ``rate_difference``, and ``two_level.difference`` for scores; ``p_holm``: Holm's correction
      of ``p``.
    - ``p_permutation_seeds``, ``p_permutation_cells``: see ``permutation``; neither is the verdict.
    - ``cohens_h`` for rates; ``cliffs_delta`` for scores, the mean of the subjects' deltas.
    - ``p_equivalent``: two one-sided tests against ``settings.margin``; rates only, as the margin
      is one of rates.
    - ``verdict``: what can be concluded, in words.
    - ``over``: the subjects that were compared, joined by "; ", where these are not all of the
      split that any method has completions of; else empty.

    Holm's corrections are over all pairs of one outcome and split. What does not apply or cannot
    be had is missing; outcomes that fewer than two methods have, have no row.

    Args:
        scored: One row per completion; see ``cells_of``.
        outcomes: Its columns to compare: bool (rates) or numbers (scores).
        settings: Level, margin, what subjects stand for, seed of permutations.
        splits: Which splits to compare on.

    Raises:
        EquipoiseError: See ``cells_of``.
    """
    settings = settings or StatisticsSettings()
    rows: list[dict[str, Any]] = []
    outcomes, grouped = list(outcomes), Grouped.of(scored)
    for outcome in tracked(outcomes, "comparisons", len(outcomes)):
        methods = cells_of(grouped, outcome)
        scores = len(methods) > 1 and any(cells.kind == "score" for cells in methods.values())
        values = _by_subject(grouped.scored, outcome) if scores else {}
        for split in splits:
            every = {name for cells in methods.values() for name in cells.of_split(split)}
            family = [
                {**row, "outcome": outcome, "split": split}
                for pair in itertools.combinations(methods.values(), 2)
                if (row := _compare(*pair, split, every, values, settings)) is not None
            ]
            for name in ("p", "p_permutation_cells", "p_equivalent"):
                for row, p in zip(family, holm([row[name] for row in family]), strict=True):
                    row[f"{name}_holm"] = p
            rows += [{**row, "verdict": verdict(row, settings)} for row in family]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979), 0-1, in the order given.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than
    one before it. Missing p-values stay missing and count for none.

    >>> holm([0.01, 0.04, 0.03])  # 3 x 0.01; 2 x 0.03; 1 x 0.04 is below 0.06
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")[: int(np.isfinite(p).sum())]  # missing ones sort last
    corrected = np.full_like(p, np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return [float(value) for value in corrected]


def three_seeds(scored: pd.DataFrame) -> str | None:
    """What a reader must know where a method has three seeds; ``None`` where none has."""
    counts = scored.groupby("method", sort=False)["seed"].nunique()
    if not (counts == 3).any():
        return None
    return (
        "Three seeds: the p-values take seed effects as normal (without that, 3 pairs cannot give "
        "p < 0.25); large differences can be shown, small ones are missed, and a difference that "
        "is not shown is not shown to be absent."
    )


def incomplete(cells: pd.DataFrame) -> list[str]:
    """Over which subjects the tests of a method are that has not delivered all, a sentence each.

    Args:
        cells: ``Grouped.cells``.
    """
    every = list(dict.fromkeys(map(str, cells["subject"])))
    found = []
    for method, part in cells.groupby("method", sort=False):
        seeds = part.groupby("subject")["seed"].nunique()
        there = set(map(str, seeds.index[seeds == part["seed"].nunique()]))
        named = [name for name in every if name in there]
        if not named:
            found.append(f"{method} has no subject of which every seed has completions: no tests.")
        elif len(named) < len(every):
            found.append(
                f"Tests with {method} are over {len(named)} of {len(every)} subjects, those of "
                f"which each of its seeds has completions: {some(named)}."
            )
    return found


def some(names: list[str], most: int = MOST_NAMED) -> str:
    """``names`` in a sentence, the first ``most`` of them and how many more there are."""
    more = [f"{len(names) - most:,} more"] if len(names) > most else []
    return listing([name[:60] for name in names[:most]] + more)


def _by_subject(scored: pd.DataFrame, outcome: str) -> dict[tuple[str, str], Any]:
    """The raw values of each method and subject."""
    return {
        (str(method), str(subject)): part.dropna().to_numpy(dtype=np.float64)
        for (method, subject), part in scored.groupby(["method", "subject"], sort=False)[outcome]
    }


def _compare(
    a: Cells,
    b: Cells,
    split: str,
    every: set[str],
    values: dict[tuple[str, str], Any],
    settings: StatisticsSettings,
) -> dict[str, Any] | None:
    """A row without outcome, corrections and verdict; ``None`` if no subject is in the split.

    ``every`` are the subjects of the split that any method has.
    """
    named = [name for name in a.of_split(split) if name in set(b.of_split(split))]
    common = [name for name in named if name in a.complete & b.complete]
    if not named:
        return None
    row: dict[str, Any] = dict.fromkeys(COLUMNS, math.nan)
    row |= {"method_a": a.method, "method_b": b.method, "subjects": len(common)}
    row["over"] = "; ".join(common) if len(common) < len(every) else ""
    row |= {"seeds_a": len(a.seeds), "seeds_b": len(b.seeds), "paired": a.seeds == b.seeds}
    if not common:
        return row
    a, b = a.only(common), b.only(common)
    row |= {"mean_a": float(a.means.mean()), "mean_b": float(b.means.mean())}
    row |= _tests(a, b, settings)
    if a.kind == "rate":
        row["cohens_h"] = cohens_h(row["mean_a"], row["mean_b"])
    else:
        deltas = [cliffs_delta(values[a.method, s], values[b.method, s]) for s in common]
        row["cliffs_delta"] = float(np.mean(deltas))
    return row


def _tests(a: Cells, b: Cells, settings: StatisticsSettings) -> dict[str, Any]:
    """The difference of two methods with the same subjects, its interval and its tests."""
    paired = a.seeds == b.seeds
    found = estimate(a, b, settings)
    row: dict[str, Any] = {"difference": float(found.value)}
    if found.se > 0:
        low, high = (float(end) for end in found.interval(1 - settings.alpha))
        if a.kind == "rate":
            row["p_equivalent"] = float(found.p_equivalent(settings.margin))
        row |= {"low": low, "high": high, "p": float(found.p_value())}
    for name, permute in (("seeds", permute_seeds), ("cells", permute_cells)):
        p = permute(a.means, b.means, paired=paired, seed=settings.seed)
        row[f"p_permutation_{name}"] = p
    return row


def estimate(a: Cells, b: Cells, settings: StatisticsSettings) -> Estimate | RateDifference:
    """Mean of ``a`` minus mean of ``b``, which have the same subjects, with its uncertainty."""
    paired, floor = a.seeds == b.seeds, sampling_floor_of(a, b)
    if a.kind == "score":
        return difference(
            a.means, b.means, paired=paired, subjects=settings.subjects, sampling=floor
        )
    by_seed = (side.n.sum(axis=1) for side in (a, b))
    return rate_difference(
        a.means, b.means, *by_seed, paired=paired, subjects=settings.subjects, sampling=floor
    )
