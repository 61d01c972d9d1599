"""Kendall's tau-b by hand, its interval by its formula and by simulation, and who swapped."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.board.agreement import agreements, interval, ranks

NOTHING = math.nan


def two(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["method", "A", "B"]).set_index("method")


def test_one_swap_of_six_pairs() -> None:
    (found,) = agreements("x", two(("a", 1, 1), ("b", 2, 3), ("c", 3, 2), ("d", 4, 4)))
    assert found.tau == pytest.approx((5 - 1) / 6)
    assert (found.methods, found.pairs, found.swapped) == (4, 6, (("c", "b"),))
    assert math.isnan(found.low), "four methods are too few for an interval"
    assert math.isnan(found.high)


def test_pairs_that_are_level() -> None:
    """Four pairs agree, one is level in A, one in B: 4 / sqrt(5 * 5)."""
    (found,) = agreements("x", two(("a", 1, 1), ("b", 1, 2), ("c", 2, 3), ("d", 3, 3)))
    assert found.tau == pytest.approx(0.8)
    assert found.swapped == ()


def test_what_one_run_lacks_is_left_out() -> None:
    (found,) = agreements("x", two(("a", 1, 2), ("b", 2, 1), ("c", NOTHING, 9), ("d", 9, NOTHING)))
    assert (found.methods, found.tau, found.swapped) == (2, -1, (("b", "a"),))
    (level,) = agreements("x", two(("a", 1, 2), ("b", 1, 1)))
    assert math.isnan(level.tau)
    assert level.swapped == ()
    (alone,) = agreements("x", two(("a", 1, 2), ("b", NOTHING, 1)))
    assert (alone.methods, alone.pairs) == (1, 0)
    assert math.isnan(alone.tau)


def test_infinity_is_the_worst_and_can_be_ranked() -> None:
    (found,) = agreements("x", two(("a", -math.inf, 1), ("b", 2, 2), ("c", 3, 3)))
    assert found.tau == 1


def test_three_runs_are_three_pairs() -> None:
    goods = pd.DataFrame({"A": [1, 2], "B": [2, 1], "C": [1, 2]}, index=["a", "b"])
    found = agreements("x", goods)
    assert [(one.one, one.other, one.tau) for one in found] == [
        ("A", "B", -1), ("A", "C", 1), ("B", "C", -1),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_against_the_definition(points: list[tuple[int, int]]) -> None:
    (found,) = agreements("x", two(*((f"m{i}", *point) for i, point in enumerate(points))))
    pairs = list(combinations(points, 2))
    products = [(a - c) * (b - d) for (a, b), (c, d) in pairs]
    loose = [sum(one[i] != other[i] for one, other in pairs) for i in (0, 1)]
    assert len(found.swapped) == sum(product < 0 for product in products)
    if 0 in loose:
        assert math.isnan(found.tau)
    else:
        assert found.tau == pytest.approx(np.sign(products).sum() / math.sqrt(loose[0] * loose[1]))


def test_the_interval_by_hand() -> None:
    """atanh(0.6) = 0.6931, and 1.96 * sqrt(0.437 / 10) = 0.4097."""
    assert interval(0.6, 14) == pytest.approx((0.2761, 0.8015), abs=2e-4)


@pytest.mark.parametrize(("tau", "methods"), [(0.6, 9), (0.81, 30), (-1.0, 30), (NOTHING, 30)])
def test_where_no_interval_can_be_told(tau: float, methods: int) -> None:
    assert all(map(math.isnan, interval(tau, methods)))


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """Normal pairs with a tau of 0.5; 500 simulations have a standard error of one point."""
    correlation, random, held = math.sin(math.pi * 0.5 / 2), np.random.default_rng(1), 0
    for _ in range(500):
        one = random.standard_normal(12)
        other = correlation * one + math.sqrt(1 - correlation**2) * random.standard_normal(12)
        (found,) = agreements("x", pd.DataFrame({"A": one, "B": other}))
        low, high = (found.low, found.high) if found.low == found.low else (found.tau, 1)
        held += low <= 0.5 <= high
    assert 0.92 < held / 500 < 0.98


def test_ranks() -> None:
    found = ranks(two(("a", 1, 5), ("b", 3, 5), ("c", 2, 1), ("d", 9, NOTHING)))
    assert found.to_dict("index") == {
        "a": {"A": 3, "B": 1}, "b": {"A": 1, "B": 1}, "c": {"A": 2, "B": 3},
    }  # fmt: skip
