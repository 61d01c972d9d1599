"""Two levels of chance, seeds and subjects: estimates from the rates of every seed and subject.

**What is estimated.** Every seed meets the same subjects, so that seeds and subjects are crossed:

    rate[seed, subject] = mean + seed effect + subject effect + their interaction and sampling.

With ``subjects="sampled"`` the estimand is the mean over all seeds *and* over all subjects of the
kind the task's subjects stand for: what a new seed does with new occupations. With
``subjects="fixed"`` it is the mean over all seeds for these very subjects: what another run of the
same study would find. The estimate is the same, the mean of the rates, each subject and seed
counting once; the uncertainty is not.

**How.** The variance of the mean is (Cornfield & Tukey 1956, for crossed random effects)

    V = [var over seeds of their means] / S
      + [var over subjects of their means - residual mean square / S] / O,

unbiased when S seeds and O subjects are both drawn at random: it is what the two-level cluster
bootstrap (Owen 2007, "The pigeonhole bootstrap") estimates by resampling, without its bias at few
seeds. The second term is cut off at 0 and left out for fixed subjects. With one seed there is no
variance over seeds: the estimate is about the one model that was made.

Arrays have the shape (..., S, O): leading axes for many data sets at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from equipoise.statistics.estimate import Estimate, Floats

Subjects = Literal["sampled", "fixed"]
"""Whether the subjects stand for others of their kind, or for themselves."""


def mean(rates: Floats, subjects: Subjects = "sampled", sampling: Floats | None = None) -> Estimate:
    """The mean rate.

    Args:
        rates: Rates or mean scores, shape (..., S, O), no NaN.
        subjects: See above.
        sampling: As in ``Estimate``, shape (...).
    """
    everyone = np.ones(rates.shape[-1], dtype=bool)
    return _contrast([(1.0, rates)], [(1.0, everyone)], subjects, sampling)


def difference(
    a: Floats,
    b: Floats,
    *,
    paired: bool,
    subjects: Subjects = "sampled",
    sampling: Floats | None = None,
) -> Estimate:
    """Mean of ``a`` minus mean of ``b``, over the same subjects.

    Args:
        a: Shape (..., S, O).
        b: Shape (..., S', O); the subjects in the same order.
        paired: Seed i of ``a`` belongs to seed i of ``b`` (the same training data, say), S = S'.
            Otherwise the seeds are independent.
        subjects: See above.
        sampling: As in ``Estimate``, shape (...).
    """
    blocks = [(1.0, a - b)] if paired else [(1.0, a), (-1.0, b)]
    everyone = np.ones(a.shape[-1], dtype=bool)
    return _contrast(blocks, [(1.0, everyone)], subjects, sampling)


def gap(
    rates: Floats,
    trained: np.ndarray,
    subjects: Subjects = "sampled",
    sampling: Floats | None = None,
    *,
    proportions: bool = True,
) -> Estimate:
    """Generalisation gap: mean over the train subjects minus mean over the others.

    With fixed subjects it also holds what makes these train subjects easier than these others,
    whatever was learnt; only with sampled ones does 0 stand for "no gap". Then it is Welch's
    problem of two samples, and all sources together have the degrees of freedom of Welch (1947).

    Args:
        rates: Shape (..., S, O).
        trained: Which subjects are train subjects, shape (O,), bool; some, not all.
        subjects: See above.
        sampling: As in ``Estimate``, shape (...).
        proportions: Rates are of 0-1, so that seeds move the harder subjects more; see `_alike`.
    """
    groups = [(1.0, trained), (-1.0, ~trained)]
    if subjects == "fixed":
        return _contrast([(1.0, rates)], groups, subjects, sampling)
    there, others = (rates[..., members].mean(axis=-1) for _, members in groups)
    comparable = _alike((there + others) / 2) if proportions else 1.0
    gaps = (there - others) * comparable
    return _welch(_contrast([(1.0, rates)], groups, subjects, sampling, [gaps]))


def _alike(rates: Floats) -> Floats:
    """What a seed's gap is multiplied by to be comparable to those of other seeds, (..., S).

    A seed that moves all subjects alike on the logit scale moves the harder ones more on the scale
    of rates, by p (1 - p). So seeds of different rates p show different gaps even where the gap is
    only that these subjects are harder than those, which is counted on the subjects' level already.
    Here all gaps are brought to the seeds' mean p (1 - p).
    """
    spread = rates * (1 - rates)
    common = spread.mean(axis=-1, keepdims=True)
    factor: Floats = np.where(spread > 0, common / np.where(spread > 0, spread, 1.0), 1.0)
    return factor


def _welch(found: Estimate) -> Estimate:
    """The same with all sources as one, of sum(v)² / sum(v² / df) degrees of freedom."""
    total = found.variances.sum(axis=-1, keepdims=True)
    weights = (found.variances**2 / found.df).sum(axis=-1, keepdims=True)
    df = np.where(weights > 0, total**2 / np.where(weights > 0, weights, 1.0), 1.0)
    return Estimate(found.value, total, df, found.sampling)


def _contrast(
    blocks: Sequence[tuple[float, Floats]],
    groups: Sequence[tuple[float, np.ndarray]],
    subjects: Subjects,
    sampling: Floats | None,
    by_seed: Sequence[Floats] | None = None,
) -> Estimate:
    """Weighted mean over blocks of independent seeds and groups of subjects.

    Args:
        blocks: Sign and rates (..., S, O) of each.
        groups: Sign and members (O,) of each.
        subjects: See above.
        sampling: See above.
        by_seed: What each block's seeds are taken to vary by, shape (..., S); by default their
            own estimates.
    """
    weights = np.zeros(blocks[0][1].shape[-1])
    for sign, members in groups:
        weights[members] = sign / members.sum()
    sources: list[tuple[Floats, Floats]] = []
    repeated = all(rates.shape[-2] > 1 for _, rates in blocks)
    if repeated:
        sources.append(_seeds(by_seed or [rates @ weights for _, rates in blocks]))
    by_subject: Floats = np.add.reduce([sign * rates.mean(axis=-2) for sign, rates in blocks])
    if subjects == "sampled":
        for _, members in groups:
            n = int(members.sum())
            if n > 1:
                spread = by_subject[..., members].var(axis=-1, ddof=1)
                if repeated:
                    spread = spread - np.add.reduce([_residual(r, members) for _, r in blocks])
                df = _df_of_spread(by_subject[..., members])
                sources.append((np.maximum(spread, 0) / n, df))
    value: Floats = by_subject @ weights
    shape = (*value.shape, 0)
    return Estimate(
        value,
        np.stack([v for v, _ in sources], axis=-1) if sources else np.zeros(shape),
        np.stack([df for _, df in sources], axis=-1) if sources else np.zeros(shape),
        np.zeros_like(value) if sampling is None else sampling,
    )


def _df_of_spread(values: Floats) -> Floats:
    """Degrees of freedom of the variance over the last axis, fewer where the values are skewed.

    A sample variance of n values varies as chi-square with n - 1 degrees of freedom only if they
    are normal; in general its relative variance is 2 / (n - 1) + (kurtosis - 3) / n. Rates near 0
    or 1 are skewed over subjects. Their excess kurtosis is taken as twice the squared skewness (a
    lognormal distribution's is 1.8 times or more), of which 12 / n, twice what normal values show
    by chance, is not counted.
    """
    n = values.shape[-1]
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1)
    cubed = (centred**3).mean(axis=-1)
    squared_skewness = cubed**2 / np.where(variance > 0, variance, 1.0) ** 3
    df: Floats = (n - 1) / (1 + np.maximum(squared_skewness - 12 / n, 0))
    return df


def _seeds(by_seed: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Variance of the mean from the seeds of independent blocks (..., S), and its df (Welch 1947).

    With one block df is S - 1; with two it is between the smaller S - 1 and their sum.
    """
    parts = np.stack([values.var(axis=-1, ddof=1) / values.shape[-1] for values in by_seed])
    df = np.array([values.shape[-1] - 1 for values in by_seed]).reshape(-1, *[1] * parts[0].ndim)
    total: Floats = parts.sum(axis=0)
    shares = parts / np.where(total > 0, total, 1.0)
    inverse = np.where(total > 0, (shares**2 / df).sum(axis=0), 1 / df.min())
    return total, 1 / inverse


def _residual(rates: Floats, members: np.ndarray) -> Floats:
    """Residual mean square of the members' rates (..., S, O), over the number of seeds."""
    part = rates[..., members]
    n_seeds, n_subjects = part.shape[-2:]
    residual = part - part.mean(axis=-1, keepdims=True) - part.mean(axis=-2, keepdims=True)
    residual = residual + part.mean(axis=(-2, -1), keepdims=True)
    df = (n_seeds - 1) * (n_subjects - 1)
    square: Floats = (residual**2).sum(axis=(-2, -1)) / df / n_seeds
    return square
