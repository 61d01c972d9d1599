"""How many seeds would it take? What a study could not show, and what would show it."""

from __future__ import annotations

import math

import pandas as pd

from equipoise.statistics.cells import Cells, Grouped, cells_of
from equipoise.statistics.conclusion import shows_equivalence
from equipoise.statistics.power import PowerSettings, enough, power_table
from equipoise.statistics.spread import effects_of
from equipoise.statistics.statistics_settings import StatisticsSettings

TRIED = (3, 4, 5, 6, 8, 10, 15, 20, 30, 50)
"""Numbers of seeds."""

POWER = 0.8
STUDIES = 400
"""Simulated for each number: an error of 2 points."""


def needed_seeds(
    scored: pd.DataFrame | Grouped, tests: pd.DataFrame, outcome: str, settings: StatisticsSettings
) -> str | None:
    """A sentence on the pair of methods whose difference matters most and is not shown.

    It says how many seeds would show a difference of the margin, the smallest that matters, in
    `POWER` of all studies whose seeds and subjects differ as much as this study's. It is not asked
    what would show the difference that was *found*: that is only another form of the p-value.

    Args:
        scored: One row per completion.
        tests: The comparisons of it.
        outcome: Which of them, a rate.
        settings: Level and margin.

    Returns:
        None where every pair is decided, or where one seed says nothing of how seeds differ.
    """
    undecided = tests[
        (tests["outcome"] == outcome)
        & (tests["split"] == "all")
        & ~(tests["p_holm"] < settings.alpha)
        & tests["p_holm"].notna()
    ]
    rows = [
        row for row in undecided.to_dict("records") if not shows_equivalence(row, settings.alpha)
    ]
    methods = cells_of(scored, outcome)
    for row in sorted(rows, key=lambda row: -abs(row["difference"])):
        a, b = methods[row["method_a"]], methods[row["method_b"]]
        common = [name for name in a.subjects if name in a.complete & b.complete]
        found = _sentence(a.only(common), b.only(common), settings)
        if found is not None:
            return found
    return None


def _sentence(a: Cells, b: Cells, settings: StatisticsSettings) -> str | None:
    effects = effects_of(a, b)
    if effects is None:
        return None
    rates = sorted(float(side.means.mean()) for side in (a, b))
    # The margin must fit between the rate and 1: near 1 the other method is taken to be lower.
    baseline = min(rates[0], 1 - settings.margin - 0.001)
    samples = max(round(float(a.n.mean())), 1)
    own = len(a.seeds)
    table = power_table(
        PowerSettings(
            **effects.model_dump(),
            baseline=baseline,
            difference=settings.margin,
            subjects=min(len(a.subjects), 1000),
            seeds=tuple(sorted({own, *TRIED})),
            samples=(samples,),
            alpha=settings.alpha,
            power=POWER,
            about=settings.subjects,
            studies=STUDIES,
        )
    )
    now = float(table.loc[table["seeds"] == own, "power"].iloc[0])
    reached = enough(table[table["seeds"] >= own], POWER)
    would = (
        f"{int(reached['seeds'].iloc[0])} seeds would show it in {100 * POWER:.0f} %"
        if len(reached)
        else f"even {max(TRIED)} would not show it in {100 * POWER:.0f} %"
    )
    return (
        f"{a.method} and {b.method} are not told apart. If they were {100 * settings.margin:g} "
        f"points apart, {own} seeds would show it in {math.floor(100 * now + 0.5)} % of studies "
        f"like this one; {would}."
    )
