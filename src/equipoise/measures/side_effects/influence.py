"""Statistics that are no means, as means: each item gets a value whose mean is the statistic.

The values are the statistic plus each item's influence on it (Hampel 1974; the "linearisation" of
survey statistics, Särndal, Swensson & Wretman 1992, ch. 5). Their mean is the statistic itself, and
their spread gives its standard error, so that one rule serves means, ratios and slopes alike, and
differences of them over the same items too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 3
"""Distinct shares that a slope needs."""


def slope_values(x: Floats, y: Floats) -> Floats:
    """Values [N] whose mean is the least-squares slope of ``y`` per 100 of ``x``.

    NaN where ``x`` has fewer than `FEWEST` distinct values. Residuals are inflated for the two
    parameters that were fitted (the correction HC1 of MacKinnon & White 1985).

    Args:
        x: [N] shares, in percent.
        y: [N] values.
    """
    n = len(x)
    if len(np.unique(x)) < FEWEST:
        return np.full(n, math.nan)
    away = x - x.mean()
    spread = (away**2).mean()
    slope = (away * y).mean() / spread
    residual = y - y.mean() - slope * away
    values: Floats = 100 * (slope + away * residual / spread * math.sqrt(n / (n - 2)))
    return values


def ratio_values(above: Floats, below: Floats) -> Floats:
    """Values [N] whose mean is ``sum(above) / sum(below)``; NaN where nothing is below.

    >>> ratio_values(np.array([1.0, 0.0]), np.array([1.0, 1.0])).mean().item()
    0.5
    """
    mean = below.mean()
    if mean == 0:
        return np.full(len(below), math.nan)
    ratio = above.mean() / mean
    values: Floats = ratio + (above - ratio * below) / mean
    return values


def product_values(one: Floats, other: Floats) -> Floats:
    """Values [N] whose mean is the product of the means of ``one`` and ``other`` over the items."""
    a, b = one.mean(), other.mean()
    values: Floats = a * b + b * (one - a) + a * (other - b)
    return values
