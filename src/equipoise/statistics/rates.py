"""Intervals of one rate: Wilson's, and Wilson's for completions that are not independent."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RARE = 5
"""With fewer hits or fewer misses than this, seeds differ by chance alone and often not at all:
then no interval is narrower than what sampling texts gives."""


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a rate (Wilson 1927); NaN without any trial.

    It takes the trials as independent with one rate: right for completions of one model and one
    subject, too narrow for what a method does with another seed.

    Args:
        successes: 0 or more, at most ``trials``.
        trials: 0 or more.
        confidence: In (0, 1).
    """
    if trials == 0:
        return math.nan, math.nan
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    middle = successes + z2 / 2
    half = math.sqrt(z2 * (successes * (trials - successes) / trials + z2 / 4))
    low = (middle - half) / (trials + z2) if successes else 0.0
    high = (middle + half) / (trials + z2) if successes < trials else 1.0
    return low, high


def wilson_effective(rate: Floats, n: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Wilson's interval from an effective number of trials; arrays of one shape, or broadcast.

    Survey statistics replaces the number of trials by rate (1 - rate) / variance, what as many
    independent trials would have, and the normal quantile by Student's (Korn & Graubard 1998;
    Franco et al. 2019, "Comparative study of confidence intervals for proportions in complex
    sample surveys"). The ends stay within 0-1, where rate ± t SE leaves it near 0 and 1.

    Args:
        rate: 0-1.
        n: Effective trials, above 0, infinite where the variance is 0.
        quantile: Two-sided quantile of Student's t or the normal distribution, above 0.

    Returns:
        Lower and upper ends, 0-1.
    """
    q2 = quantile**2 / n
    middle = (rate + q2 / 2) / (1 + q2)
    half = np.sqrt(q2 * (rate * (1 - rate) + q2 / 4)) / (1 + q2)
    return np.clip(middle - half, 0, rate), np.clip(middle + half, rate, 1)


def sampling_variance(*sides: tuple[ArrayLike, ArrayLike]) -> Floats:
    """Variance from drawing texts alone of a rate, or of the difference of two; above 0.

    The larger of two: each rate with one hit and one miss added (Agresti & Caffo 2000), so that 0
    and 1 have a variance too; and all sides at their common rate, as under no difference.

    Args:
        sides: Hits and completions of each rate that enters, any one shape.
    """
    hits = [np.asarray(k, dtype=np.float64) for k, _ in sides]
    n = [np.asarray(m, dtype=np.float64) for _, m in sides]
    rates = [(k + 1) / (m + 2) for k, m in zip(hits, n, strict=True)]
    own = sum(rate * (1 - rate) / (m + 2) for rate, m in zip(rates, n, strict=True))
    common = sum(hits) / sum(n)
    variance: Floats = np.maximum(own, common * (1 - common) * sum(1 / m for m in n))
    return variance


def sampling_floor(*sides: tuple[ArrayLike, ArrayLike]) -> Floats:
    """``sampling_variance`` where hits or misses of a side are fewer than ``RARE``, else 0."""
    rare = np.any([_rare(*side) for side in sides], axis=0)
    floor: Floats = np.where(rare, sampling_variance(*sides), 0.0)
    return floor


def _rare(hits: ArrayLike, n: ArrayLike) -> NDArray[np.bool_]:
    fewer: Floats = np.minimum(np.asarray(hits), np.asarray(n) - np.asarray(hits))
    return fewer < RARE
