"""Intervals of one rate: Wilson's, and Wilson's for completions that are not independent."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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
