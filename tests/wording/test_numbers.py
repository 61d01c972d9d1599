from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.numbers import amount, counted, interval, listing, p_value, percent, points


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0.0 %"), (1, "100.0 %"), (0.9664, "96.6 %"), (1 / 3000, "< 0.1 %"),
     (2999 / 3000, "> 99.9 %"), (math.nan, "–")],
)  # fmt: skip
def test_percent(rate: float, text: str) -> None:
    assert percent(rate) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_only_0_and_1_are_shown_as_0_and_100(rate: float) -> None:
    assert percent(rate) not in ("0.0 %", "100.0 %")
    assert percent(rate, 0) not in ("0 %", "100 %")


def test_intervals_and_differences_have_true_minus_signs() -> None:
    assert interval(-0.05, 0.123) == "−5.0 to 12.3"
    assert interval(math.nan, 0.1) == ""
    assert points(-0.034) == "−3.4"
    assert points(0.9633) == "+96.3"
    assert points(-0.0001) == "0.0"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0499, "0.050"), (0.00099, "< 0.001"), (0, "< 0.001"), (1, "1.000"), (0.9997, "> 0.999"),
     (math.nan, "–")],
)  # fmt: skip
def test_p_value(p: float, text: str) -> None:
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12168, "12,168"), (264.67, "265"), (7.2297, "7.23"), (-1.504, "−1.5"), (0, "0"),
     (math.inf, "∞"), (math.nan, "–")],
)  # fmt: skip
def test_amount(value: float, text: str) -> None:
    assert amount(value) == text


def test_words() -> None:
    assert [listing(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert (counted(1, "seed"), counted(3000, "seed")) == ("1 seed", "3,000 seeds")
