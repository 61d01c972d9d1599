"""How many seeds it would take: only where something is undecided, and as power says."""

from __future__ import annotations

import re

import pandas as pd

from equipoise.statistics import StatisticsSettings, comparisons
from equipoise.statistics.needed_seeds import needed_seeds
from equipoise.statistics.tables import statistics_tables

from .conftest import Scored

SETTINGS = StatisticsSettings()


def unlike(scored: Scored, *levels: int) -> pd.DataFrame:
    """Methods a, b, ... of three seeds that differ by some points around each level, in percent."""
    return scored(
        {
            name: {
                seed: {s: (level + 4 * ((seed * 7 + i * 3 + j) % 5 - 2), 100)
                       for j, s in enumerate(("t1", "t2", "t3", "v1"))}
                for seed in (1, 2, 3)
            }
            for i, (name, level) in enumerate(zip("abc", levels, strict=False))
        }
    )  # fmt: skip


def sentence(frame: pd.DataFrame) -> str | None:
    return needed_seeds(frame, comparisons(frame, ["balanced"]), "balanced", SETTINGS)


def test_it_is_said_of_the_undecided_pair(scored: Scored) -> None:
    found = sentence(unlike(scored, 50, 56, 95))
    assert found is not None
    told = re.fullmatch(
        r"a and b are not told apart\. If they were 5 points apart, 3 seeds would show it in "
        r"(\d+) % of studies like this one; (\d+) seeds would show it in 80 %\.",
        found,
    )
    assert told is not None
    assert int(told[1]) < 80
    assert int(told[2]) > 3
    assert sentence(unlike(scored, 50, 56, 95)) == found


def test_nothing_is_said_where_everything_is_decided_or_one_seed_knows_nothing(
    scored: Scored,
) -> None:
    assert sentence(unlike(scored, 10, 50, 90)) is None
    one = unlike(scored, 50, 52)
    assert sentence(one[one["seed"] == 1]) is None


def test_it_stands_among_the_remarks(scored: Scored) -> None:
    frame = unlike(scored, 50, 56)
    assert sentence(frame) in statistics_tables(frame, ["balanced"]).remarks
