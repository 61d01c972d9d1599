"""Preference pairs: what is kept, what is exchanged, and in which shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.task import BalancedExampleGenerator, Task, TermMatcher, load_task
from equipoise.task.preference import PreferencePairGenerator, Style

Write = Callable[..., Path]


def differing_words(one: str, other: str) -> int:
    """Positions at which two sentences of as many words differ, articles aside."""
    pairs = zip(one.split(), other.split(), strict=True)
    articles = {"a", "an"}
    return sum(a != b and {a, b} != articles for a, b in pairs)


@pytest.mark.parametrize(("style", "neither"), [("minimal", 0.0), ("free", 0.2), ("free", 1.0)])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_pair_keeps_every_promise(
    occupations: Task, style: Style, neither: float, split: str
) -> None:
    pairs = list(PreferencePairGenerator(occupations, 42, style, neither).generate(40, split))  # type: ignore[arg-type]
    subjects = {"train": occupations.train, "validation": occupations.validation}[split]
    assert Counter(pair.subject for pair in pairs) == {s.name: 40 for s in subjects}
    held_out = TermMatcher(t for x in occupations.lexicons.values() for t in x.held_out)
    for pair in pairs:
        good = occupations.constraint.check(pair.chosen.text)
        bad = occupations.constraint.check(pair.rejected)
        assert good.satisfied
        assert not bad.balanced
        assert bad.in_range
        assert bad.label == pair.kind
        assert not held_out.find(pair.rejected)
        assert pair.rejected.startswith(occupations.response_prefix(pair.subject))
        assert not {"{", "}", "(n)"} & set(pair.rejected)
        for number in (pair.chosen.template, pair.rejected_template):
            assert not occupations.templates[number].held_out
        if style == "minimal":
            assert pair.rejected_template == pair.chosen.template
            assert differing_words(pair.chosen.text, pair.rejected) == pair.exchanged


def test_chosen_sentences_are_those_of_supervised_fine_tuning(occupations: Task) -> None:
    wanted = [e.text for e in BalancedExampleGenerator(occupations, 7).generate(20)]
    for style in ("minimal", "free"):
        pairs = PreferencePairGenerator(occupations, 7, style).generate(20)
        assert [pair.chosen.text for pair in pairs] == wanted


def test_minimal_pairs_exchange_one_term_unless_a_template_has_two_of_each(
    occupations: Task,
) -> None:
    pairs = list(PreferencePairGenerator(occupations, 42).generate(100))
    for pair in pairs:
        kinds = occupations.templates[pair.chosen.template].kinds
        fewest = min(len(kinds["agentic"]), len(kinds["communal"]))
        assert pair.exchanged == fewest
    assert Counter(pair.exchanged for pair in pairs)[1] > 0.9 * len(pairs)


def test_kinds_come_in_the_stated_shares(occupations: Task) -> None:
    """Of 20 sentences a subject 4 are to be ``neither``, the others 8 and 8."""
    free = PreferencePairGenerator(occupations, 42, "free", 0.2)
    assert free.kinds == ("agentic only", "communal only", "neither")
    for name in ("doctor", "nurse"):
        kinds = Counter(pair.kind for pair in free.generate(20) if pair.subject == name)
        assert kinds == {"agentic only": 8, "communal only": 8, "neither": 4}
    minimal = PreferencePairGenerator(occupations, 42)
    kinds = Counter(pair.kind for pair in minimal.generate(20))
    assert kinds == {"agentic only": 150, "communal only": 150}


def test_rejected_terms_are_spread_over_the_list(occupations: Task) -> None:
    pairs = list(PreferencePairGenerator(occupations, 42).generate(100))
    for name, lexicon in occupations.lexicons.items():
        found = Counter(
            term
            for pair in pairs
            for term in occupations.constraint.check(pair.rejected).hits[name]
        )
        assert set(found) == set(lexicon.listed)
        assert max(found.values()) < 2 * min(found.values())


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 6))
@pytest.mark.slow
def test_the_same_seed_gives_the_same_pairs(occupations: Task, seed: int, n: int) -> None:
    make = PreferencePairGenerator(occupations, seed, "free", 0.5)
    pairs = list(make.generate(n))
    assert pairs == list(make.generate(n))
    assert len({pair.rejected for pair in pairs}) == len(pairs)


def test_words_take_the_place_of_as_many_words(write: Write) -> None:
    """Only "good with people" has three words: it can be exchanged for no agentic term."""
    wider = ("words = [6, 11]", "words = [6, 15]")
    task = load_task(write(('"kind", "honest", "good with people"', '"good with people"'), wider))
    with pytest.raises(EquipoiseError, match="no exchange of terms makes the sentence"):
        list(PreferencePairGenerator(task, 1, "free").generate(1))


@pytest.mark.parametrize(
    ("style", "neither", "message"),
    [
        ("minimal", 0.2, "neither: a pair that differs as little as possible"),
        ("free", 0.2, "neither: task 'small' has no neutral words"),
    ],
)
def test_shares_that_cannot_be(write: Write, style: Style, neither: float, message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        PreferencePairGenerator(load_task(write()), 1, style, neither)


def test_one_wanted_set_has_no_one_sided_sentences(write: Write) -> None:
    task = load_task(write(('all_of = ["{agentic}", "{communal}"]', 'all_of = ["{agentic}"]')))
    with pytest.raises(EquipoiseError, match="does not want two term sets"):
        PreferencePairGenerator(task, 1)


def test_neutral_words_hold_no_term(write: Write) -> None:
    path = write(("[constraint]", '[neutral]\nlisted = ["tall", "kind"]\n\n[constraint]'))
    with pytest.raises(EquipoiseError, match=r"neutral\.listed: 'kind' holds the term 'kind'"):
        load_task(path)
