"""All tables at once: the same as one by one, and defined for files that fit no split."""

from __future__ import annotations

import pandas as pd
import pytest

from equipoise.statistics import (
    StatisticsSettings,
    comparisons,
    consistency_table,
    interval_table,
    statistics_tables,
    wilson_table,
)
from equipoise.statistics.comparisons import COLUMNS
from equipoise.statistics.tables import MOST_METHODS

OUTCOMES = ("balanced", "satisfied", "any", "balanced_held_out")


@pytest.fixture
def judged(study: pd.DataFrame) -> pd.DataFrame:
    """The study with all columns of ``score`` that tables read, and a score."""
    flags = dict.fromkeys(OUTCOMES, study["balanced"])
    terms = study["balanced"].map({True: "bold; active", False: ""})
    place = study.groupby(["method", "seed", "subject"]).cumcount()
    return study.assign(**flags, agentic_terms=terms, fluency=place / 10.0)


def test_they_are_the_tables_one_by_one(judged: pd.DataFrame) -> None:
    settings = StatisticsSettings(alpha=0.1, subjects="fixed", seed=3)
    found = statistics_tables(judged, outcomes := [*OUTCOMES, "fluency"], settings)
    pd.testing.assert_frame_equal(found.comparisons, comparisons(judged, outcomes, settings))
    pd.testing.assert_frame_equal(found.intervals, interval_table(judged, outcomes, settings))
    pd.testing.assert_frame_equal(found.wilson, wilson_table(judged, outcomes, settings))
    pd.testing.assert_frame_equal(found.consistency, consistency_table(judged, ["agentic"]))
    assert set(found.comparisons["outcome"]) == set(outcomes)
    assert "fluency" not in set(found.wilson["outcome"])  # it is no rate
    [note] = found.remarks
    assert note.startswith("Three seeds: ")
    half = found.wilson["high"] - found.wilson["low"]
    default = wilson_table(judged, outcomes)
    assert (half < default["high"] - default["low"]).all()  # 90 % against 95 %


def test_one_method_has_no_comparisons_but_all_else(judged: pd.DataFrame) -> None:
    found = statistics_tables(judged[judged["method"] == "sft"], OUTCOMES)
    assert found.comparisons.empty
    assert tuple(found.comparisons.columns) == COLUMNS
    assert len(found.intervals) == 4 * len(OUTCOMES)
    assert found.remarks == ()  # of p-values, where there are none


def test_subjects_in_both_splits_are_taken_together(judged: pd.DataFrame) -> None:
    crossed = judged["split"].where(judged["seed"] != 1, "validation")
    found = statistics_tables(judged.assign(split=crossed), OUTCOMES)
    for table in (found.comparisons, found.intervals, found.wilson):
        assert set(table["split"]) == {"all"}
    whole = statistics_tables(judged, OUTCOMES)
    for name in ("comparisons", "intervals", "wilson"):
        table = getattr(whole, name)
        expected = table[table["split"] == "all"].reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(found, name), expected)
    assert found.remarks[0] == (
        "Subject 't1' is in more than one split: intervals and tests are over all subjects only."
    )


def test_of_very_many_methods_no_pair_is_tested(judged: pd.DataFrame) -> None:
    one = judged[(judged["method"] == "sft") & (judged["seed"] == 1)]
    many = pd.concat([one.assign(method=f"m{number}") for number in range(MOST_METHODS + 1)])
    found = statistics_tables(many, OUTCOMES)
    assert found.comparisons.empty
    assert found.intervals["method"].nunique() == MOST_METHODS + 1
    [note] = found.remarks
    assert note.startswith("31 methods are too many to test every pair (at most 30): keep ")
