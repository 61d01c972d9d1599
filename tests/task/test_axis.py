"""The axis of a task: read as written, refused when wrong, and walled against what is measured."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.measures.association import items
from equipoise.methods.erasure.words import subject_shares
from equipoise.methods.registry import build_method
from equipoise.methods.sft import SFT
from equipoise.task import Axis, Task, builtin_tasks, load_task
from equipoise.task.axis import Probe
from equipoise.task.counterfactual import write_counterfactuals
from equipoise.task.lexicon import normal_words

from .conftest import assert_refused

Write = Callable[..., Path]


def axis_of(task: Task) -> Axis:
    assert task.axis is not None
    return task.axis


def test_it_is_read_as_written(small: Task) -> None:
    axis = axis_of(small)
    assert (axis.name, axis.poles, axis.share) == ("gender", ("masculine", "feminine"), "women")
    assert axis.terms == ("agentic", "communal")
    assert axis.words == {"pronouns": (("he", "him"), ("she", "her"))}
    assert small.shares == axis.shares == {"doctor": 37.9}
    assert axis.fitted.subjects == ("welder", "clerk")
    assert axis.fitted.probes == (
        Probe(
            "pronouns", ("The {subject} said that", "When the {subject} left,"), (("he", "she"),)
        ),
    )
    assert [pair.words for pair in axis.fitted.pairs] == [("man", "woman"), ("king", "queen")]
    assert axis.fitted.pairs[0].contexts == axis.fitted.contexts["noun"]
    assert axis.unfitted.contexts == ("The {subject} told us that",)
    assert axis.unfitted.probes[0].pairs == (("James", "Jessica"),)


def test_words_go_by_the_names_of_the_poles_not_by_their_order(write: Write) -> None:
    found = load_task(
        write(
            ('masculine = ["he", "him"]\nfeminine = ["she", "her"]', 'feminine = ["she"]\n'
             'masculine = ["he"]')
        )
    )  # fmt: skip
    assert axis_of(found).words == {"pronouns": (("he",), ("she",))}


def test_shares_stand_in_the_order_of_the_subjects(write: Write) -> None:
    found = load_task(write(("doctor = 37.9", "nurse = 90\npilot = 6\ndoctor = 38")))
    assert list(found.shares.items()) == [("doctor", 38.0), ("pilot", 6.0), ("nurse", 90.0)]


def test_a_task_needs_no_axis(write: Write) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text[: text.index("[axis]")] + text[text.index("[templates]") :], encoding="utf-8"
    )
    task = load_task(path)
    assert task.axis is None
    assert task.shares == {}


def test_an_axis_needs_little(write: Write) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    few = '[axis]\nname = "age"\npoles = ["young", "old"]\nshare = "pensioners"\n'
    path.write_text(
        text[: text.index("[axis]")] + few + text[text.index("[templates]") :], encoding="utf-8"
    )
    assert axis_of(load_task(path)) == Axis("age", ("young", "old"), "pensioners")


def test_held_out_terms_in_the_place_of_listed_ones_keep_the_axis() -> None:
    task = load_task("occupations")
    swapped = task.with_held_out_terms()
    assert swapped is not None
    assert swapped.axis is task.axis


POLES = 'poles = ["masculine", "feminine"]'
SAID = '"The {subject} said that", "When the {subject} left,"'
TOLD = 'contexts = ["The {subject} told us that"]'
CALLED = 'contexts = ["The {subject} was called"]'
THOUGHT = '"The {word} thought that"'
NAMES = 'pairs = [["James", "Jessica"]]'
HE = 'pairs = [["he", "she"]]'
MAN = '["man", "woman"]'

BAD = {
    "unknown setting": (
        ('share = "women"', 'share = "women"\npole = 1'),
        "axis.pole",
        "Did you mean 'poles'?",
    ),
    "setting of a probe": (
        (HE, HE + "\npair = []"),
        "axis.fitted.probes.0.pair",
        "Did you mean 'pairs'?",
    ),
    "no share": (('share = "women"', ""), "axis.share", "missing"),
    "share that is no phrase": (
        ('share = "women"', 'share = "<b>"'),
        "axis.share",
        "no plain phrase",
    ),
    "one pole": ((POLES, 'poles = ["masculine"]'), "axis.poles.1", "missing"),
    "the same pole": ((POLES, 'poles = ["masculine", "Masculine"]'), "axis.", "masculine"),
    "no such terms": (
        ('terms = ["agentic", "communal"]', 'terms = ["agentic", "comunal"]'),
        "axis.terms",
        "Did you mean 'communal'?",
    ),
    "one set at both poles": (
        ('terms = ["agentic", "communal"]', 'terms = ["agentic", "agentic"]'),
        "axis.terms",
        "'agentic' stands at both poles",
    ),
    "words of no pole": (
        ('feminine = ["she", "her"]', 'feminin = ["she", "her"]'),
        "axis.words.pronouns.feminin",
        "Did you mean 'feminine'?",
    ),
    "words of one pole": (
        ('feminine = ["she", "her"]', ""),
        "axis.words.pronouns.feminine",
        "missing. Both poles need words.",
    ),
    "a word of both poles": (
        ('feminine = ["she", "her"]', 'feminine = ["she", "Him"]'),
        "axis.words.pronouns",
        "'Him' is of both poles",
    ),
    "a counted word in every sentence": (
        ('feminine = ["she", "her"]', 'feminine = ["she", "nurse"]'),
        "axis.words.pronouns",
        "every sentence about 'nurse' starts with 'The nurse was'",
    ),
    "words named like another measure": (
        ("[axis.words.pronouns]", "[axis.words.agency]"),
        "axis.words.agency",
        "'agency' is another measure",
    ),
    "share of nobody": (
        ("doctor = 37.9", "nurs = 37.9"),
        "axis.shares.nurs",
        "is no subject of this task. Did you mean 'nurse'?",
    ),
    "context without a slot": (
        (CALLED, 'contexts = ["She was called"]'),
        "axis.unfitted.probes.0.contexts",
        "does not have {subject} once",
    ),
    "context with another slot": (
        (TOLD, 'contexts = ["The {subject} told {people} that"]'),
        "axis.unfitted.contexts",
        "holds a brace besides its slot",
    ),
    "context that ends in a space": (
        (CALLED, 'contexts = ["The {subject} was "]'),
        "axis.unfitted.probes.0.contexts.0",
        "spaces at an end",
    ),
    "sentence that begins with its word": (
        (THOUGHT, '"{word} thought that"'),
        "axis.fitted.contexts.noun",
        "with other words before and after it",
    ),
    "context twice": (
        (SAID, '"The {subject} said that", "The {subject} said that"'),
        "axis.fitted.probes.0.contexts",
        "stands at axis.fitted.probes.0.contexts too",
    ),
    "context that gives the pole away": (
        (CALLED, 'contexts = ["The {subject} said he was called"]'),
        "axis.unfitted.probes.0.contexts",
        "holds 'he', a word of one of the poles",
    ),
    "kind without contexts": (
        ('kind = "noun"', 'kind = "nouns"'),
        "axis.fitted.pairs.0.kind",
        "none for the kind 'nouns'. Did you mean 'noun'?",
    ),
    "word twice": (
        (MAN, '["man", "woman"], ["men", "woman"]'),
        "axis.fitted.pairs",
        "'woman' stands at axis.fitted.pairs too",
    ),
    "word paired with itself": ((HE, 'pairs = [["he", "He"]]'), "axis.fitted.probes.0.pairs", "it"),
    "kind called like a half": (
        ('kind = "names"', 'kind = "fitted"'),
        "axis.unfitted.probes.0.kind",
        "'fitted' is a half of the association",
    ),
    # The wall
    "fitted word measured": (
        (NAMES, 'pairs = [["He", "Jessica"]]'),
        "axis.unfitted.probes.0.pairs",
        "'He' is for measures alone, and methods learn from it at axis.fitted.probes.0.pairs",
    ),
    "erased word measured": (
        (NAMES, 'pairs = [["king", "Jessica"]]'),
        "axis.unfitted.probes.0.pairs",
        "methods learn from it at axis.fitted.pairs",
    ),
    "listed term measured": (
        (NAMES, 'pairs = [["bold", "Jessica"]]'),
        "axis.unfitted.probes.0.pairs",
        "methods learn from it at terms.agentic.listed",
    ),
    "fitted context measured": (
        (CALLED, 'contexts = ["The {subject} said that"]'),
        "axis.unfitted.probes.0.contexts",
        "methods learn from it at axis.fitted.probes.0.contexts",
    ),
    "sentence of erasure measured": (
        (TOLD, 'contexts = ["A {subject} thought that"]'),
        "axis.unfitted.contexts",
        "methods learn from it at axis.fitted.contexts.noun",
    ),
    "fitted on a validation subject": (
        ('subjects = ["welder"', 'subjects = ["Nurse"'),
        "axis.fitted.subjects",
        "'Nurse' holds 'nurse', a validation subject or a held-out term",
    ),
    "fitted on a train subject anyway": (
        ('subjects = ["welder"', 'subjects = ["pilot"'),
        "axis.fitted.subjects",
        "'pilot' is a train subject",
    ),
    "fitted on a held-out term": (
        (MAN, '["active", "woman"]'),
        "axis.fitted.pairs",
        "'active' holds 'active', a validation subject or a held-out term",
    ),
    "held-out term in a fitted context": (
        (SAID, '"The active {subject} said that"'),
        "axis.fitted.probes.0.contexts",
        "holds 'active'",
    ),
    "validation subject in a sentence of erasure": (
        (THOUGHT, '"The {word} and the nurse thought that"'),
        "axis.fitted.contexts.noun",
        "holds 'nurse'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_error_names_file_field_and_hint(case: str, write: Write) -> None:
    replacement, field, message = BAD[case]
    assert_refused(write(replacement), field, message)


def words_of(probes: Iterable[Probe]) -> set[str]:
    return {word.casefold() for probe in probes for pair in probe.pairs for word in pair}


@pytest.mark.parametrize("name", builtin_tasks())
def test_what_is_fitted_and_what_is_measured_share_nothing(name: str) -> None:
    """By plain sets, whatever the reader's check does."""
    task = load_task(name)
    axis = axis_of(task)
    fitted, unfitted = axis.fitted, axis.unfitted
    words = words_of(fitted.probes) | {w.casefold() for p in fitted.pairs for w in p.words}
    measured = words_of(unfitted.probes)
    assert words
    assert measured
    assert not words & measured
    terms = {t for lexicon in task.lexicons.values() for t in lexicon.terms("all")}
    subjects = {subject.name for subject in task.subjects}
    assert not words & (terms | subjects)
    assert not measured & (terms | subjects)
    assert not set(fitted.subjects) & (terms | subjects)
    assert len(set(fitted.subjects)) == len(fitted.subjects) > 20
    contexts = {c for probe in fitted.probes for c in probe.contexts}
    kept = {*unfitted.contexts, *(c for probe in unfitted.probes for c in probe.contexts)}
    assert not contexts & kept
    sentences = {c for of_kind in fitted.contexts.values() for c in of_kind}
    for context in kept:
        before, _, clause = context.partition("{subject}")
        if before == "The ":
            assert not any(s.endswith("{word}" + clause) for s in sentences), context
    # No context gives a pole away, and none holds a held-out term in full or in part.
    held_out = {w for x in task.lexicons.values() for t in x.held_out for w in normal_words(t)}
    counted = {w for poles in axis.words.values() for pole in poles for w in pole}
    for context in contexts | kept | sentences:
        found = set(normal_words(re.sub(r"\{\w+\}", "", context)))
        assert not found & (words | measured | counted), context
        assert not found & held_out, context


