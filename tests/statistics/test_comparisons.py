"""The comparisons table: by hand, recomputed in plain numpy, and on data that say little."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from equipoise.statistics import StatisticsSettings, comparisons, three_seeds
from equipoise.statistics.cells import Grouped
from equipoise.statistics.comparisons import COLUMNS, holm, incomplete
from equipoise.statistics.rate_difference import rate_difference

from .conftest import Scored
from .plain_difference import paired_fixed

FIXED = StatisticsSettings(subjects="fixed")


@pytest.fixture(scope="module", autouse=True)
def _frozen_heap() -> Iterator[None]:
    """Each call of ``multipletests`` collects garbage, in all that the tests have loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


def row(table: pd.DataFrame, split: str = "all") -> dict[str, object]:
    [found] = table[table["split"] == split].to_dict("records")
    return found


def test_a_study_by_hand(study: pd.DataFrame) -> None:
    table = comparisons(study, ["balanced"], FIXED)
    assert tuple(table.columns) == COLUMNS
    assert table["split"].tolist() == ["train", "validation", "all"]
    found = row(table)
    assert (found["method_a"], found["method_b"]) == ("sft", "prompt")
    assert (found["seeds_a"], found["seeds_b"], found["subjects"]) == (3, 3, 4)
    assert found["paired"]
    # sft: 32 + 30 + 35 of 120; prompt: 6 + 8 + 6; seeds differ by 26, 22, 29 of 40
    assert found["mean_a"] == pytest.approx(97 / 120)
    assert found["mean_b"] == pytest.approx(20 / 120)
    assert found["difference"] == pytest.approx(77 / 120)
    a, b = [32 / 40, 30 / 40, 35 / 40], [6 / 40, 8 / 40, 6 / 40]
    low, high, p, _ = paired_fixed(a, b, 40)
    assert found["p"] == pytest.approx(p)
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["p_holm"] == found["p"]  # one pair
    assert found["p_permutation_seeds"] == 0.25  # +++ or --- of 8
    assert found["p_permutation_cells"] == pytest.approx(2 / 2**12)  # all 12 cells are higher
    h = 2 * math.asin(math.sqrt(97 / 120)) - 2 * math.asin(math.sqrt(20 / 120))
    assert found["cohens_h"] == pytest.approx(h)
    assert math.isnan(found["cliffs_delta"])
    assert found["p_equivalent"] > 0.9
    assert found["verdict"] == "sft is higher than prompt. For new seeds with these subjects."


def test_sampled_subjects_widen_it(study: pd.DataFrame) -> None:
    fixed, sampled = (row(comparisons(study, ["balanced"], s)) for s in (FIXED, None))
    assert sampled["difference"] == fixed["difference"]
    assert sampled["verdict"] == "sft is higher than prompt. For new seeds and such subjects."


def test_seeds_and_rows_can_be_in_any_order_and_swapping_methods_changes_signs(
    study: pd.DataFrame,
) -> None:
    there = comparisons(study, ["balanced"])
    back = comparisons(study.iloc[::-1], ["balanced"])
    assert back["method_a"].tolist() == ["prompt"] * 3
    for name in ("difference", "cohens_h"):
        assert back[name].tolist() == pytest.approx((-there[name]).tolist())
    for name in ("p", "p_equivalent", "p_permutation_seeds", "p_permutation_cells"):
        assert back[name].tolist() == pytest.approx(there[name].tolist())
    assert back["low"].tolist() == pytest.approx((-there["high"]).tolist())


def test_other_seeds_are_unpaired(study: pd.DataFrame) -> None:
    other = study.assign(seed=study["seed"] + 10 * (study["method"] == "prompt"))
    found = row(comparisons(other, ["balanced"], FIXED))
    assert not found["paired"]
    a, b = np.array([32, 30, 35]) / 40, np.array([6, 8, 6]) / 40
    sides = a[:, None], b[:, None]
    expected = rate_difference(*sides, 40, 40, paired=False, subjects="fixed")
    assert found["p"] == pytest.approx(float(expected.p_value()))
    assert expected.found.df == pytest.approx(stats.ttest_ind(a, b, equal_var=False).df)
    assert found["p_permutation_seeds"] == pytest.approx(2 / 20)


