"""Two-level cluster bootstrap: seeds and subjects drawn anew, both with replacement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.statistics.estimate import Floats
from equipoise.statistics.permutation import AT_ONCE


def cluster_bootstrap(
    rates: Floats,
    statistic: Callable[[Floats], Floats],
    *,
    strata: np.ndarray | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of any statistic of the rates of every seed and subject.

    Seeds are crossed with subjects, so whole rows and whole columns are drawn, independently of
    each other (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1). It needs no
    formula for the statistic. **With few seeds it is too narrow**: resampling S seeds shows
    (S - 1) / S of their variance, two thirds of it with three, and has no heavy tails; its measured
    coverage is in docs/statistics.md. For means, differences and gaps use ``two_level``.

    Args:
        rates: Rates or scores, shape (S, O).
        statistic: Of arrays (..., S, O), giving arrays (...).
        strata: Group of each subject, shape (O,): subjects are drawn within their group, so that
            column j of a resample is of the group of subject j. One group by default.
        resamples: How many.
        seed: Of the resampling.
        confidence: In (0, 1).

    Returns:
        Lower and upper end; NaN where the statistic is NaN in every resample.
    """
    generator = np.random.default_rng(seed)
    n_seeds, n_subjects = rates.shape
    rows = generator.integers(n_seeds, size=(resamples, n_seeds))
    columns = np.empty((resamples, n_subjects), dtype=np.int64)
    groups = np.zeros(n_subjects, dtype=np.int64) if strata is None else np.asarray(strata)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        columns[:, members] = generator.choice(members, size=(resamples, members.size))
    most = max(1, AT_ONCE // rates.size)
    portions = [slice(start, start + most) for start in range(0, resamples, most)]
    values = np.concatenate(
        [statistic(rates[rows[part, :, None], columns[part, None, :]]) for part in portions]
    )
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
