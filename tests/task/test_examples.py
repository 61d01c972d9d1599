from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from equipoise.errors import EquipoiseError
from equipoise.task import BalancedExampleGenerator, Task, TermMatcher, first_sentence, load_task
from equipoise.task.examples import in_turn, seeded, share, shuffle
from equipoise.task.template_matcher import TemplateMatcher

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def generator(occupations: Task) -> BalancedExampleGenerator:
    return BalancedExampleGenerator(occupations, 42)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_every_sentence_keeps_every_promise(
    generator: BalancedExampleGenerator, split: str, occupations: Task
) -> None:
    examples = list(generator.generate(150, split))  # type: ignore[arg-type]
    subjects = {"train": occupations.train, "validation": occupations.validation}[split]
    assert Counter(e.subject for e in examples) == {s.name: 150 for s in subjects}
    assert len({e.text for e in examples}) == len(examples)
    held_out = TermMatcher(t for x in occupations.lexicons.values() for t in x.held_out)
    for example in examples:
        verdict = occupations.constraint.check(example.text)
        assert verdict.satisfied
        assert verdict.hits == example.terms
        assert example.split == split
        assert not held_out.find(example.text)
        assert example.text.startswith(occupations.response_prefix(example.subject))
        assert first_sentence(example.text) == (example.text, True)
        assert occupations.templates[example.template].family == example.family
        assert not set("{}") & set(example.text)
        assert "(n)" not in example.text


@pytest.mark.parametrize("seed", [42, 123, 456])
def test_terms_are_uniform(occupations: Task, seed: int) -> None:
    """Chi-square against equal frequencies; three seeds and two sets, so level 0.001."""
    examples = list(BalancedExampleGenerator(occupations, seed).generate(200))
    for name, lexicon in occupations.lexicons.items():
        counts = Counter(term for example in examples for term in example.terms[name])
        assert set(counts) == set(lexicon.listed)
        assert chisquare(list(counts.values())).pvalue > 0.001


def test_pairs_of_terms_are_uniform(occupations: Task) -> None:
    """The terms of the two sets are drawn independently: all 100 pairs are equally frequent."""
    pairs = Counter(
        (example.terms["agentic"][0], example.terms["communal"][0])
        for example in BalancedExampleGenerator(occupations, 7).generate(400)
        if all(len(terms) == 1 for terms in example.terms.values())
    )
    assert len(pairs) == 100
    assert chisquare(list(pairs.values())).pvalue > 0.001


