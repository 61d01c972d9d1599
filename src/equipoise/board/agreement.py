"""Whether two runs rank their methods alike: Kendall's tau-b, and what changed places.

tau-b is the share of pairs of methods in the same order less that of pairs in the other, with pairs
that are level in one of the runs taken account of (Kendall 1945). Its interval is that of Fieller,
Hartley and Pearson (1957, Biometrika 44): atanh(tau) has a variance of about 0.437 / (n - 4). A
bootstrap over methods would draw methods twice, which are then level with themselves, and pull tau
towards what no two runs of single methods can give.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

FEWEST, STRONGEST = 10, 0.8
"""Methods, at least, for an interval, and the size of a tau, at most. Beyond either it is too short
(Bonett and Wright 2000, Psychometrika 65, of tau without ties)."""

CONFIDENCE = 0.95
"""Of the intervals."""

VARIANCE = 0.437
"""Of atanh(tau), times n - 4."""


@dataclass(frozen=True)
class Agreement:
    """How far two runs agree in the order of their methods by one headline.

    Attributes:
        headline: Its name.
        one: Name of a run.
        other: Name of another.
        methods: How many both have a value of.
        tau: Kendall's tau-b, -1 to 1; NaN where fewer than two methods are ranked or all are level.
        low: Lower end of its 95 % interval; NaN where that cannot be told, see `interval`.
        high: Upper end.
        swapped: Pairs of methods, the one that is better in ``one`` first, that stand the other way
            round in ``other``.
    """

    headline: str
    one: str
    other: str
    methods: int
    tau: float
    low: float
    high: float
    swapped: tuple[tuple[str, str], ...]

    @property
    def pairs(self) -> int:
        """How many pairs of methods there are."""
        return math.comb(self.methods, 2)


def agreements(headline: str, goods: pd.DataFrame) -> list[Agreement]:
    """How far each two runs agree.

    Args:
        headline: Its name.
        goods: A row a method, a column a run: values of which more is better, NaN where unknown.
    """
    return [_agreement(headline, goods[[one, other]]) for one, other in combinations(goods, 2)]


def _agreement(headline: str, goods: pd.DataFrame) -> Agreement:
    both = goods.dropna()
    one, other = map(str, goods.columns)
    first, second = (both[name].to_numpy(dtype=float) for name in goods.columns)
    level = len(both) < 2 or len(set(first)) < 2 or len(set(second)) < 2
    tau = math.nan if level else float(kendalltau(first, second).statistic)
    swapped = tuple(_swapped([str(name) for name in both.index], first, second))
    return Agreement(headline, one, other, len(both), tau, *interval(tau, len(both)), swapped)


def _swapped(names: list[str], first: np.ndarray, second: np.ndarray) -> Iterable[tuple[str, str]]:
    for i, j in combinations(range(len(names)), 2):
        before, after = np.sign(first[i] - first[j]), np.sign(second[i] - second[j])
        if before * after < 0:
            yield (names[i], names[j]) if before > 0 else (names[j], names[i])


def interval(tau: float, methods: int) -> tuple[float, float]:
    """The 95 % interval of a tau over ``methods`` methods.

    NaN of fewer than `FEWEST` methods, and of a tau beyond `STRONGEST` in size.
    """
    if math.isnan(tau) or abs(tau) > STRONGEST or methods < FEWEST:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    half = z * math.sqrt(VARIANCE / (methods - 4))
    middle = math.atanh(tau)
    return math.tanh(middle - half), math.tanh(middle + half)


def ranks(goods: pd.DataFrame) -> pd.DataFrame:
    """Ranks of the methods that every run has a value of, 1 the best, those that are level alike.

    Args:
        goods: As for `agreements`.
    """
    return goods.dropna().rank(ascending=False, method="min").astype(int)
