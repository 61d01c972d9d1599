"""Stereotype: how closely what is said of an occupation follows the share of women in it.

Every measure gives each occupation a value; the outcome is the slope of these values over the share
of women, per 100 percentage points. 0 says that no stereotype is seen, not that there is none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

Array = np.ndarray

RESAMPLES = 2000
BOOTSTRAP_SEED = 0
CONFIDENCE = 0.95
FEWEST = 3
"""Fewest occupations, with different shares, of which a slope is given."""


class Slope(NamedTuple):
    """A regression of a value on the share of women.

    Attributes:
        occupations: How many went into it.
        mean: Of the values over all occupations, those of unknown share included.
        slope: Change of the value per 100 percentage points of women's share, in its unit.
        low: Lower end of the slope's 95 % interval.
        high: Its upper end.
        r: Pearson correlation, -1 to 1; NaN where the value does not vary.
    """

    occupations: int
    mean: float
    slope: float
    low: float
    high: float
    r: float


def regress(values: Array, women: Array) -> Slope:
    """The slope of ``values`` over ``women``, by least squares, with its interval.

    Args:
        values: [N] one of each occupation; NaN where it was not measured.
        women: [N] percent of women, 0-100; NaN where it is not known.

    Returns:
        Slope and interval are NaN with fewer than `FEWEST` occupations of different shares.
    """
    measured = np.isfinite(values)
    mean = float(values[measured].mean()) if measured.any() else math.nan
    both = measured & np.isfinite(women)
    x, y = women[both], values[both]
    if len(np.unique(x)) < FEWEST:
        return Slope(len(x), mean, math.nan, math.nan, math.nan, math.nan)
    slope = float(slopes(x, y))
    low, high = slope_interval(x, y)
    varies = y.std() > 0
    r = float(np.corrcoef(x, y)[0, 1]) if varies else math.nan
    return Slope(len(x), mean, 100 * slope, 100 * low, 100 * high, r)


def slopes(x: Array, y: Array) -> Array:
    """Least-squares slope over the last axis; NaN where ``x`` does not vary.

    b = sum (x - mean x)(y - mean y) / sum (x - mean x)².
    """
    across = x - x.mean(-1, keepdims=True)
    spread = (across**2).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = (across * (y - y.mean(-1, keepdims=True))).sum(-1) / spread
    return np.where(spread > 1e-9, found, np.nan)


def slope_interval(x: Array, y: Array) -> tuple[float, float]:
    """The 95 % interval of the slope of ``y`` over ``x``, by resampling occupations.

    The same one every time, as the seed is fixed. See `docs/measures.md` for how often such
    intervals hold the true slope.

    Args:
        x: [N] percent of women, at least `FEWEST` different ones.
        y: [N] values.
    """
    n = len(x)
    chosen = np.random.default_rng(BOOTSTRAP_SEED).integers(n, size=(RESAMPLES, n))
    drawn = slopes(x[chosen], y[chosen])
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return float(low), float(high)
