from __future__ import annotations

import pytest

from equipoise.task import Template
from equipoise.task.template import article, hold_out, kind_of, with_articles


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
