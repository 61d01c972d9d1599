"""Entropy and Jensen-Shannon divergence: by hand, as scipy has them, and by chance."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as scipy_entropy

from equipoise.statistics.consistency import consistency_table
from equipoise.statistics.divergence import (
    chance_divergence,
    entropy,
    jensen_shannon,
    mean_divergence,
)


@pytest.mark.parametrize(
    ("counts", "bits"),
    [
        ([7], 0.0),
        ([3, 3], 1.0),
        ([1, 1, 2], 1.5),  # 1/4 · 2 + 1/4 · 2 + 1/2 · 1
        ([5, 0, 5, 0], 1.0),  # what is never used adds nothing
        ([1] * 20, math.log2(20)),  # the most that the task's twenty terms can have
    ],
)
def test_entropy_by_hand(counts: list[int], bits: float) -> None:
    assert entropy(counts) == pytest.approx(bits, abs=1e-12)
    assert math.copysign(1, entropy(counts)) == 1


def test_entropy_of_nothing_is_not_measured() -> None:
    assert math.isnan(entropy([]))
    assert math.isnan(entropy([0, 0]))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30))
def test_entropy_equals_scipy_and_keeps_its_bounds(counts: list[int]) -> None:
    found = entropy(counts)
    assert found == pytest.approx(float(scipy_entropy(counts, base=2)), abs=1e-9)
    assert 0 <= found <= math.log2(len(counts)) + 1e-9


def test_by_hand() -> None:
    assert jensen_shannon([3, 0], [0, 5]) == 1
    assert jensen_shannon([1, 2, 3], [2, 4, 6]) == 0
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): H(m) = 2 - 3/4 log2 3 = 0.811278,
    # H(p) = 0, H(q) = 1: 0.811278 - 1/2
    assert jensen_shannon([1, 0], [1, 1]) == pytest.approx(1.5 - 0.75 * math.log2(3))
    assert math.isnan(jensen_shannon([0, 0], [1, 1]))


COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12)


@given(COUNTS)
def test_equals_scipys_distance_squared_and_stays_in_0_to_1(pairs: list[tuple[int, int]]) -> None:
    p, q = np.array(pairs, dtype=float).T
    found = jensen_shannon(p, q)
    if p.sum() and q.sum():
        assert 0 <= found <= 1
        assert found == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-7)
        assert found == pytest.approx(jensen_shannon(q, p))
    else:
        assert math.isnan(found)


def test_mean_is_over_pairs_of_seeds_that_use_terms() -> None:
    # (1, 0) and (0, 1): 1 bit; each and (1, 1): 1.5 - 0.75 log2 3
    half = 1.5 - 0.75 * math.log2(3)
    rows = [[1, 0], [0, 0], [0, 1], [1, 1]]
    assert mean_divergence(rows) == pytest.approx((1 + half + half) / 3)
    assert math.isnan(mean_divergence([[1, 2]]))
    assert math.isnan(mean_divergence([[1, 2], [0, 0]]))
    assert math.isnan(chance_divergence([[1, 2], [0, 0]]))


def test_chance_is_what_samples_of_one_distribution_give() -> None:
    generator = np.random.default_rng(1)
    p = generator.dirichlet(np.full(20, 2.0))
    found = [mean_divergence(generator.multinomial([400, 900], p)) for _ in range(500)]
    table = [np.full(20, 20), np.full(20, 45)]  # 400 and 900 terms
    # 19 (1/400 + 1/900) / (8 ln 2) = 0.01237
    assert chance_divergence(table) == pytest.approx(0.012374, abs=1e-5)
    assert np.mean(found) == pytest.approx(chance_divergence(table), rel=0.1)


def test_table_counts_completions_with_a_term_by_seed() -> None:
    scored = pd.DataFrame(
        {
            "method": ["a", "a", "a", "b"],
            "seed": [1, 1, 2, 1],
            "agentic_terms": ["bold", "", "bold", "bold"],
            "communal_terms": ["kind; warm", "", "kind", ""],
        }
    )
    table = consistency_table(scored, ["agentic", "communal"])
    assert table["terms"].tolist() == ["agentic", "communal", "all"] * 2
    assert table["seeds"].tolist() == [2, 2, 2, 1, 1, 1]
    # bold 1 and 1; kind, warm: (1, 1) and (1, 0); all: (1, 1, 1) and (1, 1, 0)
    golden = [0, 1.5 - 0.75 * math.log2(3), jensen_shannon([1, 1, 1], [1, 1, 0])]
    assert table["divergence"][:3].tolist() == pytest.approx(golden)
    assert table["divergence"][3:].isna().all()