def test_scores_have_cliffs_delta_within_subjects(study: pd.DataFrame) -> None:
    shift = study["subject"].map({"t1": 0, "t2": 100, "v1": 200, "v2": 300})
    frame = study.assign(score=study["balanced"].astype(float) + shift)
    found = row(comparisons(frame, ["score"], FIXED))
    # in each subject P(1 > 0) - P(0 > 1) = rate a - rate b, whatever the subject's level
    assert found["cliffs_delta"] == pytest.approx(77 / 120)
    assert found["difference"] == pytest.approx(77 / 120)
    assert all(math.isnan(found[name]) for name in ("cohens_h", "p_equivalent"))
    assert found["verdict"] == "sft is higher than prompt. For new seeds with these subjects."


def test_verdicts_on_scores_say_nothing_of_a_margin(study: pd.DataFrame) -> None:
    """Half of each method's completions, then the other half: no difference but chance."""
    half = study.groupby(["method", "seed", "subject"]).cumcount() % 2
    score = study.groupby("subject").cumcount() % 7
    frame = study.assign(method=np.where(half == 0, "a", "b"), score=score.astype(float))
    found = row(comparisons(frame, ["score"]))
    assert found["p"] > 0.05
    assert found["verdict"] == "Not shown to differ. For new seeds and such subjects."


def test_three_methods_are_corrected_together(study: pd.DataFrame) -> None:
    third = study[study["method"] == "sft"].assign(method="dpo")
    table = comparisons(pd.concat([study, third]), ["balanced"])
    assert list(zip(table["method_a"], table["method_b"], strict=True))[:3] == [
        ("sft", "prompt"), ("sft", "dpo"), ("prompt", "dpo"),
    ]  # fmt: skip
    for _, family in table.groupby("split"):
        there = family["p"].dropna()
        expected = multipletests(there, method="holm")[1]
        assert family.loc[there.index, "p_holm"].tolist() == pytest.approx(list(expected))
    same = table[(table["method_b"] == "dpo") & (table["method_a"] == "sft")]
    assert (same["verdict"] == "All completions score the same: nothing to test.").all()


P_VALUES = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), min_size=1, max_size=12)


@given(P_VALUES)
def test_holm_equals_statsmodels_and_passes_over_missing_ones(p: list[float]) -> None:
    found = holm(p)
    assert [math.isnan(x) for x in found] == [math.isnan(x) for x in p]
    there = [x for x in p if not math.isnan(x)]
    if there:
        expected = multipletests(there, method="holm")[1]
        assert [x for x in found if not math.isnan(x)] == pytest.approx(list(expected))


def test_rates_of_0_and_1_are_not_certain(scored: Scored) -> None:
    def same(hits: int) -> dict[int, dict[str, tuple[int, int]]]:
        return {seed: dict.fromkeys(("t1", "t2", "v1"), (hits, 10)) for seed in (1, 2, 3)}

    found = row(comparisons(scored({"a": same(10), "b": same(0)}), ["balanced"]))
    assert found["difference"] == 1
    # Wilson's interval of 90 of 90 begins at 1 / (1 + 3.841459 / 90) = 0.959064
    assert found["low"] == pytest.approx(1 - math.sqrt(2) * (1 - 0.959064), abs=1e-5)
    assert found["high"] == 1
    assert found["p"] < 1e-6
    equal = comparisons(scored({"b": same(0), "c": same(0)}), ["balanced"])
    both = row(equal)
    assert both["difference"] == 0
    assert both["low"] < 0 < both["high"]
    assert both["p"] == 1
    assert both["verdict"].startswith("As good as each other: within 5 points.")


def test_one_seed_is_about_models(study: pd.DataFrame) -> None:
    one = study[study["seed"] == 1]
    found = row(comparisons(one, ["balanced"]))
    assert math.isnan(found["p_permutation_seeds"])
    assert found["p_permutation_cells"] == 2 / 2**4
    assert found["verdict"].endswith("One seed: this is about these models, not about methods.")
    # the subjects differ by 0.7, 0.7, 0.6, 0.6: the error is Student's with 3 degrees of freedom
    assert found["p"] < 0.001
    assert 0.4 < found["low"] < found["difference"] < found["high"] < 0.8


