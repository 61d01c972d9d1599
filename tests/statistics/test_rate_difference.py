"""The difference of two rates: by hand, Newcombe's where texts alone vary, and its promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from equipoise.statistics.rate_difference import RateDifference, rate_difference
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.simulation import Effects, draw_rates, draw_subjects, level_of
from equipoise.statistics.two_level import difference

from .plain_difference import paired_fixed


def compared(a: np.ndarray, b: np.ndarray, n: int, **more: object) -> RateDifference:
    """Of cells of ``n`` completions each, with the floor that ``comparisons`` sets."""
    totals = [x.shape[-2] * x.shape[-1] * n for x in (a, b)]
    hits = [np.rint(x.sum(axis=(-2, -1)) * n) for x in (a, b)]
    floor = sampling_floor(*zip(hits, totals, strict=True))
    by_seed = [x.shape[-1] * n for x in (a, b)]
    options = {"paired": a.shape == b.shape, "sampling": floor, **more}
    return rate_difference(a, b, *by_seed, **options)  # type: ignore[arg-type]


def test_fixed_subjects_by_hand() -> None:
    # Seeds at 0.9, 0.8, 0.85 and 0.6, 0.55, 0.7 of 20 completions: means 0.85 and 0.616667.
    a, b = np.array([[0.9], [0.8], [0.85]]), np.array([[0.6], [0.55], [0.7]])
    found = compared(a, b, 20, subjects="fixed", sampling=None)
    low, high, p, tail = paired_fixed(a[:, 0], b[:, 0], 20)
    # Once on paper: quantile 4.302653; of a the larger variance is that of the rates, 0.0025 / 3;
    # 0.85 has the logit 1.734601 and reaches 4.302653 x 0.028868 / 0.1275 = 0.974176 about it.
    assert float(found.value) == pytest.approx(0.85 - 0.616667, abs=1e-6)
    assert [float(end) for end in found.interval()] == pytest.approx([low, high])
    assert float(found.p_value()) == pytest.approx(p)
    assert float(found.p_equivalent(0.5)) == pytest.approx(
        stats.t.sf((0.5 - 0.233333) / (high - 0.233333) * 4.302653, 2), rel=1e-4
    )
    assert tail < 0.5


@pytest.mark.parametrize(("hits", "others", "n"), [(9, 3, 10), (49, 50, 50), (0, 5, 30)])
def test_texts_alone_give_newcombes_interval(hits: int, others: int, n: int) -> None:
    a, b = np.array([[hits / n]]), np.array([[others / n]])
    found = compared(a, b, n, sampling=np.array(1.0))
    expected = confint_proportions_2indep(hits, n, others, n, method="newcomb", compare="diff")
    assert [float(end) for end in found.interval()] == pytest.approx(list(expected), abs=1e-6)


def test_where_rates_hardly_vary_it_is_the_symmetric_interval() -> None:
    generator = np.random.default_rng(0)
    a, b = (0.5 + generator.normal(0, 0.001, (2, 4, 6))) + np.array([0.1, 0.0])[:, None, None]
    found = rate_difference(a, b, 1e9, 1e9, paired=True)
    plain = difference(a, b, paired=True)
    assert [float(end) for end in found.interval()] == pytest.approx(
        [float(end) for end in plain.interval()], abs=1e-5
    )


CELLS = st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=3, max_size=3).map(
    lambda rows: np.array(rows) / 20
)


@settings(max_examples=200)
@given(CELLS, CELLS, st.booleans(), st.sampled_from([0.8, 0.95, 0.99]), st.floats(0.01, 0.5))
def test_interval_and_tests_agree(
    a: np.ndarray, b: np.ndarray, paired: bool, confidence: float, margin: float
) -> None:
    found = compared(a, b, 20, paired=paired)
    low, high = (float(end) for end in found.interval(confidence))
    p, equal = float(found.p_value()), float(found.p_equivalent(margin))
    assert -1 <= low <= float(found.value) <= high <= 1
    if math.isnan(p):
        assert float(found.se) == 0
        return
    slack = 1e-9
    assert not (p < 1 - confidence - slack) or low > 0 or high < 0
    assert not (p > 1 - confidence + slack) or low <= 0 <= high
    inside = -margin < low and high < margin
    assert not (equal < (1 - confidence) / 2 - slack) or inside
    assert not (equal > (1 - confidence) / 2 + slack) or not inside


@given(CELLS, CELLS)
def test_sides_and_hits_change_places(a: np.ndarray, b: np.ndarray) -> None:
    there, back, misses = compared(a, b, 20), compared(b, a, 20), compared(1 - a, 1 - b, 20)
    low, high = (float(end) for end in there.interval())
    for other in (back, misses):
        assert [float(end) for end in other.interval()] == pytest.approx([-high, -low], abs=1e-9)
        assert float(other.p_value()) == pytest.approx(float(there.p_value()), nan_ok=True)


def test_many_at_once_are_each_their_own() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.integers(0, 21, (2, 6, 3, 4)) / 20
    many = compared(a, b, 20)
    for i in range(6):
        one = compared(a[i], b[i], 20)
        assert float(many.p_value()[i]) == pytest.approx(float(one.p_value()))
        assert [float(end[i]) for end in many.interval()] == pytest.approx(
            [float(end) for end in one.interval()]
        )


def test_nothing_that_varies_is_not_tested() -> None:
    constant = np.full((2, 3), 0.5)
    found = rate_difference(constant, constant - 0.25, 100, 100, paired=True)
    assert float(found.value) == 0.25
    assert math.isnan(float(found.p_value()))
    assert math.isnan(float(found.p_equivalent(0.05)))


def test_seeds_of_one_method_that_differ_much_more_give_few_false_alarms() -> None:
    """The case in which the symmetric interval errs most: see benchmarks/calibration.py."""
    generator, studies, subjects = np.random.default_rng(0), 1500, 20
    steady, shaky = Effects(seed_sd=0.0, subject_sd=0.3), Effects(seed_sd=1.0, subject_sd=0.3)
    rates = []
    shared = draw_subjects(2, studies, subjects, steady, generator)
    for own, effects in zip(shared, (steady, shaky), strict=True):
        spread = math.hypot(effects.seed_sd, effects.subject_sd, effects.interaction_sd)
        level = level_of(0.9, spread)
        rates.append(draw_rates((level,), own[None], effects, seeds=10, samples=50,
                                generator=generator)[0])  # fmt: skip
    alarms = float((compared(*rates, 50).p_value() < 0.05).mean())
    plain = float((difference(*rates, paired=True).p_value() < 0.05).mean())
    assert alarms < 0.075  # 5 %, and what 1,500 studies show by chance
    assert alarms < plain - 0.015
