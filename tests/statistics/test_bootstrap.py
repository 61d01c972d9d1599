"""The two-level bootstrap: its variance is known in closed form, and so is what it lacks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.statistics import bootstrap
from equipoise.statistics.bootstrap import cluster_bootstrap


def _mean(rates: np.ndarray) -> np.ndarray:
    return rates.mean(axis=(-2, -1))


def test_resampling_only_seeds_or_subjects_gives_the_plain_bootstrap_variance() -> None:
    rates = np.array([[0.1], [0.4], [0.9]]).repeat(4, axis=1)
    drawn: list[np.ndarray] = []

    def keep(resampled: np.ndarray) -> np.ndarray:
        drawn.append(_mean(resampled))
        return drawn[-1]

    cluster_bootstrap(rates, keep, resamples=20_000)
    # population variance of 0.1, 0.4, 0.9 over 3 seeds: 0.108889 / 3, two thirds of the unbiased
    assert drawn[0].var() == pytest.approx(np.var([0.1, 0.4, 0.9]) / 3, rel=0.05)
    cluster_bootstrap(rates.T, keep, resamples=20_000)
    assert drawn[1].var() == pytest.approx(np.var([0.1, 0.4, 0.9]) / 3, rel=0.05)


def test_deterministic_and_of_any_statistic() -> None:
    rates = np.random.default_rng(0).uniform(size=(4, 6))

    def median(resampled: np.ndarray) -> np.ndarray:
        return np.median(resampled.mean(axis=-2), axis=-1)

    assert cluster_bootstrap(rates, median, seed=3) == cluster_bootstrap(rates, median, seed=3)
    assert cluster_bootstrap(rates, median, seed=3) != cluster_bootstrap(rates, median, seed=4)
    low, high = cluster_bootstrap(rates, _mean)
    assert rates.min() < low < rates.mean() < high < rates.max()
    wider = cluster_bootstrap(rates, _mean, confidence=0.99)
    assert wider[0] < low
    assert wider[1] > high


def test_subjects_stay_in_their_stratum() -> None:
    rates = np.array([[0.0, 0.0, 0.0, 1.0, 1.0]] * 3)
    strata = np.array([0, 0, 0, 1, 1])

    def gap(resampled: np.ndarray) -> np.ndarray:
        over_seeds = resampled.mean(axis=-2)
        return over_seeds[..., 3:].mean(axis=-1) - over_seeds[..., :3].mean(axis=-1)

    assert cluster_bootstrap(rates, gap, strata=strata) == (1, 1)


def test_statistics_that_are_never_defined() -> None:
    found = cluster_bootstrap(np.zeros((2, 2)), lambda y: np.full(y.shape[0], math.nan))
    assert all(map(math.isnan, found))


def test_resamples_in_portions_are_the_same_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = np.random.default_rng(1).random((3, 5))
    whole = cluster_bootstrap(rates, _mean, resamples=100)
    monkeypatch.setattr(bootstrap, "AT_ONCE", 40)
    assert cluster_bootstrap(rates, _mean, resamples=100) == whole
