from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.visible import (
    DIRECTION,
    MOST_CHARACTERS,
    printable,
    quoted,
    shown,
    visible,
    well_formed,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The nurse was bold.", "The nurse was bold."),
        ("café – 中 – Ω", "café – 中 – Ω"),
        ("a\tb\nc\r\nd", "a b c  d"),
        ("abc\u202ecba", "abc⟨U+202E⟩cba"),
        ("\ud800", "⟨U+D800⟩"),
        ("\x00\x1b[31m", "⟨U+0000⟩⟨U+001B⟩[31m"),
        ("a\u2028b", "a⟨U+2028⟩b"),
        ("👩\u200d🚒", "👩\u200d🚒"),  # a joiner inside an emoji
    ],
)
def test_what_nobody_can_see_is_written_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text(alphabet=st.characters(categories=None)))
def test_any_text_becomes_one_line_of_valid_utf8(text: str) -> None:
    told = visible(text)
    told.encode()  # no lone surrogate
    assert len(told.splitlines()) <= 1
    assert DIRECTION.isdisjoint(told)
    assert visible(told) == told


def test_a_long_text_is_cut_and_says_so() -> None:
    told = shown("x" * 1_000_000)
    assert told == "x" * MOST_CHARACTERS + " … (1,000,000 characters in all)"
    assert shown("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS


def test_plain_data_can_be_written_as_json() -> None:
    value = {"a\ud800": ["\u202e", {"b": 1.5, "c": None}], "d": True}
    found = well_formed(value)
    assert found == {"a⟨U+D800⟩": ["⟨U+202E⟩", {"b": 1.5, "c": None}], "d": True}
    json.dumps(found, ensure_ascii=False).encode()


@given(st.text(alphabet=st.characters(categories=None) | st.sampled_from("\x1b\n\u202e\u200b")))
def test_a_terminal_gets_a_character_for_a_character_and_nothing_that_moves_it(text: str) -> None:
    told = printable(text)
    assert len(told) == len(text)
    assert len(told.splitlines()) <= 1
    assert visible(told) == told  # nothing that would have to be written out
    assert all(new in (old, "?") for new, old in zip(told, text, strict=True))


def test_joiners_belong_to_words() -> None:
    assert printable("می\u200cروم – ümläut 你好") == "می\u200cروم – ümläut 你好"


@given(st.lists(st.text(alphabet=st.characters(categories=None)), max_size=8))
def test_quoted_names_are_one_short_line(names: list[str]) -> None:
    told = quoted(names, 3)
    assert len(told.splitlines()) <= 1
    assert DIRECTION.isdisjoint(told)
    assert quoted([name[:9] for name in names], 99) == ", ".join(repr(n[:9]) for n in names)
