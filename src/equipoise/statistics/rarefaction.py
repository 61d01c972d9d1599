"""Rarefaction: what a larger sample would hold if it were as small as the smallest one.

How many different things there are in a sample rises with its size, so that samples of different
sizes cannot be compared. Ecology compares what is to be expected in equally many individuals
(Sanders 1968; Hurlbert 1971, Ecology 52, 577-586, equation 14; Heck et al. 1975).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from equipoise.statistics.variety import sample_of

FEWEST = 20
"""A sample of fewer says too little of variety: the others are not made as small as that."""

SUBSAMPLES = 10
"""Subsamples over which is averaged what has no exact expectation."""


def fewest_of(sizes: Iterable[int]) -> int:
    """The least size that is compared: `FEWEST`, or the largest of ``sizes`` if that is smaller."""
    return min(FEWEST, max(sizes, default=0))


def common_size(sizes: Iterable[int]) -> int:
    """The size that all samples are made: that of the smallest which is no smaller than may be.

    >>> common_size([3000, 169, 12]), common_size([9, 9, 1]), common_size([])
    (169, 9, 0)
    """
    sizes = list(sizes)
    return min((size for size in sizes if size >= fewest_of(sizes)), default=0)


def expected_distinct(counts: ArrayLike, n: int, m: int) -> float:
    """Kinds to be expected among ``m`` of ``n`` items, drawn without replacement.

    A kind that c of n items hold is missed with probability C(n - c, m) / C(n, m). An item may hold
    several kinds.

    >>> expected_distinct([2, 1], n=3, m=1)  # 2/3 + 1/3
    1.0

    Args:
        counts: For each kind, how many items hold it: 1 to ``n``.
        n: Items.
        m: Items drawn, 0 to ``n``.
    """
    others = n - np.asarray(counts, dtype=np.float64)
    there = others >= m  # where fewer are without it, it cannot be missed
    kept = others[there]
    log_missed = gammaln(kept + 1) - gammaln(kept - m + 1) - gammaln(n + 1) + gammaln(n - m + 1)
    return float(len(others) - np.exp(log_missed).sum())


def averaged(
    value: Callable[[np.ndarray], float], n: int, m: int, most: int | None = None
) -> float:
    """The mean of ``value`` over random subsamples of ``m`` of ``n`` items, always the same ones.

    Where ``m`` is ``n`` there is nothing to average. A subsample without a value, NaN, counts for
    nothing.

    Args:
        value: Takes the indices of a subsample.
        n: Items.
        m: Items of a subsample.
        most: Of these, so many at most are given to ``value``.
    """
    times = SUBSAMPLES if m < n else 1
    size = m if most is None else min(m, most)
    values = np.array([value(sample_of(n, size, seed)) for seed in range(times)])
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan
