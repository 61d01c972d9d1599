"""Effect sizes against hand, brute force, scipy and statsmodels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from statsmodels.stats.proportion import proportion_effectsize

from equipoise.statistics.effect_sizes import cliffs_delta, cohens_h


def test_cohens_h_by_hand() -> None:
    # arcsin sqrt(3/4) = pi/3, arcsin sqrt(1/4) = pi/6: 2 (pi/3 - pi/6) = pi/3
    assert cohens_h(0.75, 0.25) == pytest.approx(math.pi / 3)
    assert cohens_h(0.25, 0.75) == pytest.approx(-math.pi / 3)
    assert cohens_h(1, 0) == pytest.approx(math.pi)
    assert cohens_h(0.3, 0.3) == 0
    assert math.isnan(cohens_h(math.nan, 0.5))


@given(st.floats(0, 1), st.floats(0, 1))
def test_cohens_h_equals_statsmodels(a: float, b: float) -> None:
    assert cohens_h(a, b) == pytest.approx(float(proportion_effectsize(a, b)), abs=1e-12)


def test_cliffs_delta_by_hand() -> None:
    # 1 < 2, 1 < 3, 2 = 2, 2 < 3: (0 - 3) / 4
    assert cliffs_delta([1, 2], [2, 3]) == -0.75
    assert cliffs_delta([5, 6], [1, 2]) == 1
    assert cliffs_delta([1.0, math.nan], [1.0]) == 0
    assert math.isnan(cliffs_delta([], [1]))
    assert math.isnan(cliffs_delta([1], [math.nan]))


SCORES = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_cliffs_delta_equals_all_pairs_and_mann_whitney(a: list[int], b: list[int]) -> None:
    pairs = [(x > y) - (x < y) for x, y in itertools.product(a, b)]
    found = cliffs_delta(a, b)
    assert found == pytest.approx(sum(pairs) / len(pairs))
    u = mannwhitneyu(a, b, method="asymptotic").statistic if len({*a, *b}) > 1 else len(pairs) / 2
    assert found == pytest.approx(2 * u / len(pairs) - 1)
    assert cliffs_delta(b, a) == pytest.approx(-found)
    assert cliffs_delta(np.exp(a), np.exp(b)) == pytest.approx(found)  # ranks only
