"""Rarefaction: values worked out by hand, and all subsamples gone through."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.statistics.rarefaction import (
    SUBSAMPLES,
    averaged,
    common_size,
    expected_distinct,
    fewest_of,
)


def test_golden_expectations() -> None:
    # Four items, two hold a, one holds b, three hold c; two are drawn, of 6 pairs. Missed are
    # a by C(2, 2) = 1 of them, b by C(3, 2) = 3, c by C(1, 2) = 0.
    assert expected_distinct([2, 1, 3], n=4, m=2) == pytest.approx(3 - 1 / 6 - 3 / 6, abs=1e-12)
    assert expected_distinct([2, 1, 3], n=4, m=4) == 3
    assert expected_distinct([2, 1, 3], n=4, m=0) == pytest.approx(0, abs=1e-12)
    assert expected_distinct([], n=4, m=2) == 0


@given(st.data(), st.integers(1, 8))
def test_the_expectation_is_the_mean_over_all_subsamples(data: st.DataObject, n: int) -> None:
    held = data.draw(st.lists(st.sets(st.sampled_from("abcd")), min_size=n, max_size=n))
    m = data.draw(st.integers(1, n))
    kinds = set().union(*held)
    counts = [sum(kind in own for own in held) for kind in kinds]
    samples = [set().union(*chosen) for chosen in combinations(held, m)]
    mean = sum(map(len, samples)) / len(samples)
    assert expected_distinct(counts, n, m) == pytest.approx(mean, abs=1e-9)


def test_large_samples_overflow_nothing() -> None:
    # 1 of 100,000 items is drawn with probability 1/2 among half of them.
    assert expected_distinct([1], n=100_000, m=50_000) == pytest.approx(0.5, abs=1e-9)
    assert expected_distinct([99_999], n=100_000, m=2) == 1


@pytest.mark.parametrize(
    ("sizes", "fewest", "size"),
    [
        ([3000, 169, 12], 20, 169),
        ([20, 19], 20, 20),
        ([9, 9, 1], 9, 9),
        ([5], 5, 5),
        ([], 0, 0),
    ],
)
def test_the_size_is_that_of_the_smallest_that_is_large_enough(
    sizes: list[int], fewest: int, size: int
) -> None:
    assert (fewest_of(sizes), common_size(sizes)) == (fewest, size)


def test_averages_are_over_different_subsamples_and_always_the_same() -> None:
    seen: list[tuple[int, ...]] = []

    def value(chosen: np.ndarray) -> float:
        seen.append(tuple(chosen))
        return float(chosen.sum())

    first = averaged(value, n=30, m=5)
    assert len(set(seen)) == SUBSAMPLES
    assert all(len(set(chosen)) == 5 for chosen in seen)
    assert first == np.mean([sum(chosen) for chosen in seen])
    assert averaged(value, n=30, m=5) == first
    seen.clear()
    assert averaged(value, n=6, m=6) == 15  # nothing to choose
    assert len(seen) == 1
    averaged(value, n=30, m=30, most=4)
    assert len(seen[-1]) == 4


def test_subsamples_without_a_value_count_for_nothing() -> None:
    assert averaged(lambda chosen: 2.0 if 0 in chosen else math.nan, n=8, m=4) == 2
    assert math.isnan(averaged(lambda _: math.nan, n=8, m=4))
