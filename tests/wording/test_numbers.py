from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.numbers import (
    amount,
    counted,
    interval,
    listing,
    narrow,
    p_value,
    percent,
    percent_spread,
    plain,
    plain_interval,
    points,
)


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


@pytest.mark.parametrize(
    ("rate", "sd", "text"),
    [(0.973, 0.0123, "97.3 ± 1.2 %"), (0.973, math.nan, "97.3 %"), (0, 0, "0.0 ± 0.0 %"),
     (1 / 3000, 0.001, "<0.1 ± 0.1 %"), (math.nan, math.nan, "–")],
)  # fmt: skip
def test_a_rate_and_its_spread(rate: float, sd: float, text: str) -> None:
    assert percent_spread(rate, sd) == text


def test_numbers_of_a_terminal_can_be_read_back() -> None:
    assert [plain(-0.451), plain(3.38, 1, sign=True), plain(0, 1, sign=True), plain(math.nan)] == [
        "-0.45", "+3.4", "+0.0", "–",
    ]  # fmt: skip
    assert plain_interval(-8.04, -2.0, 1) == "-8.0 to -2.0"
    assert plain_interval(math.nan, 1) == "–"


@given(st.floats(0, 1))
def test_narrow_columns_say_the_same_in_less_room(value: float) -> None:
    for text in (p_value(value), percent(value)):
        assert narrow(text).replace("<", "< ").replace(">", "> ") == text
        assert len(narrow(percent(value))) <= len("100.0 %")
