"""Intervals of one rate: golden values, scipy, and what happens at 0 and 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from equipoise.statistics.rates import (
    RARE,
    sampling_floor,
    sampling_variance,
    wilson_effective,
    wilson_interval,
)

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # (k + z²/2 ± z sqrt(k (n - k) / n + z²/4)) / (n + z²), z² = 3.841459
        (3, 10, 0.107791, 0.603222),  # (4.920729 ± z sqrt(2.1 + 0.960365)) / 13.841459
        (5, 10, 0.236593, 0.763407),  # (6.920729 ± z sqrt(2.5 + 0.960365)) / 13.841459
        (1, 2, 0.094531, 0.905469),  # (2.920729 ± z sqrt(0.5 + 0.960365)) / 5.841459
        (0, 10, 0.0, 0.277533),  # z² / (n + z²)
        (10, 10, 0.722467, 1.0),  # n / (n + z²)
        (0, 1, 0.0, 0.793451),
        (1, 1, 0.206549, 1.0),
    ],
)
def test_wilson_golden(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-7)


def test_wilson_equals_the_textbook_and_scipy() -> None:
    for n in (1, 2, 7, 40, 2000):
        for k in {0, 1, n // 3, n - 1, n}:
            p = k / n
            centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
            half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
            found = wilson_interval(k, n)
            assert found == pytest.approx((centre - half, centre + half), abs=1e-12)
            for level in (0.5, 0.9, 0.99):
                expected = binomtest(k, n).proportion_ci(level, method="wilson")
                assert wilson_interval(k, n, level) == pytest.approx(tuple(expected), abs=1e-12)
            assert 0 <= found[0] <= p <= found[1] <= 1


def test_wilson_at_its_ends() -> None:
    assert all(map(math.isnan, wilson_interval(0, 0)))
    assert wilson_interval(0, 3)[0] == 0
    assert wilson_interval(3, 3)[1] == 1


@given(st.integers(1, 3000), st.floats(0, 1))
def test_effective_trials_equal_to_the_trials_give_wilsons_interval(n: int, share: float) -> None:
    k = round(share * n)
    found = wilson_effective(np.array(k / n), np.array(float(n)), np.array(Z))
    assert np.array(found) == pytest.approx(wilson_interval(k, n), abs=1e-12)


def test_effective_trials_by_hand() -> None:
    # rate 0.9, SE 0.03: 0.09 / 0.0009 = 100 trials; q = 3: q² / n = 0.09
    # (0.9 + 0.045 ± sqrt(0.09 (0.09 + 0.0225))) / 1.09 = (0.945 ± 0.1006231) / 1.09
    low, high = wilson_effective(np.array(0.9), np.array(100.0), np.array(3.0))
    assert (float(low), float(high)) == pytest.approx((0.7746577, 0.9592873), abs=1e-6)
    none = wilson_effective(np.array(0.9), np.array(np.inf), np.array(3.0))
    assert [float(end) for end in none] == [0.9, 0.9]


def test_sampling_variance_by_hand() -> None:
    # (0 + 1) / (10 + 2) = 1/12; 1/12 x 11/12 / 12 = 11/1728
    assert float(sampling_variance((0, 10))) == pytest.approx(11 / 1728)
    assert float(sampling_variance((10, 10))) == pytest.approx(11 / 1728)
    # 1 of 1 against 0 of 1: at their common rate 1/2 (1/4 + 1/4), more than 2 x 2/9 / 3
    assert float(sampling_variance((1, 1), (0, 1))) == pytest.approx(0.5)
    # 1 of 10 against 2 of 20: 2/12 x 10/12 / 12 + 3/22 x 19/22 / 22, more than 0.1 x 0.9 x 3/20
    own = 20 / 12**3 + 57 / 22**3
    assert float(sampling_variance((1, 10), (2, 20))) == pytest.approx(own)


def test_floor_is_there_only_where_hits_or_misses_are_rare() -> None:
    n = 1000
    hits = np.array([RARE - 1, RARE, 500, n - RARE, n - RARE + 1])
    alone = sampling_floor((hits, n))
    assert (alone > 0).tolist() == [True, False, False, False, True]
    other = sampling_floor((hits, n), (np.full(5, 500), n))
    assert other[0] == pytest.approx(float(sampling_variance((RARE - 1, n), (500, n))))
    assert (other > 0).tolist() == (alone > 0).tolist()
