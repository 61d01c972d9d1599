"""Intervals and tests of an estimate: as Student's with one source, between bounds with two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from equipoise.statistics.estimate import Estimate


def estimate(value: float, *sources: tuple[float, float], sampling: float = 0.0) -> Estimate:
    """One estimate from (variance, df) of each source."""
    variances = np.array([variance for variance, _ in sources])
    return Estimate(
        np.array(value), variances, np.array([df for _, df in sources]), np.array(sampling)
    )


def test_one_source_is_students_t() -> None:
    values = np.array([0.12, 0.05, 0.20, 0.11])
    found = estimate(values.mean(), (values.var(ddof=1) / 4, 3))
    test = stats.ttest_1samp(values, 0.0)
    assert float(found.p_value()) == pytest.approx(test.pvalue)
    expected = test.confidence_interval(0.9)
    assert [float(x) for x in found.interval(0.9)] == pytest.approx([expected.low, expected.high])
    assert float(found.p_value(0.1)) == pytest.approx(stats.ttest_1samp(values, 0.1).pvalue)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.3])
def test_equivalence_equals_statsmodels(margin: float) -> None:
    a, b = np.array([0.5, 0.61, 0.42, 0.55]), np.array([0.48, 0.62, 0.47, 0.5])
    d = a - b
    found = estimate(d.mean(), (d.var(ddof=1) / 4, 3))
    expected = ttost_paired(a, b, -margin, margin)[0]
    assert float(found.p_equivalent(margin)) == pytest.approx(expected)


def test_mixture_by_hand() -> None:
    # SE = 1, T = 3, shares 0.4 of t(2) and 0.6 of t(19)
    p = 0.4 * 2 * stats.t.sf(3, 2) + 0.6 * 2 * stats.t.sf(3, 19)
    assert float(estimate(3.0, (0.4, 2), (0.6, 19)).p_value()) == pytest.approx(p)


SOURCES = st.lists(
    st.tuples(st.floats(0.01, 10), st.sampled_from([2, 4, 9, 19])), min_size=1, max_size=3
)


@given(SOURCES, st.floats(-5, 5), st.floats(0, 0.5), st.sampled_from([0.8, 0.95, 0.99]))
def test_interval_and_test_agree_and_quantile_is_between_its_parts(
    sources: list[tuple[float, int]], value: float, sampling: float, confidence: float
) -> None:
    found = estimate(value, *sources, sampling=sampling)
    low, high = (float(end) for end in found.interval(confidence))
    for end in (low, high):
        assert float(found.p_value(end)) == pytest.approx(1 - confidence, abs=1e-6)
    ends = [stats.t.ppf((1 + confidence) / 2, df) for _, df in sources]
    assert min(ends) - 1e-9 <= float(found.quantile(confidence)) <= max(ends) + 1e-9
    inside = abs(value) < 0.3 and max(abs(low), abs(high)) < 0.3
    assert not inside or float(found.p_equivalent(0.3)) < (1 - confidence) / 2 + 1e-6


@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("subjects", [5, 15, 20])
def test_at_95_percent_it_lies_between_satterthwaite_and_banerjee(
    seeds: int, subjects: int
) -> None:
    share = np.linspace(0.01, 0.99, 99)
    variances = np.stack([share, 1 - share], axis=-1)
    df = np.array([seeds - 1.0, subjects - 1.0])
    half = Estimate(np.zeros(99), variances, df, np.zeros(99)).half_width()
    satterthwaite = stats.t.ppf(0.975, 1 / (variances**2 / df).sum(axis=-1))
    banerjee = np.sqrt((variances * stats.t.ppf(0.975, df) ** 2).sum(axis=-1))
    assert (satterthwaite < half).all()
    assert (half < banerjee).all()


def test_sampling_is_a_floor() -> None:
    wide = estimate(0.1, (1e-8, 2), sampling=0.01)
    assert [float(x) for x in wide.interval()] == pytest.approx([0.1 - 0.1959964, 0.1 + 0.1959964])
    assert float(wide.p_value()) == pytest.approx(2 * stats.norm.sf(1))
    alone = estimate(0.1, sampling=0.01)
    assert float(alone.p_value()) == pytest.approx(2 * stats.norm.sf(1))
    assert float(alone.half_width()) == pytest.approx(0.1959964)


def test_without_variation_there_is_no_test() -> None:
    constant = estimate(0.4, (0.0, 2), (0.0, 19))
    assert float(constant.se) == 0
    assert math.isnan(float(constant.p_value()))
    assert math.isnan(float(constant.p_equivalent(0.5)))
    assert [float(end) for end in constant.interval()] == [0.4, 0.4]


def test_many_at_once_are_each_their_own() -> None:
    generator = np.random.default_rng(2)
    variances, df = generator.uniform(0.1, 1, (5, 3)), generator.uniform(1, 20, (5, 3))
    values, sampling = generator.normal(size=5), np.zeros(5)
    many = Estimate(values, variances, df, sampling)
    for i in range(5):
        one = Estimate(values[i], variances[i], df[i], sampling[i])
        assert float(many.p_value()[i]) == pytest.approx(float(one.p_value()))
        assert float(many.half_width()[i]) == pytest.approx(float(one.half_width()))
