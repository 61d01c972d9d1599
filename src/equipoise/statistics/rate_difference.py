"""The difference of two mean rates: its interval and tests, which know that rates end at 0 and 1.

Three seeds at 99 % lie close together by chance more often than not, and seldom far apart. A
symmetric interval of their difference to another method is then too narrow on the side where the
rates have room. So the interval of the difference is made of the two rates' own intervals:

    low = d - sqrt(x² + y² - 2 r x y),  x = p_a - low_a,  y = high_b - p_b,

and its upper end likewise, with r the correlation of the two errors (Newcombe 1998, "Interval
estimation for the difference between independent proportions", method 10; Zou & Donner 2008,
"Construction of confidence limits about effect measures", for the general case). The ends of a rate
p lie q standard errors from it on the logit scale, where seeds and subjects act:

    low, high = expit(logit p ± q SE / (p (1 - p))).

q is the 95 % quantile of the *difference's* error, a mixture of t distributions (``estimate``), and
the variances are those of ``two_level``. At other levels both sides are as many times as wide as
that quantile is larger, so that a p-value is below 0.05 just where the interval is without the
null hypothesis. How well all that holds: benchmarks/calibration.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.statistics.estimate import Estimate, Floats
from equipoise.statistics.rates import wilson_effective
from equipoise.statistics.two_level import Subjects, difference, mean

CONFIDENCE = 0.95
"""Of the interval whose two sides are found; other levels follow from it."""


@dataclass(frozen=True)
class RateDifference:
    """The difference of two mean rates, or of many at once: leading axes are the same.

    Attributes:
        found: The difference with the sources of its error.
        below: How far its 95 % interval reaches below it, 0 or more, shape (...).
        above: How far above it.
        quantile: Of its error, at 95 %, in standard errors, above 0, shape (...).
    """

    found: Estimate
    below: Floats
    above: Floats
    quantile: Floats

    @property
    def value(self) -> Floats:
        """The difference, -1 to 1, shape (...)."""
        return self.found.value

    @property
    def se(self) -> Floats:
        """Standard error, shape (...); 0 where nothing varies at all."""
        return self.found.se

    def interval(self, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
        """Lower and upper end, within -1 to 1, each of shape (...)."""
        wider = _quantile(self.found, confidence) / self.quantile
        return (
            np.maximum(self.value - wider * self.below, -1.0),
            np.minimum(self.value + wider * self.above, 1.0),
        )

    def p_value(self, null: float = 0.0) -> Floats:
        """Two-sided p-value of "the true difference is ``null``", 0-1, shape (...).

        Below 1 - ``confidence`` where ``interval(confidence)`` is without ``null``. NaN where
        nothing varies.
        """
        below, above = self._exceeds(null)
        return 2 * np.minimum(below, above)

    def p_equivalent(self, margin: float) -> Floats:
        """p-value of two one-sided tests (Schuirmann 1987), 0-1, shape (...).

        Below (1 - ``confidence``) / 2 where ``interval(confidence)`` lies within -``margin`` to
        ``margin``.

        Args:
            margin: The largest difference that does not matter, above 0.
        """
        return np.maximum(self._exceeds(-margin)[0], self._exceeds(margin)[1])

    def _exceeds(self, null: float) -> tuple[Floats, Floats]:
        """P-values (0-1) of "it is ``null`` or less" and of "it is ``null`` or more"."""
        distance = self.value - null
        side = np.where(distance > 0, self.below, self.above)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.abs(distance) / side * self.quantile
        tail = np.where(self.se > 0, self.found.tail(np.nan_to_num(errors)), np.nan)
        return np.where(distance > 0, tail, 1 - tail), np.where(distance > 0, 1 - tail, tail)


def rate_difference(
    a: Floats,
    b: Floats,
    n_a: ArrayLike,
    n_b: ArrayLike,
    *,
    paired: bool,
    subjects: Subjects = "sampled",
    sampling: Floats | None = None,
) -> RateDifference:
    """Mean rate of ``a`` minus mean rate of ``b``, over the same subjects.

    Args:
        a: Rates (0-1), shape (..., S, O), no NaN.
        b: Likewise, shape (..., S', O).
        n_a: Completions of each seed of ``a``, shape (..., S) or broadcast to it.
        n_b: Likewise of ``b``.
        paired: As in ``two_level.difference``.
        subjects: As there.
        sampling: As in ``Estimate``. Where it is above 0, each rate's interval is at least Wilson's
            of its completions.
    """
    found = difference(a, b, paired=paired, subjects=subjects, sampling=sampling)
    own, other = (_side(rates, n, subjects) for rates, n in ((a, n_a), (b, n_b)))
    quantile = _quantile(found, CONFIDENCE)
    (below_a, above_a), (below_b, above_b) = (
        _reach(side, quantile, found.sampling > 0) for side in (own, other)
    )
    covariance = (own.plain + other.plain - found.variances.sum(axis=-1)) / 2
    product = np.sqrt(own.plain * other.plain)
    correlation = np.clip(covariance / np.where(product > 0, product, np.inf), -1, 1)
    return RateDifference(
        found,
        _together(below_a, above_b, correlation),
        _together(above_a, below_b, correlation),
        quantile,
    )


@dataclass(frozen=True)
class _Side:
    """One of the two rates: 0-1, its variance (plain, and with what seeds lack), completions."""

    rate: Floats
    plain: Floats
    variance: Floats
    n: Floats


def _side(rates: Floats, n: ArrayLike, subjects: Subjects) -> _Side:
    found = mean(rates, subjects)
    by_seed = np.asarray(n, dtype=np.float64) + np.zeros(rates.shape[:-1])
    plain = found.variances.sum(axis=-1)
    variance = plain + _lack(rates.mean(axis=-1), by_seed, found.value)
    return _Side(found.value, plain, variance, by_seed.sum(axis=-1))


def _lack(by_seed: Floats, n: Floats, rate: Floats) -> Floats:
    """What the seeds' share of the variance lacks on the scale of rates, 0 or more, shape (...).

    Seeds act on the logit scale. Where they come out high by chance, near 1, their spread looks
    smaller than it is. So the larger of two is taken: the variance of the rates, and that of their
    logits, brought to the scale of rates at the mean.
    """
    from scipy.special import logit

    n_seeds = by_seed.shape[-1]
    if n_seeds < 2:
        return np.zeros_like(rate)
    logits = logit((by_seed * n + 0.5) / (n + 1))
    there = (rate * (1 - rate)) ** 2 * logits.var(axis=-1, ddof=1)
    lack: Floats = np.maximum(there - by_seed.var(axis=-1, ddof=1), 0) / n_seeds
    return lack


def _reach(side: _Side, quantile: Floats, sampled: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """How far below and above a rate the ends of its interval lie, 0 or more, shape (...).

    Args:
        side: The rate.
        quantile: Standard errors.
        sampled: Where no end may be nearer than Wilson's of as many completions, bool.
    """
    from scipy.special import expit, logit, ndtri

    rate, product = side.rate, side.rate * (1 - side.rate)
    varies = (product > 0) & (side.variance > 0)
    middle = logit(np.where(varies, rate, 0.5))
    away = quantile * np.sqrt(side.variance) / np.where(varies, product, 1.0)
    low = np.where(varies, expit(middle - away), rate)
    high = np.where(varies, expit(middle + away), rate)
    normal = np.asarray(-ndtri((1 - CONFIDENCE) / 2))
    least = wilson_effective(rate, np.where(sampled, side.n, np.inf), normal)
    return rate - np.minimum(low, least[0]), np.maximum(high, least[1]) - rate


def _together(x: Floats, y: Floats, correlation: Floats) -> Floats:
    """How far two correlated errors reach together, one up and the other down, shape (...)."""
    together: Floats = np.sqrt(np.maximum(x**2 + y**2 - 2 * correlation * x * y, 0))
    return together


def _quantile(found: Estimate, confidence: float) -> Floats:
    """The quantile of the error in standard errors; normal where no source varies, shape (...)."""
    from scipy.special import ndtri

    normal = -ndtri((1 - confidence) / 2)
    return np.where(found.variances.sum(axis=-1) > 0, found.quantile(confidence), normal)
