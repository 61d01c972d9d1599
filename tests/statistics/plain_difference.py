"""The interval of a difference of two rates the slow way: one number after another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def ends(rate: float, variance: float, quantile: float) -> tuple[float, float]:
    """Of one rate, on the logit scale."""
    if variance == 0 or rate in (0, 1):
        return rate, rate
    away = quantile * math.sqrt(variance) / (rate * (1 - rate))
    return expit(logit(rate) - away), expit(logit(rate) + away)


def of_seeds(rates: Sequence[float], n: int) -> float:
    """Variance of the mean of seeds' rates, each of n completions: the larger of two."""
    rate = float(np.mean(rates))
    plain = float(np.var(rates, ddof=1))
    logits = [logit((k * n + 0.5) / (n + 1)) for k in rates]
    brought = (rate * (1 - rate)) ** 2 * float(np.var(logits, ddof=1))
    return max(plain, brought) / len(rates)


def paired_fixed(
    a: Sequence[float], b: Sequence[float], n: int
) -> tuple[float, float, float, float]:
    """Low, high, p-value and p-value of one tail of a paired difference, fixed subjects.

    Args:
        a: Rate of each seed over all subjects.
        b: Likewise.
        n: Completions of each seed.
    """
    count = len(a)
    p, q = float(np.mean(a)), float(np.mean(b))
    quantile = float(stats.t.ppf(0.975, count - 1))
    low_a, high_a = ends(p, of_seeds(a, n), quantile)
    low_b, high_b = ends(q, of_seeds(b, n), quantile)
    variances = [float(np.var(x, ddof=1)) / count for x in (a, b)]
    of_difference = float(np.var(np.subtract(a, b), ddof=1)) / count
    r = (sum(variances) - of_difference) / 2 / math.sqrt(math.prod(variances))

    def together(x: float, y: float) -> float:
        return math.sqrt(x * x + y * y - 2 * r * x * y)

    below, above = together(p - low_a, high_b - q), together(high_a - p, q - low_b)
    d = p - q
    errors = abs(d) / (below if d > 0 else above) * quantile
    tail = float(stats.t.sf(errors, count - 1))
    return d - below, d + above, 2 * tail, tail
