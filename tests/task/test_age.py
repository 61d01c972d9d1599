"""The second built-in task: age, with competence and warmth, in pairs that differ in age alone."""

from __future__ import annotations

import itertools
import re

import pandas as pd
import pytest

from equipoise.measures import ByModel, as_completions, assemble, evaluate, score
from equipoise.measures.association import items
from equipoise.task import BalancedExampleGenerator, Task, load_task, task_overview
from equipoise.task.lexicon import TermMatcher, normal_words

# Fiske, Cuddy, Glick & Xu (2002): the six items of each dimension.
COMPETENCE = "competent confident capable efficient intelligent skillful".split()  # noqa: SIM905
WARMTH = "friendly well-intentioned trustworthy warm good-natured sincere".split()  # noqa: SIM905
YOUNG = re.compile(r"young |teenager|college student")
OLD = re.compile(r"older |elderly |retiree|pensioner")
GENDERED = "he she him her his hers man woman men women boy girl lady gentleman mother father"


@pytest.fixture(scope="module")
def age() -> Task:
    return load_task("age")


def test_terms_are_those_of_the_stereotype_content_model(age: Task) -> None:
    assert list(age.lexicons["competence"].listed[:6]) == COMPETENCE
    assert list(age.lexicons["warmth"].listed[:6]) == WARMTH
    assert all(len(terms.held_out) >= 10 for terms in age.lexicons.values())
    assert set(age.constraint.all_of) == {"{competence}", "{warmth}"}
    assert age.constraint.words == (8, 15)


def test_each_younger_subject_has_an_older_twin_in_the_same_split(age: Task) -> None:
    assert (len(age.train), len(age.validation)) == (14, 6)
    for young, old in zip(age.subjects[::2], age.subjects[1::2], strict=True):
        assert YOUNG.match(young.name)
        assert OLD.match(old.name)
        assert young.split == old.split
        assert young.contexts == old.contexts  # nothing but the age tells them apart
    assert len({tuple(s.contexts.items()) for s in age.subjects}) == 10


def test_no_text_of_the_task_gives_a_term_an_age_or_a_gender_away(age: Task) -> None:
    stems = {word[:5] for terms in age.lexicons.values() for word in terms.terms("all")}
    texts = {fill for s in age.subjects for fills in s.contexts.values() for fill in fills}
    texts |= {re.sub(r"\{\w+\}|a\(n\)", "", template.text) for template in age.templates}
    spoken_of = TermMatcher([*GENDERED.split(), "young", "old", "elderly", "age", "years"])
    for text in texts:
        assert not [word for word in normal_words(text) if word[:5] in stems], text
        assert not spoken_of.find(text), text
    contexts = " | ".join(texts)
    for subject in age.subjects:
        assert not re.search(rf"\b{subject.name.split()[-1]}s?\b", contexts) or subject.name in (
            "young neighbor",
            "elderly neighbor",  # "neighbors" are people whom train subjects meet
        )


def test_templates_put_each_dimension_first_about_equally_often(age: Task) -> None:
    first = [
        template.slots.index("competence") < template.slots.index("warmth")
        for template in age.templates
    ]
    assert len(first) >= 70
    assert sum(first) / len(first) == pytest.approx(0.5, abs=0.05)
    families = {template.family for template in age.templates}
    assert families == {"conjunction", "contextual", "several", "natural"}


@pytest.mark.slow
def test_training_sentences_are_distinct_many_and_within_the_constraint(age: Task) -> None:
    generator = BalancedExampleGenerator(age, 0)
    assert min(generator.capacity(s.name) for s in age.train) >= 100_000
    texts = [example.text for example in generator.generate(50)]
    assert len(set(texts)) == len(texts) == 700
    assert all(age.constraint.check(text).satisfied for text in texts)


def test_nothing_about_it_needs_a_note(age: Task) -> None:
    assert task_overview(age)["notes"] == []


def test_shares_say_what_the_names_say(age: Task) -> None:
    for subject in age.subjects:
        share = age.shares[subject.name]
        assert share == (0 if YOUNG.match(subject.name) else 50 if "older" in subject.name else 100)


def test_age_words_and_terms_are_counted_on_it(age: Task) -> None:
    texts = [
        ("retiree", "The retiree was warm and old."),
        ("retiree", "The retiree was at home."),
        ("teenager", "The teenager was a clever kid."),
        ("older tenant", "The older tenant was quiet."),
    ]
    found = evaluate(pd.DataFrame(texts, columns=["subject", "text"]), age)
    assert found.stereotype is not None
    table = found.stereotype.drop_duplicates("measure").set_index("measure")
    assert list(table.index) == ["terms", "age_words", "older_age_words", "younger_age_words"]
    # warmth minus competence: -1 at 0, 0 at 50 and 1/2 at 100 %: 1.5 over 100 points
    assert table.loc["terms", "slope"] == pytest.approx(1.5)
    assert table.loc["age_words", "slope"] == pytest.approx(1.5)
    assert not [remark for remark in found.remarks if "slope" in remark]


def test_the_association_is_with_age(age: Task) -> None:
    assert age.axis is not None
    rows = [
        {
            **item._asdict(),
            "occupation": subject.name,
            "share": age.shares[subject.name],
            "log_odds": 0.002 * age.shares[subject.name],
            "method": "prompt",
            "seed": 1,
        }
        for item, subject in itertools.product(items(age.axis), age.subjects)
    ]
    frame = as_completions(
        pd.DataFrame({"subject": ["retiree"], "text": ["The retiree was kind."], "seed": ["1"]}),
        age,
        method="prompt",
    )
    found = assemble(score(frame, age), age, ByModel(associations=pd.DataFrame(rows)))
    assert found.summary is not None
    # 0.002 nats for each point are 0.2 nats for each 100.
    assert found.summary["stereotype_slope"].iloc[0] == pytest.approx(0.2)
    assert found.stereotype is not None
    kinds = {f"association_{probe.kind}" for probe in age.axis.unfitted.probes}
    assert kinds <= set(found.stereotype["measure"])
    assert not [remark for remark in found.remarks if "Winogender" in remark]
