"""Statistics: how sure one can be of rates, and of differences between methods.

Everything is a pure function of scored completions (``measures.score``) or of arrays:

    tables          all tables at once
    comparisons     every pair of methods tested on every outcome: the table
    intervals       rates with intervals, per cell, per method, and the generalisation gap
    two_level       the variance of means over seeds and subjects; estimate: its interval and tests
    permutation     tests by exchanging labels, and what they assume
    effect_sizes, divergence, consistency, rates
    power           how many seeds and samples show a difference; simulation: made-up studies

docs/statistics.md says what each means and when it misleads.
"""

from equipoise.statistics.comparisons import comparisons, three_seeds
from equipoise.statistics.consistency import consistency_table
from equipoise.statistics.intervals import interval_table, wilson_table
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.statistics.tables import StatisticsTables, statistics_tables

__all__ = [
    "StatisticsSettings",
    "StatisticsTables",
    "comparisons",
    "consistency_table",
    "interval_table",
    "statistics_tables",
    "three_seeds",
    "wilson_table",
]
