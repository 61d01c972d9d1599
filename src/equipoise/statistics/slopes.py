"""Stereotype: how closely what is said of an occupation follows the share of women in it.

Every measure gives each occupation a value; the outcome is the slope of these values over the share
of women, per 100 percentage points. 0 says that no stereotype is seen, not that there is none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from equipoise.statistics.estimate import Estimate

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
        low: Lower end of the slope's 95 % interval, for other occupations and, where it is of
            several seeds, for other seeds.
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
        values: [N] one of each occupation, or [S, N] with a row for each seed, of which the means
            are regressed; NaN where it was not measured.
        women: [N] percent of women, 0-100; NaN where it is not known.

    Returns:
        Slope and interval are NaN with fewer than `FEWEST` occupations of different shares.
    """
    rows = np.atleast_2d(values)
    measured = np.isfinite(rows).any(axis=0)
    rows, women = rows[:, measured], women[measured]
    means = np.nanmean(rows, axis=0)
    mean = float(means.mean()) if len(means) else math.nan
    known = np.isfinite(women)
    x, y = women[known], means[known]
    if len(np.unique(x)) < FEWEST:
        return Slope(len(x), mean, math.nan, math.nan, math.nan, math.nan)
    found = slope_estimate(x, rows[:, known])
    low, high = ends(found)
    r = float(np.corrcoef(x, y)[0, 1]) if y.std() > 0 else math.nan
    return Slope(len(x), mean, 100 * float(found.value[0]), 100 * low, 100 * high, r)


def slopes(x: Array, y: Array) -> Array:
    """Least-squares slope over the last axis; NaN where ``x`` does not vary.

    b = sum (x - mean x)(y - mean y) / sum (x - mean x)².
    """
    across = x - x.mean(-1, keepdims=True)
    spread = (across**2).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = (across * (y - y.mean(-1, keepdims=True))).sum(-1) / spread
    return np.where(spread > 1e-9, found, np.nan)


def slope_estimate(x: Array, ys: Array) -> Estimate:
    """The slope of the seeds' mean over ``x``, with what it owes to occupations and to seeds.

    Two levels, as in ``statistics.two_level``: seeds and occupations are both samples.

    **Occupations.** The percentile bootstrap over occupations, expanded about the slope by t / z
    sqrt(n / (n - 2)), with t of n - 2 degrees of freedom: unexpanded, it is too narrow for few
    occupations (Hesterberg 2015, The American Statistician 69, section 5.3). The seed of the
    resamples is fixed. **Seeds**, where there are several: the variance of their slopes over their
    number, with S - 1 degrees of freedom. Their noise on single occupations is in both, and is
    taken from the first.

    Args:
        x: [N] percent of women, at least `FEWEST` different ones.
        ys: [S, N] values; NaN where a seed has none, but every occupation has one of some seed.

    Returns:
        Shape (2,), as the bootstrap's two sides differ: how far the true slope may lie below, and
        how far above. Per point of ``x``.
    """
    n, y = len(x), np.nanmean(ys, axis=0)
    chosen = np.random.default_rng(BOOTSTRAP_SEED).integers(n, size=(RESAMPLES, n))
    drawn = slopes(x[chosen], y[chosen])
    tail = (1 - CONFIDENCE) / 2
    middle = float(slopes(x, y))
    away = np.abs(np.nanquantile(drawn, [tail, 1 - tail]) - middle)
    of_occupations = (away / -ndtri(tail)) ** 2 * n / (n - 2)
    variances, df = [of_occupations], [float(n - 2)]
    whole = np.isfinite(ys).all(axis=0)
    if len(ys) > 1 and len(np.unique(x[whole])) >= FEWEST:
        of_seeds, noise = _seeds(x[whole], ys[:, whole])
        variances = [of_occupations * (1 - noise), np.full(2, of_seeds)]
        df.append(float(len(ys) - 1))
    return Estimate(np.full(2, middle), np.stack(variances, axis=-1), np.array(df), np.zeros(2))


def ends(found: Estimate) -> tuple[float, float]:
    """The 95 % interval of a ``slope_estimate``."""
    below, above = found.half_width(CONFIDENCE)
    return float(found.value[0] - below), float(found.value[0] + above)


def p_value(found: Estimate) -> float:
    """The p-value of "the slope is 0", 0-1, from the side where 0 lies; NaN if nothing varies.

    It is below 0.05 just where the 95 % interval is without 0.
    """
    return float(found.p_value()[0 if found.value[0] > 0 else 1])


def _seeds(x: Array, ys: Array) -> tuple[float, float]:
    """Variance of the mean slope from the seeds, and the share of noise in the means' scatter.

    Noise is what is left of the seeds' values about their own line and the occupation's mean; its
    share, 0-1, is of the residual variance of the seeds' means about their line.
    """
    n_seeds = len(ys)
    of_seeds = float(slopes(x, ys).var(ddof=1)) / n_seeds
    noise = _residual(x, ys - ys.mean(axis=0)) / (n_seeds - 1) / n_seeds
    scatter = _residual(x, ys.mean(axis=0))
    return of_seeds, min(noise / scatter, 1.0) if scatter > 0 else 0.0


def _residual(x: Array, ys: Array) -> float:
    """Sum of squares about the least-squares line of each row, over its n - 2 df."""
    centred = ys - ys.mean(axis=-1, keepdims=True)
    fitted = np.expand_dims(slopes(x, ys), -1) * (x - x.mean())
    return float(((centred - fitted) ** 2).sum()) / (len(x) - 2)
