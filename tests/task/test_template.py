from __future__ import annotations

import subprocess
import sys
from itertools import product
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.task import Template
from equipoise.task.template import article, by_rules, hold_out, kind_of, with_articles


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ambitious", "an"),
        ("bold", "a"),
        ("honest", "an"),
        ("hour", "an"),
        ("useful", "a"),
        ("unanimous", "a"),
        ("one-way", "a"),
        ("x-ray", "an"),
        ("independent", "an"),
        ("helpful", "a"),
        ("European", "a"),
        ("8-hour", "an"),
        ("'ambitious'", "an"),
        ("élite", "an"),
        ("11-year", "an"),
        ("110", "a"),
        ("18,000", "an"),
        ("unassuming", "an"),
        ("heir", "an"),
        ("--", "a"),
    ],
)
def test_article(word: str, expected: str) -> None:
    assert article(word) == expected


@given(st.text(ascii_lowercase, min_size=1, max_size=8))
def test_the_shortcut_for_plain_words_is_the_whole_set_of_rules(word: str) -> None:
    assert article(word) == by_rules(word)


def test_the_shortcut_at_every_beginning_of_a_word() -> None:
    beginnings = ["".join(letters) for letters in product(ascii_lowercase, repeat=3)]
    words = [*beginnings, "hourly", "heirloom", "honestly", "honorary", "honourable", "houri"]
    words += ["mpeg", "unique", "once", "oncology", "onerous", "eulogy", "euler", "yttrium"]
    assert {word for word in words if article(word) != by_rules(word)} == set()


def test_the_built_in_tasks_need_no_library_for_their_articles() -> None:
    code = (
        "import sys; from equipoise import load_task, BalancedExampleGenerator as Generator\n"
        "for name in ('occupations', 'age'): Generator(load_task(name), 7).generate(2, 'train')\n"
        "sys.exit('inflect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_with_articles() -> None:
    assert with_articles("A(n) honest and a(n)  bold pa(n) x") == "An honest and a  bold pa(n) x"


def test_slots_and_kinds() -> None:
    template = Template("f", "The {subject} was {a}, {b}, {a2} and {a} with {b}.")
    assert template.slots == ("a", "b", "a2")
    assert template.kinds == {"a": ("a", "a2"), "b": ("b",)}
    assert kind_of("agentic12") == "agentic"


def test_render() -> None:
    template = Template("f", "The {subject} was a(n) {a} and a(n) {a2} {subject}, {a}.")
    assert (
        template.render("pilot", {"a": "able", "a2": "bold"})
        == "The pilot was an able and a bold pilot, able."
    )


@pytest.mark.parametrize(
    ("count", "held_out"), [(0, []), (9, []), (10, [4, 9]), (14, [4, 9]), (15, [4, 9, 14])]
)
def test_every_fifth_template_is_held_out_of_ten_or_more(count: int, held_out: list[int]) -> None:
    templates = [Template("plain", f"The {{subject}} was {number}.") for number in range(count)]
    found = hold_out(templates)
    assert [one.text for one in found] == [one.text for one in templates]
    assert [number for number, one in enumerate(found) if one.held_out] == held_out