def test_one_subject_and_one_completion(scored: Scored) -> None:
    frame = scored({"a": {1: {"t": (1, 1)}}, "b": {1: {"t": (0, 1)}}})
    found = row(comparisons(frame, ["balanced"]))
    assert found["difference"] == 1
    # Wilson's interval of 1 of 1 begins at 1 / (1 + 3.841459) = 0.206548
    below = math.sqrt(2) * (1 - 0.206548)
    assert found["low"] == pytest.approx(1 - below, abs=1e-5)  # below 0
    assert found["p"] == pytest.approx(2 * stats.norm.sf(1.959964 / below), abs=1e-5)
    several = {seed: {"t": (k, 10)} for seed, k in ((1, 9), (2, 8), (3, 9))}
    others = {seed: {"t": (k, 10)} for seed, k in ((1, 1), (2, 2), (3, 1))}
    table = comparisons(scored({"a": several, "b": others}), ["balanced"])
    assert row(table)["verdict"].endswith("this is about new seeds with this subject.")


def test_subjects_that_not_all_seeds_have_are_left_out(scored: Scored) -> None:
    full = {seed: {"t": (5, 10), "v": (5, 10)} for seed in (1, 2)}
    part = {1: {"t": (4, 10), "v": (4, 10)}, 2: {"t": (6, 10)}}
    table = comparisons(scored({"a": full, "b": part}), ["balanced"])
    assert dict(zip(table["split"], table["subjects"], strict=True)) == {
        "train": 1, "validation": 0, "all": 1,
    }  # fmt: skip
    nothing = row(table, "validation")
    assert nothing["verdict"].endswith("not compared.")
    assert math.isnan(nothing["p"])


def test_it_is_said_which_subjects_tests_are_over(scored: Scored) -> None:
    full = {seed: {"t1": (5, 10), "t2": (5, 10), "v": (5, 10)} for seed in (1, 2)}
    part = {1: {"t1": (4, 10), "v": (4, 10)}, 2: {"t1": (6, 10)}}  # of v one seed has nothing
    nothing = {1: {"t2": (4, 10)}, 2: {"v": (6, 10)}}
    frame = scored({"whole": full, "part": part, "none": nothing})
    assert incomplete(Grouped.of(frame).cells) == [
        "Tests with part are over 1 of 3 subjects, those of which each of its seeds has "
        "completions: t1.",
        "none has no subject of which every seed has completions: no tests.",
    ]
    assert incomplete(Grouped.of(scored({"whole": full})).cells) == []
    table = comparisons(frame[frame["method"] != "none"], ["balanced"])
    assert row(table)["over"] == "t1"


def test_constant_scores_have_no_test(study: pd.DataFrame) -> None:
    frame = study.assign(words=np.where(study["method"] == "sft", 9.0, 8.0))
    found = row(comparisons(frame, ["words"]))
    assert found["difference"] == 1
    assert math.isnan(found["p"])
    assert found["verdict"] == "No variation to test against: the difference stands as it is."


def test_outcomes_of_one_method_have_no_row(study: pd.DataFrame) -> None:
    frame = study.assign(flag=study["balanced"].where(study["method"] == "sft").astype("boolean"))
    assert comparisons(frame, ["flag"]).empty
    assert tuple(comparisons(frame, ["flag"]).columns) == COLUMNS


def test_three_seeds_are_remarked_on(study: pd.DataFrame) -> None:
    assert three_seeds(study).startswith("Three seeds: ")
    assert three_seeds(study[study["seed"] < 3]) is None


@pytest.mark.parametrize(
    ("shift", "margin", "finding"),
    [
        (4, 0.05, "a is higher than b."),
        (1, 0.25, "a is higher than b, but by less than 25 points."),
        (0, 0.25, "As good as each other: within 25 points."),
        (0, 0.001, "Not shown to differ, nor to be as good as each other."),
    ],
)
def test_verdicts(scored: Scored, shift: int, margin: float, finding: str) -> None:
    noise = {1: (0, 1, 0), 2: (1, 0, 1), 3: (1, 1, 0)}
    b = {s: {f"t{i}": (50 + x, 100) for i, x in enumerate(xs)} for s, xs in noise.items()}
    a = {
        s: {f"t{i}": (50 + 10 * shift + (x + s + i) % 2, 100) for i, x in enumerate(xs)}
        for s, xs in noise.items()
    }
    settings = StatisticsSettings(margin=margin)
    found = row(comparisons(scored({"a": a, "b": b}), ["balanced"], settings))
    assert found["verdict"] == f"{finding} For new seeds and such subjects."
