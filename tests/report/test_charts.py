from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.report.breakdown import Curve
from equipoise.report.charts import (
    Scale,
    curve_panel,
    round_values,
    scale_of,
    slope_chart,
    trade_off_chart,
)

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


def test_labels_of_equal_methods_do_not_cover_each_other() -> None:
    points = pd.DataFrame(
        {"method": [f"method-{i}" for i in range(8)], "balance": 0.5, "low": math.nan,
         "high": math.nan, "fluency": -2.0}
    )  # fmt: skip
    marks = trade_off_chart(points).marks
    heights = sorted(mark.label_y for mark in marks)
    assert min(np.diff(heights)) >= 14
    assert {(mark.x, mark.y) for mark in marks} == {(marks[0].x, marks[0].y)}


def test_no_label_covers_the_dot_of_another() -> None:
    points = pd.DataFrame(
        {"method": ["prompt", "filter", "ctrlg", "sft"], "balance": [0.0, 1.0, 1.0, 0.97],
         "low": math.nan, "high": math.nan, "fluency": [-3.69, -4.28, -4.48, -5.64]}
    )  # fmt: skip
    chart = trade_off_chart(points)
    for mark in chart.marks:
        for other in chart.marks:
            apart = abs(other.y - (mark.label_y - 4)) >= 11 or abs(other.x - mark.x) > 60
            assert apart, (mark.label, other.label)
        assert 0 < mark.label_y < chart.height


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
    assert mark.anchor == "end"
    assert mark.label_x == mark.x + 5  # where it ends
    assert mark.label_x - 7 * len(mark.label) > 0
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
