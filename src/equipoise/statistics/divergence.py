"""How varied are terms, and do seeds use the same ones? Entropy, Jensen-Shannon divergence."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike


def entropy(counts: ArrayLike) -> float:
    """Shannon entropy in bits of the distribution that ``counts`` make.

    0 where one thing alone is counted, log2(k) where k things are counted equally often. NaN where
    nothing is counted.

    H = -sum p log2 p (Shannon 1948, section 6).

    Args:
        counts: Counts or weights, 0 or more; they need not sum to 1.
    """
    values = np.asarray(counts, dtype=np.float64)
    values = values[values > 0]
    if not len(values):
        return math.nan
    shares = values / values.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # no minus before a zero


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    """Jensen-Shannon divergence of two distributions in bits (Lin 1991, equation 4.1).

    From 0 (the same) to 1 (nothing in common). It is the divergence itself, the square of scipy's
    ``jensenshannon`` distance. NaN where either has no mass at all.

    >>> jensen_shannon([1, 0], [0, 1])
    1.0

    Args:
        p: Counts or weights, 0 or more, shape (terms,); they need not sum to 1.
        q: Likewise, of the same terms.
    """
    first, second = (np.asarray(x, dtype=np.float64) for x in (p, q))
    if not first.sum() or not second.sum():
        return math.nan
    first, second = first / first.sum(), second / second.sum()
    mixed = entropy((first + second) / 2) - (entropy(first) + entropy(second)) / 2
    return float(min(max(mixed, 0.0), 1.0))


def mean_divergence(counts: ArrayLike) -> float:
    """Mean Jensen-Shannon divergence over all pairs of seeds, in bits, 0-1; NaN without a pair.

    Args:
        counts: How often each term is used, shape (seeds, terms). A seed that uses no term is in no
            pair.
    """
    table = np.asarray(counts, dtype=np.float64)
    pairs = itertools.combinations([row for row in table if row.sum()], 2)
    found = [jensen_shannon(p, q) for p, q in pairs]
    return float(np.mean(found)) if found else math.nan


def chance_divergence(counts: ArrayLike) -> float:
    """What ``mean_divergence`` comes to, about, if all seeds draw from one distribution; bits.

    Two samples of n and m from one distribution of K terms are (K - 1) (1/n + 1/m) / (8 ln 2) bits
    apart on average: twice the log-likelihood ratio of the two against one is chi-square with K - 1
    degrees of freedom, and near equality the divergence is quadratic. Terms of one completion
    depend on each other, which makes chance a little larger. A divergence below or near it is no
    sign that the seeds differ.

    Args:
        counts: As for ``mean_divergence``. NaN where that is.
    """
    table = np.asarray(counts, dtype=np.float64)
    used = int((table.sum(axis=0) > 0).sum()) if table.size else 0
    pairs = itertools.combinations([total for total in table.sum(axis=1) if total], 2)
    found = [(used - 1) * (1 / n + 1 / m) / (8 * math.log(2)) for n, m in pairs]
    return float(min(np.mean(found), 1.0)) if found else math.nan
