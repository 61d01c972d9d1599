"""How large a difference is, apart from how sure one is of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def cohens_h(rate_a: float, rate_b: float) -> float:
    """Cohen's h, 2 arcsin sqrt(a) - 2 arcsin sqrt(b) (Cohen 1988, chapter 6).

    From -pi to pi; 0.2 is called small, 0.5 medium, 0.8 large. Equal steps of h are about equally
    easy to detect anywhere between 0 and 1; equal steps of the rate are not. NaN if a rate is.

    >>> round(cohens_h(1.0, 0.0), 6)
    3.141593

    Args:
        rate_a: 0-1.
        rate_b: 0-1.
    """
    return 2 * math.asin(math.sqrt(rate_a)) - 2 * math.asin(math.sqrt(rate_b))


def cliffs_delta(a: ArrayLike, b: ArrayLike) -> float:
    """Cliff's delta, P(a > b) - P(a < b) over all pairs of a value of each (Cliff 1993).

    From -1 to 1; 0 where neither tends to be larger, +1 where every ``a`` exceeds every ``b``.
    0.147 is called small, 0.33 medium, 0.474 large (Romano et al. 2006). It reads ranks only, so a
    few extreme scores do not move it, and it says nothing of how far apart the scores are.

    >>> cliffs_delta([1, 2], [2, 3])  # pairs: <, <, =, <
    -0.75

    Args:
        a: Scores, one dimension; missing ones are left out.
        b: Likewise. NaN is returned where either has none left.
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (a, b))
    first, second = first[~np.isnan(first)], np.sort(second[~np.isnan(second)])
    if not first.size or not second.size:
        return math.nan
    below = np.searchsorted(second, first, side="left").sum()
    above = (second.size - np.searchsorted(second, first, side="right")).sum()
    return float((int(below) - int(above)) / (first.size * second.size))
