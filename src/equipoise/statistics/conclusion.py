"""A row of the comparisons table in words: what can be concluded, and what cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from equipoise.statistics.statistics_settings import StatisticsSettings


def verdict(row: Mapping[str, Any], settings: StatisticsSettings) -> str:
    """One sentence or two about a row of ``comparisons``, its corrections included.

    It follows Holm's p-values at ``settings.alpha``: a difference is shown, equivalence is shown,
    both (there is a difference, and it is too small to matter), or neither, which is no finding.
    The second sentence limits it: with one seed to these very models, with fixed subjects to these
    very subjects. Of scores, whose margin nobody has set, nothing is said of equivalence.
    """
    if not row["subjects"]:
        return "No subject has completions of every seed of both: not compared."
    if math.isnan(row["p"]):
        if row["difference"] == 0:
            return "All completions score the same: nothing to test."
        return "No variation to test against: the difference stands as it is."
    return f"{_finding(row, settings)} {_reach(row, settings)}"


def shows_equivalence(row: Mapping[Any, Any], alpha: float) -> bool:
    """Whether a row of ``comparisons`` shows that its methods differ by less than the margin.

    Below ``alpha / 5``: of 5 % the interval of 98 % must lie within the margin, Holm's correction
    aside. The usual ``alpha`` errs too often near 0 and 1, where a difference that comes out small
    by chance comes with a small variance; at a fifth of it, equivalence is claimed wrongly about
    as often as a test at ``alpha / 2`` promises (benchmarks/calibration.py). False where it was not
    tested.
    """
    return bool(row["p_equivalent_holm"] < alpha / 5)


def _finding(row: Mapping[str, Any], settings: StatisticsSettings) -> str:
    a, b, alpha = row["method_a"], row["method_b"], settings.alpha
    differs = row["p_holm"] < alpha
    equal = shows_equivalence(row, alpha)
    higher, lower = (a, b) if row["difference"] > 0 else (b, a)
    margin = f"{100 * settings.margin:g} points"
    if differs and equal:
        return f"{higher} is higher than {lower}, but by less than {margin}."
    if differs:
        return f"{higher} is higher than {lower}."
    if equal:
        return f"As good as each other: within {margin}."
    finding = "Not shown to differ"
    if row["p"] < alpha:
        finding += " once all pairs are counted"
    if math.isnan(row["p_equivalent_holm"]):  # a score: it has no margin
        return f"{finding}."
    return f"{finding}, nor to be as good as each other."


def _reach(row: Mapping[str, Any], settings: StatisticsSettings) -> str:
    if min(row["seeds_a"], row["seeds_b"]) == 1:
        return "One seed: this is about these models, not about methods."
    if settings.subjects == "fixed":
        return "For new seeds with these subjects."
    if row["subjects"] == 1:
        return "One subject: this is about new seeds with this subject."
    return "For new seeds and such subjects."
