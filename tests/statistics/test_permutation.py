"""Permutation tests: by hand, scipy's, and how often each finds what is not there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from equipoise.statistics import permutation
from equipoise.statistics.permutation import permute_cells, permute_seeds
from equipoise.statistics.simulation import Effects, draw_rates, draw_subjects


def _mean_difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return a.mean(axis=axis) - b.mean(axis=axis)


def test_three_pairs_of_seeds_by_hand() -> None:
    # differences of the seeds 0.3, 0.2, 0.1: of 8 sign patterns only +++ and --- reach 0.6
    a = np.array([[0.5, 0.7], [0.4, 0.6], [0.3, 0.5]])
    b = np.array([[0.3, 0.3], [0.3, 0.3], [0.3, 0.3]])
    assert permute_seeds(a, b, paired=True) == 0.25
    # 0.3, 0.2, -0.1 sums to 0.4: besides ++- and --+, +++ and --- reach it
    b[2] = 0.5
    assert permute_seeds(a, b, paired=True) == 0.5


def test_no_data_of_three_seeds_come_below_a_quarter() -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        a, b = generator.normal(0, 1, (3, 4)) + 100, generator.normal(0, 1, (3, 4))
        assert permute_seeds(a, b, paired=True) == 0.25
        assert permute_seeds(a, b, paired=False) == pytest.approx(2 / 20)


@pytest.mark.parametrize("seeds", [(3, 3), (2, 5), (4, 4)])
def test_unpaired_seeds_equal_scipy(seeds: tuple[int, int]) -> None:
    generator = np.random.default_rng(1)
    a, b = generator.normal(0.6, 1, (seeds[0], 3)), generator.normal(0, 1, (seeds[1], 3))
    expected = stats.permutation_test((a.mean(axis=1), b.mean(axis=1)), _mean_difference)
    found = permute_seeds(a, b, paired=False)
    values = np.abs(expected.null_distribution)
    assert found == pytest.approx((values >= abs(expected.statistic) - 1e-12).mean())


def test_paired_cells_equal_scipys_sign_flips() -> None:
    generator = np.random.default_rng(2)
    a, b = generator.normal(0.3, 1, (2, 4)), generator.normal(0, 1, (2, 4))
    expected = stats.permutation_test(
        (a.ravel(), b.ravel()), _mean_difference, permutation_type="samples"
    )
    assert permute_cells(a, b, paired=True) == pytest.approx(expected.pvalue)


def test_many_cells_are_sampled_deterministically_and_near_the_exact_p() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.normal(0.3, 1, (3, 20)), generator.normal(0, 1, (3, 20))
    found = permute_cells(a, b, paired=True, seed=5)
    assert found == permute_cells(a, b, paired=True, seed=5)
    assert found == pytest.approx(stats.ttest_rel(a.ravel(), b.ravel()).pvalue, abs=0.02)
    assert permute_cells(a + 100, b, paired=True) == 1e-4  # never 0


def test_many_unpaired_seeds_are_sampled_with_the_observed_deal_among_them() -> None:
    a, b = np.arange(12.0)[:, None] + 100, np.arange(12.0)[:, None]
    assert permute_seeds(a, b, paired=False) == pytest.approx(1 / 10_001)


def test_edges() -> None:
    one, two = np.array([[0.2, 0.4]]), np.array([[0.2, 0.4], [0.4, 0.2]])
    assert math.isnan(permute_seeds(one, two, paired=False))
    assert math.isnan(permute_seeds(one, one, paired=True))
    assert permute_seeds(two, two, paired=True) == 1
    assert permute_cells(two, two, paired=True) == 1
    assert permute_cells(one, two, paired=False) == 1


def test_cells_are_no_test_of_methods_and_seeds_are() -> None:
    generator = np.random.default_rng(4)
    effects = Effects(seed_sd=0.5, subject_sd=0.6, interaction_sd=0)
    subjects = draw_subjects(2, 300, 20, effects, generator)
    a, b = draw_rates((0.0, 0.0), subjects, effects, seeds=6, samples=50, generator=generator)
    cells = np.array([permute_cells(x, y, paired=True) for x, y in zip(a, b, strict=True)])
    seeds = np.array([permute_seeds(x, y, paired=True) for x, y in zip(a, b, strict=True)])
    assert (cells < 0.05).mean() > 0.4
    assert (seeds < 0.05).mean() < 0.09  # 5 % and three standard errors


@pytest.mark.parametrize("most", [1, 70, 999])
def test_patterns_in_portions_are_the_same_patterns(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(5)
    a, b = generator.random((10, 7)) + 0.05, generator.random((10, 7))
    cases = [(permute_cells, True), (permute_cells, False), (permute_seeds, False)]
    whole = [test(a, b, paired=paired, seed=3) for test, paired in cases]
    monkeypatch.setattr(permutation, "AT_ONCE", most)
    assert [test(a, b, paired=paired, seed=3) for test, paired in cases] == whole
