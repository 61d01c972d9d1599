"""Values whose mean is a slope, a ratio or a product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.measures.side_effects.influence import product_values, ratio_values, slope_values

VALUES = st.lists(st.floats(-10, 10), min_size=5, max_size=20)


@given(VALUES, st.integers(0, 1000))
def test_their_mean_is_the_slope(y: list[float], seed: int) -> None:
    x = np.random.default_rng(seed).uniform(0, 100, len(y))
    expected = 100 * np.polyfit(x, y, 1)[0]
    assert slope_values(x, np.array(y)).mean() == pytest.approx(expected, abs=1e-6)


def test_their_spread_is_that_of_the_slope() -> None:
    """Over many samples, the standard error from the values is that of the slopes."""
    generator = np.random.default_rng(3)
    x = np.linspace(0, 100, 20)
    found = [slope_values(x, 0.02 * x + generator.normal(0, 1, 20)) for _ in range(2000)]
    errors = [values.std(ddof=1) / np.sqrt(20) for values in found]
    slopes = [values.mean() for values in found]
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.05)


def test_two_shares_are_no_slope() -> None:
    assert np.isnan(slope_values(np.array([1.0, 1, 5, 5]), np.arange(4.0))).all()


@given(VALUES, st.integers(0, 1000))
def test_their_mean_is_the_ratio(above: list[float], seed: int) -> None:
    below = np.random.default_rng(seed).uniform(0.5, 2, len(above))
    values = ratio_values(np.array(above), below)
    assert values.mean() == pytest.approx(np.sum(above) / below.sum(), abs=1e-9)


@given(VALUES, st.integers(0, 1000))
def test_their_mean_is_the_product(one: list[float], seed: int) -> None:
    other = np.random.default_rng(seed).uniform(-2, 2, len(one))
    values = product_values(np.array(one), other)
    assert values.mean() == pytest.approx(np.mean(one) * other.mean(), abs=1e-9)


def test_a_ratio_of_nothing_is_missing() -> None:
    assert np.isnan(ratio_values(np.zeros(3), np.zeros(3))).all()
