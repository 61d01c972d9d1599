"""Permutation tests of a difference between two methods, and what each of them assumes.

A permutation test is exact where, under its null hypothesis, exchanging the methods' labels changes
nothing but chance. What may be exchanged is the question:

- **Whole seeds** (``permute_seeds``). Null: a method's label means nothing, whatever seeds do.
  Exchangeable also when each method's seeds differ in effect, for then the exchanged units are the
  independent ones. With S paired seeds there are 2^S patterns of signs, so p cannot be below
  2 / 2^S: 0.25 with three seeds, 0.002 with ten.
- **Cells**, seed by subject (``permute_cells``). Null: in every cell the two *models* give the same
  rates. One model differs from the next as a whole, so the cells of a seed move together; read as a
  test of *methods*, which are trained anew with another seed, it rejects far too often
  (docs/statistics.md has the measured rate). It answers whether these very models differ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from equipoise.statistics.estimate import Floats

MOST_EXACT = 10_000
"""Up to so many patterns, all are tried; beyond, so many are drawn at random."""

AT_ONCE = 2_000_000
"""Numbers in memory at a time: a file may have a seed for each of its texts."""


def permute_seeds(a: Floats, b: Floats, *, paired: bool, seed: int = 0) -> float:
    """p-value of the difference of means when whole seeds change their label.

    Args:
        a: Rates or mean scores, shape (S, O).
        b: Shape (S', O), the same subjects in the same order.
        paired: Seed i of ``a`` belongs to seed i of ``b``: each pair keeps or swaps its labels.
            Otherwise all ways to deal the seeds out to two methods are tried.
        seed: Of the patterns, where there are too many to try all.

    Returns:
        0-1, two-sided, never below one over the number of patterns. NaN where a method has one
        seed: nothing can be exchanged.
    """
    if min(len(a), len(b)) < 2:
        return math.nan
    if paired:
        return _flip((a - b).mean(axis=1), seed)
    values = np.concatenate([a.mean(axis=1), b.mean(axis=1)])
    order = np.arange(len(values))
    if math.comb(len(values), len(a)) <= MOST_EXACT:
        chosen = np.array(list(itertools.combinations(order, len(a))))
        sums = values[chosen].sum(axis=1)
    else:
        generator = np.random.default_rng(seed)
        parts = [values[: len(a)].sum(keepdims=True)]
        for rows in _portions(MOST_EXACT, len(values)):
            orders = generator.permuted(np.tile(order, (rows, 1)), axis=1)
            parts.append(values[orders[:, : len(a)]].sum(axis=1))
        sums = np.concatenate(parts)
    shuffled = sums / len(a) - (values.sum() - sums) / len(b)
    return _share(shuffled, values[: len(a)].mean() - values[len(a) :].mean())


def permute_cells(a: Floats, b: Floats, *, paired: bool, seed: int = 0) -> float:
    """p-value of the difference of means when cells, seed by subject, swap their labels.

    Args:
        a: Rates or mean scores, shape (S, O).
        b: Shape (S', O), the same subjects in the same order.
        paired: Seeds belong together; each pair of cells swaps by itself. Otherwise means over
            seeds are taken and subjects swap.
        seed: Of the patterns, where there are too many to try all.

    Returns:
        0-1, two-sided.
    """
    cells = (a - b).ravel() if paired else a.mean(axis=0) - b.mean(axis=0)
    return _flip(cells, seed)


def _flip(differences: Floats, seed: int) -> float:
    """Share of sign patterns whose sum is at least as far from 0 as the observed one."""
    n = len(differences)
    if 2**n <= MOST_EXACT:
        sums = np.array(list(itertools.product((1.0, -1.0), repeat=n))) @ differences
    else:
        generator = np.random.default_rng(seed)
        parts = [differences.sum(keepdims=True)]
        for rows in _portions(MOST_EXACT - 1, n):
            parts.append((generator.integers(2, size=(rows, n)) * 2.0 - 1) @ differences)
        sums = np.concatenate(parts)
    return _share(sums / n, differences.mean())


def _portions(rows: int, width: int) -> Iterator[int]:
    """``rows`` in portions of which each, times ``width``, is at most `AT_ONCE`, or one row."""
    most = max(1, AT_ONCE // width)
    for start in range(0, rows, most):
        yield min(most, rows - start)


def _share(shuffled: Floats, observed: float) -> float:
    """Of ``shuffled``, which has the observed pattern in it; rounding makes no difference."""
    slack = 1e-9 * max(1.0, abs(observed))
    return float((np.abs(shuffled) >= abs(observed) - slack).mean())
