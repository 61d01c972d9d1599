from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.report.breakdown import Curve
from equipoise.report.charts import (
    Mark,
    Scale,
    curve_panel,
    round_values,
    scale_of,
    slope_chart,
    trade_off_chart,
)
from equipoise.report.labels import CHARACTER

NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(NUMBERS, NUMBERS, st.integers(2, 8))
def test_ticks_are_round_and_within(a: float, b: float, count: int) -> None:
    low, high = sorted((a, b))
    if high - low < 1e-6 * max(1.0, abs(high)):
        return
    values = round_values(low, high, count)
    assert 1 <= len(values) <= 2.5 * count + 1
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert all(low - slack <= value <= high + slack for value in values)
    assert np.allclose(np.diff(values), np.diff(values)[:1])


@given(st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), max_size=5), st.booleans())
def test_a_scale_holds_every_value_whatever_they_are(values: list[float], zero: bool) -> None:
    scale = scale_of(values, 0, 100, zero=zero)
    assert scale.low < scale.high
    assert all(scale.low <= value <= scale.high for value in values if not math.isnan(value))
    assert not zero or scale.low <= 0 <= scale.high


def test_a_scale_may_run_upwards() -> None:
    scale = Scale(0, 10, 100, 0)
    assert (scale(0), scale(5), scale(10), scale(99)) == (100, 50, 0, 0)


def marks_of(balance: list[float], fluency: list[float]) -> tuple[Mark, ...]:
    """Marks of methods without intervals."""
    points = pd.DataFrame(
        {"method": [f"method-{i}" for i in range(len(balance))], "balance": balance,
         "low": math.nan, "high": math.nan, "fluency": fluency}
    )  # fmt: skip
    return trade_off_chart(points).marks


def box(mark: Mark) -> tuple[float, float, float, float]:
    """What a label covers."""
    assert mark.place is not None
    extent = CHARACTER * len(mark.label)
    left = mark.place.x - (extent if mark.place.anchor == "end" else 0)
    return left, mark.place.y - 11, left + extent, mark.place.y + 3


REAL = (
    [0.0, 0.867, 0.0, 0.007, 0.059, 0.856, 0.856, 0.06, 0.825, 0.0, 0.988],
    [-3.69, -5.35, -3.6, -4.1, -3.29, -5.39, -5.28, -4.88, -5.22, -3.6, -5.48],
)
"""Eleven methods of a real study."""


@pytest.mark.parametrize(
    ("balance", "fluency"),
    [([0.5] * 8, [-2.0] * 8), ([0.0, 1.0, 1.0, 0.97], [-3.69, -4.28, -4.48, -5.64]), REAL],
)
def test_labels_cover_neither_each_other_nor_a_dot(
    balance: list[float], fluency: list[float]
) -> None:
    marks = marks_of(balance, fluency)
    for mark in marks:
        left, top, right, bottom = box(mark)
        assert left >= 0
        assert right <= 440
        for other in marks:
            assert not (left < other.x < right and top < other.y < bottom), (mark, other)
            if other is not mark:
                a, b, c, d = box(other)
                assert not (left < c and a < right and top < d and b < bottom), (mark, other)


def test_a_label_that_is_not_beside_its_dot_is_tied_to_it() -> None:
    for mark in marks_of([0.5] * 8, [-2.0] * 8):
        assert mark.place is not None
        if abs(mark.place.y - 4 - mark.y) > 20:
            assert mark.place.leader is not None
            assert mark.place.leader[1] == mark.y


def test_labels_at_the_right_edge_turn_left() -> None:
    points = pd.DataFrame(
        {
            "method": ["a-long-label"],
            "balance": [1.0],
            "low": [0.9],
            "high": [1.0],
            "fluency": [-2.0],
        }
    )
    [mark] = trade_off_chart(points).marks
    assert mark.place is not None
    assert mark.place.anchor == "end"
    assert mark.place.x == mark.x + 5  # where it ends
    assert mark.place.leader is None
    assert mark.low is not None
    assert mark.low < mark.x


def test_slopes_stand_in_their_own_rows() -> None:
    rows = pd.DataFrame(
        {"method": ["a", "b"], "slope": [2.0, -1.0], "low": [1.0, math.nan],
         "high": [3.0, math.nan], "seeds": [[1.9, 2.1], []]}
    )  # fmt: skip
    chart = slope_chart(rows)
    first, second = chart.marks
    assert first.y < second.y
    assert second.x < chart.x(0) < first.x
    assert (second.low, second.seeds) == (None, ())


def test_a_panel_has_a_path_a_seed() -> None:
    steps, values = np.array([0.0, 10.0]), np.array([4.0, 1.0])
    curves = [Curve("sft", seed, "loss", steps, values, ((10.0, 2.0),)) for seed in (1, 2)]
    panel = curve_panel(curves)
    assert [seed for seed, _ in panel.paths] == [1, 2]
    assert panel.paths[0][1] == f"M{panel.x(0)} {panel.y(4)}L{panel.x(10)} {panel.y(1)}"
    assert len(panel.held_out) == 2


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e9])
def test_a_flat_curve_is_drawn(value: float) -> None:
    curve = Curve("sft", 1, "loss", np.array([1.0, 2.0]), np.array([value, value]))
    assert "nan" not in curve_panel([curve]).paths[0][1]
