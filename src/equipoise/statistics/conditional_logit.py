"""Conditional logistic regression of an outcome on the method, within subjects.

Every subject is a stratum of its own, however easy or hard it is; conditioning on how many of its
completions have the outcome removes its intercept. With one binary covariate the conditional
likelihood of a stratum is Fisher's noncentral hypergeometric distribution (Breslow & Day 1980,
section 7.2), which this module evaluates from counts: the estimate equals that of statsmodels'
``ConditionalLogit`` (the tests compare them), whose recursion cannot take the 1,500 completions of
an ordinary subject.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.statistics.estimate import Floats

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class OddsRatio:
    """The common odds ratio of one method against another, over subjects.

    Attributes:
        value: 0 to infinity; 1 where they do not differ. NaN where no subject tells anything: in
            each, all completions have the outcome or none has.
        low: Lower end of the interval. Where the data separate the methods (every subject's
            outcomes are as uneven as its totals allow) the estimate is 0 or infinite, and so are
            the interval's ends on that side; the other end is NaN: not estimable.
        high: Upper end.
        p: Two-sided p-value of an odds ratio of 1; 1 where no subject tells anything.
    """

    value: float
    low: float
    high: float
    p: float


def conditional_logit(
    hits_a: Counts,
    n_a: Counts,
    hits_b: Counts,
    n_b: Counts,
    *,
    paired: bool,
    confidence: float = 0.95,
) -> OddsRatio:
    """Odds ratio of method a against b with subjects as strata.

    The likelihood takes completions as independent, which they are not: those of one seed come from
    one model. So its standard error is the sandwich over seeds (Liang & Zeger 1986) with the factor
    G / (G - 1) and Student's t with G - 1 degrees of freedom for G seeds, and p is never below that
    of the score test of independent completions (Cochran, Mantel & Haenszel), which is all there is
    with one seed and stays defined under separation.

    Args:
        hits_a: Completions of a with the outcome, shape (S, O).
        n_a: Completions of a, shape (S, O).
        hits_b: Of b, shape (S', O), the same subjects in the same order.
        n_b: Likewise.
        paired: Seed i of a and of b make one cluster. Otherwise each seed is a cluster and df is
            the smaller number of seeds minus 1.
        confidence: In (0, 1).
    """
    from scipy.stats import norm, t

    data = [np.asarray(x, dtype=np.int64) for x in (hits_a, n_a, hits_b, n_b)]
    k_a, m_a, k_b, m_b = (x.sum(axis=0) for x in data)
    strata = [_Stratum.of(*row) for row in zip(k_a, m_a, k_b, m_b, strict=True)]
    mean, variance = (sum(x) for x in zip(*(s.moments(0.0) for s in strata), strict=True))
    if variance == 0:
        return OddsRatio(math.nan, math.nan, math.nan, 1.0)
    observed = int(k_a.sum())
    p = float(2 * norm.sf(abs(observed - mean) / math.sqrt(variance)))
    if observed in (sum(s.least for s in strata), sum(s.most for s in strata)):
        infinite = observed > mean
        return (
            OddsRatio(math.inf, math.nan, math.inf, p)
            if infinite
            else OddsRatio(0.0, 0.0, math.nan, p)
        )
    beta = _solve(strata, observed)
    information = sum(s.moments(beta)[1] for s in strata)
    expected = np.array([s.moments(beta)[0] for s in strata])
    scores = _seed_scores(data, expected, paired=paired)
    clusters = min(len(data[0]), len(data[2]))
    se, quantile = 1 / math.sqrt(information), norm.ppf((1 + confidence) / 2)
    if clusters > 1:
        robust = math.sqrt((scores**2).sum() * clusters / (clusters - 1)) / information
        p = max(p, float(2 * t.sf(abs(beta) / robust, clusters - 1))) if robust else p
        half = max(quantile * se, t.ppf((1 + confidence) / 2, clusters - 1) * robust)
    else:
        half = quantile * se
    return OddsRatio(math.exp(beta), math.exp(beta - half), _exp(beta + half), p)


@dataclass(frozen=True)
class _Stratum:
    """One subject: hits of a range from ``least`` to ``most``, given all its totals.

    ``log_weights`` are the log numbers of ways to have each, less their largest.
    """

    least: int
    most: int
    log_weights: Floats

    @classmethod
    def of(cls, k_a: int, n_a: int, k_b: int, n_b: int) -> _Stratum:
        from scipy.special import gammaln

        total = int(k_a + k_b)
        least, most = max(0, total - int(n_b)), min(total, int(n_a))
        a = np.arange(least, most + 1, dtype=np.float64)
        b = total - a
        log = -(gammaln(a + 1) + gammaln(n_a - a + 1) + gammaln(b + 1) + gammaln(n_b - b + 1))
        return cls(least, most, log - log.max())

    def moments(self, beta: float) -> tuple[float, float]:
        """Mean and variance of the hits of a where the log odds ratio is ``beta``."""
        a = np.arange(self.least, self.most + 1, dtype=np.float64)
        log = self.log_weights + beta * (a - self.least)
        weights = np.exp(log - log.max())
        weights /= weights.sum()
        mean = float(weights @ a)
        return mean, float(weights @ (a - mean) ** 2)


def _solve(strata: list[_Stratum], observed: int) -> float:
    """The log odds ratio under which as many hits of a are expected as are observed."""
    from scipy.optimize import brentq

    def excess(beta: float) -> float:
        return sum(s.moments(beta)[0] for s in strata) - observed

    reach = 1.0
    while excess(-reach) > 0 or excess(reach) < 0:
        reach *= 2
    return float(brentq(excess, -reach, reach, xtol=1e-12))


def _seed_scores(data: list[Counts], expected: Floats, *, paired: bool) -> Floats:
    """What each cluster adds to the score, shape (G,); they sum to 0 at the estimate.

    A completion's score is (x - share of a in its stratum) (y - its probability): the probability
    is that of its method in its subject.
    """
    hits_a, n_a, hits_b, n_b = data
    total_a, total_b = n_a.sum(axis=0), n_b.sum(axis=0)
    total = np.maximum(total_a + total_b, 1)
    hits = hits_a.sum(axis=0) + hits_b.sum(axis=0)
    rate_a = expected / np.maximum(total_a, 1)
    rate_b = (hits - expected) / np.maximum(total_b, 1)
    of_a = ((hits_a - n_a * rate_a) * (total_b / total)).sum(axis=1)
    of_b = -((hits_b - n_b * rate_b) * (total_a / total)).sum(axis=1)
    scores: Floats = of_a + of_b if paired else np.concatenate([of_a, of_b])
    return scores


def _exp(x: float) -> float:
    """The exponential, infinite where it is too large for a float."""
    return math.exp(x) if x < 709 else math.inf