def test_a_term_of_several_words_is_not_drawn_less_often(write: Write) -> None:
    """Half of the contexts are too long for "good with people"; it still is a third of all."""
    people = [f"team {a}{b}" for a in "abcdefgh" for b in "abcde"]
    people += [f"the new team {a}{b}" for a in "abcdefgh" for b in "abcde"]
    plain = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]'
    path = write(('people = ["colleagues", "new members of the team"]', f"people = {people}"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[templates]")] + "[templates]\n" + plain, encoding="utf-8")
    task = load_task(path)
    counts: Counter[str] = Counter()
    for seed in range(15):
        for example in BalancedExampleGenerator(task, seed).generate_about("doctor", 40):
            counts.update(example.terms["communal"])
    assert chisquare([counts[t] for t in task.lexicons["communal"].listed]).pvalue > 0.001


def test_templates_are_used_evenly(generator: BalancedExampleGenerator, occupations: Task) -> None:
    used = Counter(e.template for e in generator.generate_about("nurse", 400))
    n = len(occupations.training_templates)
    assert set(used.values()) <= {400 // n, 400 // n + 1}
    assert len(used) == n


@pytest.mark.parametrize("name", ["occupations", "age"])
def test_no_sentence_is_of_a_held_out_template_nor_reads_like_one(name: str) -> None:
    task = load_task(name)
    unseen = task.with_held_out_templates()
    assert unseen is not None
    assert len(unseen.templates) == len(task.templates) // 5
    assert {t.family for t in unseen.templates} == {t.family for t in task.templates}
    matcher = TemplateMatcher(unseen)
    for split in ("train", "validation"):
        for example in BalancedExampleGenerator(task, 7).generate(40, split):  # type: ignore[arg-type]
            assert not task.templates[example.template].held_out
            assert not matcher.matches(example.text, example.subject), example.text
    learnt = TemplateMatcher(replace(task, templates=tuple(task.training_templates.values())))
    for example in BalancedExampleGenerator(unseen, 7).generate(40, "validation"):
        assert matcher.matches(example.text, example.subject)
        assert not learnt.matches(example.text, example.subject), example.text


def test_with_few_templates_none_is_held_out(small: Task) -> None:
    assert small.with_held_out_templates() is None
    used = {e.template for e in BalancedExampleGenerator(small, 1).generate(20)}
    assert used == set(range(len(small.templates)))


def test_same_seed_same_sentences_whatever_else_is_generated(
    occupations: Task, generator: BalancedExampleGenerator
) -> None:
    everything = list(generator.generate(12))
    again = list(BalancedExampleGenerator(occupations, 42).generate(12))
    assert everything == again
    doctor = [e for e in everything if e.subject == "doctor"]
    assert list(generator.generate_about("doctor", 12)) == doctor
    other = list(BalancedExampleGenerator(occupations, 43).generate(12))
    assert {e.text for e in other} != {e.text for e in everything}


def test_sentences_are_the_same_on_every_machine(small: Task) -> None:
    """Recorded once: a change here changes every data set that was ever published with a seed."""
    examples = BalancedExampleGenerator(small, 42).generate_about("doctor", 3)
    assert [example.text for example in examples] == [
        "The doctor was ambitious and kind with colleagues.",
        "The doctor was bold, self-reliant and good with people, 100% so.",
        "The doctor was an honest and an ambitious person with colleagues.",
    ]


def test_random_integers_are_the_same_on_every_machine() -> None:
    below = seeded(42, "doctor")
    assert [below(1000) for _ in range(5)] == [978, 608, 212, 863, 164]


def test_all_distinct_sentences_can_be_had_and_no_more(small: Task) -> None:
    generator = BalancedExampleGenerator(small, 3)
    for subject in ("doctor", "nurse"):
        capacity = generator.capacity(subject)
        texts = [e.text for e in generator.generate_about(subject, capacity)]
        assert len(set(texts)) == capacity
    with pytest.raises(EquipoiseError) as caught:
        generator.generate(34)
    assert "yields 33 distinct sentences about 'doctor', 34 are asked for" in str(caught.value)
    assert "Ask for at most 33 a subject" in str(caught.value)
    with pytest.raises(EquipoiseError, match="10,000,000 are asked for"):
        generator.generate(10_000_000)


def test_a_template_without_slots_gives_its_one_sentence(write: Write) -> None:
    plain = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]'
    fixed = 'plain = ["The {subject} was bold and kind to all here."]'
    task = load_task(write((plain, fixed)))
    texts = [e.text for e in BalancedExampleGenerator(task, 0).generate_about("pilot", 25)]
    assert texts.count("The pilot was bold and kind to all here.") == 1


@pytest.mark.parametrize("n", [0, -1])
def test_too_small_requests(small: Task, n: int) -> None:
    with pytest.raises(EquipoiseError, match="Ask for at least one"):
        BalancedExampleGenerator(small, 0).generate(n)


def test_unknown_subject(small: Task) -> None:
    with pytest.raises(EquipoiseError, match="Did you mean 'doctor'"):
        BalancedExampleGenerator(small, 0).capacity("docter")


def test_a_task_without_templates_has_no_examples(write: Write) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[templates]")], encoding="utf-8")
    with pytest.raises(EquipoiseError, match="has no templates"):
        BalancedExampleGenerator(load_task(path), 0)


@given(st.integers(0, 60), st.lists(st.integers(0, 20), max_size=8), st.integers(0, 5))
def test_share_fills_evenly(n: int, capacities: list[int], seed: int) -> None:
    shares = share(n, capacities, seeded(seed, ""))
    assert sum(shares) == min(n, sum(capacities))
    assert all(0 <= s <= c for s, c in zip(shares, capacities, strict=True))
    for (s, c), (other, _) in itertools.permutations(zip(shares, capacities, strict=True), 2):
        assert s == c or other <= s + 1  # nobody gets two more than one who could take more


def test_the_remainder_is_random() -> None:
    first = Counter(tuple(share(1, [5, 5, 5], seeded(seed, ""))) for seed in range(3000))
    assert chisquare(list(first.values())).pvalue > 0.001
    assert len(first) == 3


def test_shuffle_is_uniform() -> None:
    orders: Counter[tuple[int, ...]] = Counter()
    below = seeded(0, "")
    for _ in range(6000):
        items = [0, 1, 2]
        shuffle(items, below)
        orders[tuple(items)] += 1
    assert len(orders) == 6
    assert chisquare(list(orders.values())).pvalue > 0.001


def test_in_turn_takes_from_others_what_one_owes() -> None:
    sources = [iter("a"), iter("uvwxyz"), iter("")]
    found = list(in_turn([0, 1, 0, 2, 0], sources, seeded(0, "")))
    assert found == [(0, "a"), (1, "u"), (1, "v"), (1, "w"), (1, "x")]
    assert len(list(in_turn([0] * 9, [iter("ab"), iter("cd")], seeded(0, "")))) == 4