@pytest.mark.parametrize("name", builtin_tasks())
def test_every_part_of_a_built_in_axis_is_there(name: str) -> None:
    task = load_task(name)
    axis = axis_of(task)
    assert list(axis.shares) == [subject.name for subject in task.subjects]
    assert axis.terms is not None
    assert {f"{{{name}}}" for name in axis.terms} == set(task.constraint.all_of)
    assert {item.half for item in items(axis)} == {"fitted", "contexts", "unfitted"}
    assert axis.words
    probed = {pair for probe in axis.fitted.probes for pair in probe.pairs}
    erased = {pair.words for pair in axis.fitted.pairs}
    assert len(erased) >= 20
    if name == "occupations":
        assert probed <= erased


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def test_the_built_in_axis_of_gender_is_what_the_constants_in_python_were(tmp_path: Path) -> None:
    """Digests of what the code gave before there was an ``[axis]``."""
    task = load_task("occupations")
    axis = axis_of(task)
    compared = [[part.replace("{subject}", "{occupation}") for part in i] for i in items(axis)]
    assert len(compared) == 53
    assert digest(compared) == ITEMS
    method = build_method("sft", {"counterfactual": 2})
    assert isinstance(method, SFT)
    contexts = method.contexts(task, 42, 300)
    write_counterfactuals(tmp_path / "c.csv", contexts)
    assert hashlib.sha256((tmp_path / "c.csv").read_bytes()).hexdigest() == COUNTERFACTUALS
    pairs = [[list(p.words), list(p.contexts), p.kind] for p in axis.fitted.pairs]
    assert digest(pairs) == PAIRS
    assert digest(list(axis.fitted.contexts["noun"])) == NOUNS
    assert digest([list(share) for share in subject_shares(task)]) == TRAIN_SHARES
    assert digest([list(share) for share in task.shares.items()]) == SHARES
    leace = build_method("leace", {"subjects": True})
    assert (build_method("inlp", {}).n_examples(task), leace.n_examples(task)) == (534, 714)


ITEMS = "1c7a32425cfa6901680b03ee5026c2dc24272dac300971fbdf22c562e320ba08"
COUNTERFACTUALS = "a0ddddd0f7e1e7d66be7f50e1be98ae9796c2aa4d2f1512736722ba4d01f877d"
PAIRS = "f70e7724e3981cfd838e6026cff8e12cadc01726989da520141e9218786c9009"
NOUNS = "5da0854c3e4b7ccbdd424518c07bcf9dfd7d17bf0429a8824fb7f30e7c34555f"
TRAIN_SHARES = "84b1d7e57fc537fd1b8b0e585631d37506deb68adb1afdd5ad3b55d2c011a184"
SHARES = "d979272fb383d39b7915abe055bfdf08198767a9589fdfb9cb3cfb829b6530da"


def test_without_an_axis_nothing_is_said_of_shares() -> None:
    assert replace(load_task("occupations"), axis=None).shares == {}
