"""What the comparisons carry: sentences that say as much as their row does, and no more.

The word "significantly" stands only where a row's Holm-corrected p-value is below the run's level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from equipoise.measures import registry
from equipoise.measures.certainty import COMPARISONS
from equipoise.runs.finished_run import ALPHA, FinishedRun
from equipoise.statistics.comparisons import some
from equipoise.statistics.conclusion import shows_equivalence
from equipoise.wording.numbers import NONE, counted, interval, p_clause, percent, points, signed

Finding = Literal["differs", "equivalent", "not shown", "not tested"]


@dataclass(frozen=True)
class Scale:
    """How means of an outcome and their differences are written.

    Attributes:
        mean: Writes a mean.
        difference: Writes a difference, with its sign.
        interval: Writes the ends of a difference's interval; empty where one is NaN.
        unit: Of differences; it may have none.
    """

    mean: Callable[[float], str]
    difference: Callable[[float], str]
    interval: Callable[[float, float], str]
    unit: str


def _signed(value: float) -> str:
    return signed(value, 3)


def _plain(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def _ends(low: float, high: float) -> str:
    return "" if math.isnan(low) or math.isnan(high) else f"{_plain(low)} to {_plain(high)}"


RATE = Scale(percent, points, interval, "points")


def scale_of(outcome: str) -> Scale:
    """How numbers of an outcome are written; one that nobody declares is a rate."""
    declared = next((one for one in registry.outcomes() if one.name == outcome), None)
    if declared is None or declared.unit is None:
        return RATE
    return Scale(_plain, _signed, _ends, declared.unit)


@dataclass(frozen=True)
class Claim:
    """One comparison of two methods in words.

    Attributes:
        finding: What its row carries.
        higher: The method with the higher mean; ``method_a`` where they are equal.
        lower: The other one.
        difference: Higher minus lower: 0-1 for rates, 0 or more for scores.
        low: Lower end of its interval; NaN where there is none.
        high: Upper end.
        p: Holm-corrected p-value; NaN where nothing was tested.
        text: A sentence with all of it.
        scale: How its numbers are written.
    """

    finding: Finding
    higher: str
    lower: str
    difference: float
    low: float
    high: float
    p: float
    text: str
    scale: Scale = RATE


def comparison_rows(run: FinishedRun, outcome: str, split: str) -> pd.DataFrame:
    """The rows of ``results/comparisons.csv`` on an outcome and split, which may be none."""
    table = run.tables.get("comparisons")
    if table is None:
        return pd.DataFrame(columns=list(COMPARISONS.needed))
    return table[(table["outcome"] == outcome) & (table["split"] == split)]


def claim(row: dict[str, Any], alpha: float = ALPHA) -> Claim:
    """The claim that a row of comparisons carries.

    Args:
        row: At least the columns that the table needs.
        alpha: The run's level of tests; intervals are of 1 - alpha.
    """
    scale = scale_of(row["outcome"])
    first_is_higher = not row["difference"] < 0
    sign = 1 if first_is_higher else -1
    higher, lower = (row["method_a"], row["method_b"])[::sign]
    means = (row["mean_a"], row["mean_b"])[::sign]
    low, high = sorted((sign * row["low"], sign * row["high"]))
    p = row["p_holm"]
    finding = _finding(row, alpha)
    ours, theirs = map(scale.mean, means)
    text = _sentence(finding, f"{higher} ({ours})", f"{lower} ({theirs})")
    if finding == "differs" and shows_equivalence(row, alpha):
        text += ", but by less than the margin of equivalence"
    difference, range_ = scale.difference(sign * row["difference"]), scale.interval(low, high)
    text += _numbers(f"{difference} {scale.unit}".rstrip(), range_, p, alpha)
    text += over(row)
    if min(row["seeds_a"], row["seeds_b"]) < 2:
        text += " This is about one trained model each, not about the methods."
    return Claim(finding, higher, lower, sign * row["difference"], low, high, p, text, scale)


def over(row: dict[str, Any]) -> str:
    """Over which subjects a row is, where these are not all; else nothing."""
    named = [name for name in str(row.get("over") or "").split("; ") if name]
    return f" Over {counted(len(named), 'subject')} alone: {some(named)}." if named else ""


def _finding(row: dict[str, Any], alpha: float) -> Finding:
    if math.isnan(row["p_holm"]):
        return "not tested"
    if row["p_holm"] < alpha:
        return "differs"
    return "equivalent" if shows_equivalence(row, alpha) else "not shown"


def _sentence(finding: Finding, higher: str, lower: str) -> str:
    """What was found, without its end; the methods come with their means."""
    if finding == "differs":
        return f"{higher} is significantly higher than {lower}"
    if finding == "equivalent":
        return f"{higher} and {lower} are equivalent within the margin"
    if finding == "not shown":
        return f"{higher} and {lower} are not shown to differ"
    return f"{higher} and {lower} could not be tested against each other"


def _numbers(difference: str, range_: str, p: float, alpha: float) -> str:
    parts = [f"difference {difference}"]
    if range_:
        parts.append(f"{100 * (1 - alpha):g} % interval {range_}")
    if not math.isnan(p):
        parts.append(f"{p_clause(p)}, Holm-corrected")
    return f" ({'; '.join(parts)})."


def caveats(n_seeds: int) -> list[str]:
    """What this number of seeds cannot say, one sentence each.

    The range of a standard deviation is that of the chi-squared distribution for normal values; the
    smallest p-value is that of flipping the signs of as many paired differences, two-sided.
    """
    if n_seeds == 1:
        return [
            "With one seed, nothing can be concluded about methods: every number is about the one "
            "model that was trained and the one sample that was drawn."
        ]
    from scipy.stats import chi2

    df = n_seeds - 1
    least, most = (math.sqrt(df / chi2.ppf(q, df)) for q in (0.975, 0.025))
    found = [
        f"A standard deviation over {n_seeds} seeds is itself known only to a factor: the true one "
        f"may be {least:.2g} to {most:.2g} times as large (95 %, seed effects taken as normal)."
    ]
    smallest = 2.0 ** (1 - n_seeds)
    if smallest > 0.01:
        found.append(
            f"Without taking seed effects as normal, {n_seeds} pairs of seeds cannot give a "
            f"p-value below {smallest:.2g}. Large differences can be shown; a difference that is "
            "not shown is not shown to be absent."
        )
    return found
