"""All tables of statistics over one set of scored completions, whoever made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from equipoise.statistics.cells import Grouped, in_several_splits
from equipoise.statistics.comparisons import comparisons, incomplete, three_seeds
from equipoise.statistics.consistency import consistency_table
from equipoise.statistics.intervals import interval_table, wilson_table
from equipoise.statistics.needed_seeds import needed_seeds
from equipoise.statistics.statistics_settings import StatisticsSettings

MOST_METHODS = 30
"""Of more methods no pair is tested: 30 have 435 pairs already, on each outcome and split."""


@dataclass(frozen=True)
class StatisticsTables:
    """How sure one can be of what was measured.

    Attributes:
        comparisons: As in ``comparisons``; without rows where there is one method alone, or more
            than `MOST_METHODS`.
        intervals: As in ``interval_table``.
        wilson: As in ``wilson_table``.
        consistency: As in ``consistency_table``.
        remarks: What a reader of them should know, one sentence each.
    """

    comparisons: pd.DataFrame
    intervals: pd.DataFrame
    wilson: pd.DataFrame
    consistency: pd.DataFrame
    remarks: tuple[str, ...]


def statistics_tables(
    scored: pd.DataFrame,
    outcomes: Sequence[str],
    settings: StatisticsSettings | None = None,
) -> StatisticsTables:
    """Every table.

    A stranger's file may have a subject in both splits, as in cross-validation; then tables are of
    all subjects only, and a remark says so.

    Args:
        scored: What ``measures.score`` returned; several may be concatenated.
        outcomes: Its columns to compare: bool (rates) or numbers (scores), what matters most first.
        settings: Level, margin, what subjects stand for, seed of resampling.
    """
    settings = settings or StatisticsSettings()
    grouped = Grouped.of(scored)
    remarks: list[str] = []
    if twice := in_several_splits(grouped.cells):
        grouped = Grouped.of(scored.assign(split=""))
        remarks.append(
            f"Subject {twice[0][:60]!r} is in more than one split: intervals and tests are over "
            "all subjects only."
        )
    methods = grouped.cells["method"].nunique()
    tests = comparisons(grouped, outcomes if methods <= MOST_METHODS else [], settings)
    if methods > MOST_METHODS:
        remarks.append(
            f"{methods:,} methods are too many to test every pair (at most {MOST_METHODS}): keep "
            "the rows of those to be compared."
        )
    if len(tests):
        notes = three_seeds(scored), needed_seeds(grouped, tests, outcomes[0], settings)
        remarks += [*incomplete(grouped.cells), *(note for note in notes if note)]
    sets = [name.removesuffix("_terms") for name in scored.columns if name.endswith("_terms")]
    return StatisticsTables(
        tests,
        interval_table(grouped, outcomes, settings),
        wilson_table(grouped, outcomes, settings),
        consistency_table(scored, sets),
        tuple(remarks),
    )
