"""Numbering and counting of fill-ins against rendering every one of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.task import BalancedExampleGenerator, Task, count_words, load_task
from equipoise.task.capacity import always_valid, may_read_alike
from equipoise.task.filling import Filling, arrangements, options, sentence_lengths, unrank

Write = Callable[..., Path]
PLAIN = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]'


def brute_force(task: Task, subject: str) -> list[str]:
    """Every sentence that the templates can make, by rendering all combinations of fill-ins."""
    about, texts = task.subject(subject), []
    for template in task.templates:
        pools = [
            itertools.permutations(options(task, about, kind), len(slots))
            for kind, slots in template.kinds.items()
        ]
        slots = [slot for group in template.kinds.values() for slot in group]
        for choice in itertools.product(*pools):
            values = dict(zip(slots, itertools.chain(*choice), strict=True))
            texts.append(template.render(subject, values))
    return texts


@pytest.mark.parametrize(("fill_ins", "slots"), [(1, 1), (4, 1), (4, 2), (5, 3), (3, 3)])
def test_unrank_gives_every_arrangement_once(fill_ins: int, slots: int) -> None:
    expected = set(itertools.permutations(range(fill_ins), slots))
    numbered = [tuple(unrank(i, fill_ins, slots)) for i in range(len(expected))]
    assert set(numbered) == expected
    assert len(set(numbered)) == len(numbered)


@given(st.lists(st.sampled_from(["a", "b c", "d e", "f g h"]), unique=True), st.integers(1, 3))
def test_arrangements_equal_going_through_them(fill_ins: list[str], slots: int) -> None:
    expected = Counter(
        sum(map(count_words, choice)) - slots for choice in itertools.permutations(fill_ins, slots)
    )
    assert dict(arrangements(tuple(fill_ins), slots)) == dict(expected)


WEIRD = (
    "The {subject} was {agentic}-minded – {communal}, a(n) {agentic}; 5% {people}/{people2}!",
    "The {subject} was a(n) '{communal}' {subject}, a(n) {agentic3} {agentic2} and a(n) {agentic}.",
    "The {subject} was {communal} and {agentic}.",
)


def test_filling_equals_brute_force(write: Write) -> None:
    more = ('people = ["patients"]', 'people = ["patients", "an old – or young – man"]')
    task = load_task(write((PLAIN, f"plain = {list(WEIRD)!r}"), ("[6, 11]", "[5, 17]"), more))
    for subject in task.subjects:
        texts = []
        for template in task.templates:
            filling = Filling(task, template, subject)
            every = [filling.render(filling.choose(i)) for i in range(filling.size)]
            texts += every
            lengths = Counter(map(count_words, every))
            assert dict(sentence_lengths(task, template, subject)) == dict(lengths)
            assert filling.in_range == sum(5 <= count_words(text) <= 17 for text in every)
            assert [every[i] for i in filling.valid()] == [
                text for text in every if 5 <= count_words(text) <= 17
            ]
        assert Counter(texts) == Counter(brute_force(task, subject.name))


def valid_texts(task: Task, subject: str) -> set[str]:
    held_out = {t for lexicon in task.lexicons.values() for t in lexicon.held_out}
    return {
        text
        for text in brute_force(task, subject)
        if task.constraint.check(text).satisfied
        and not any(f" {t} " in f" {text.replace('.', ' ')} " for t in held_out)
    }


def test_capacity_by_hand(small: Task) -> None:
    """About the doctor, in 6 to 11 words.

    plain: 8 words and what is beyond one of the fill-ins: 3 agentic x (2 communal x colleagues, or
    "good with people" x colleagues) = 9. several: 3 x 2 x 3 = 18, of 9 or 11 words. natural: 11
    words with single-word fill-ins only: 2 x 3 x 1 = 6.
    """
    generator = BalancedExampleGenerator(small, 0)
    assert generator.capacity("doctor") == 9 + 18 + 6
    assert len(valid_texts(small, "doctor")) == 33


AMBIGUOUS = {
    "no collision": ("The {subject} was {agentic} and {communal} to all.",),
    "same words by two routes": (
        "The {subject} was {agentic} and {communal} to {people}.",
        "The {subject} was {agentic} and {communal} to new members of the team.",
    ),
    "glued": ("The {subject} was {agentic} and {communal} to{people} x.",),
    "sometimes held out": ("The {subject} was {agentic} and {communal} to {people} charge.",),
    "crossing": ("The {subject} was {agentic} and {communal}, takes {people}.",),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_capacity_equals_brute_force(case: str, write: Write) -> None:
    people = '["colleagues", "charge nurses", "charge", "those one takes"]'
    path = write(
        (PLAIN, f"plain = {list(AMBIGUOUS[case])!r}"),
        ('["patients"]', people),
        ("[6, 11]", "[6, 13]"),
    )
    task = load_task(path)
    generator = BalancedExampleGenerator(task, 1)
    for subject in ("doctor", "nurse"):
        expected = valid_texts(task, subject)
        assert generator.capacity(subject) == len(expected)
        examples = list(generator.generate_about(subject, len(expected)))
        assert {e.text for e in examples} == expected


@given(
    st.lists(
        st.lists(
            st.lists(st.text("ab", max_size=2), min_size=1, max_size=3, unique=True).map(tuple),
            max_size=3,
        ),
        max_size=3,
    )
)
def test_may_read_alike_equals_brute_force(sentences: list[list[tuple[str, ...]]]) -> None:
    readings = Counter("".join(choice) for s in sentences for choice in itertools.product(*s))
    assert may_read_alike(sentences) == any(count > 1 for count in readings.values())


def test_proofs_hold_for_the_builtin_task(occupations: Task) -> None:
    """Counting by length is exact there, so capacity is found without going through sentences."""
    for subject in occupations.subjects[:3]:
        assert all(always_valid(occupations, t, subject) for t in occupations.templates)
        pieces = [Filling(occupations, t, subject).pieces for t in occupations.templates]
        assert not may_read_alike(pieces)


def test_builtin_capacity_equals_brute_force_on_some_templates(occupations: Task) -> None:
    subject = occupations.subject("nurse")
    for template in occupations.templates[::15]:
        filling = Filling(occupations, template, subject)
        texts = {filling.render(filling.choose(i)) for i in filling.valid()}
        assert len(texts) == filling.in_range
        assert all(occupations.constraint.check(text).satisfied for text in list(texts)[::7])
