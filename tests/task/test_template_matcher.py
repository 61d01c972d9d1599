"""Which sentences read like a template: examples, training sentences, and a regular expression."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

import pytest

from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.task.template import Template, kind_of
from equipoise.task.template_matcher import TemplateMatcher
from tiny_task import tiny_task

VARIATION = (
    ('held_out = ["active", "takes charge"]', 'held_out = ["takes charge"]'),
    ('["kind", "honest", "good with people"]', '["kind", "good with people", "good"]'),
    ("words = [6, 11]", "words = [3, 20]"),
    ('["colleagues", "new members', '["new members", "new members'),
    ("[subjects.doctor]", '[subjects."night nurse"]'),
    ('[subjects.pilot]\nsplit = "train"\n\n[subjects.nurse]\n', "[subjects.pilot]\n"),
    ("[templates]", '[subjects.pilot.contexts]\npeople = ["crews"]\n\n[templates]'),
)
"""A term inside another one, and so with contexts; a subject of two words."""

TEMPLATES = (
    "The {subject} was {agentic} and {communal} with {people}.",
    "The {subject} was a(n) {agentic}-minded and {communal} colleague, {people} said.",
    "The {subject} was {communal} and {agentic}, {agentic2} even.",
    "The {subject} was very {agentic}ly {communal}!",
)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    templates = tuple(Template("plain", text) for text in TEMPLATES)
    return replace(tiny_task(tmp_path_factory.mktemp("task"), *VARIATION), templates=templates)


@pytest.fixture(scope="module")
def matcher(task: Task) -> TemplateMatcher:
    return TemplateMatcher(task)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pilot was bold and kind with crews.", True),
        ("The pilot was bold and kind with new members.", True),  # another subject's
        ("The pilot was bold and kind with new members of the team.", True),
        ("The pilot was bold and good with new members.", True),  # a term that begins another
        ("The pilot was bold and good with people with new members.", True),
        ("The pilot was takes charge and kind with crews.", True),  # held out
        ("The pilot  was bold and kind\twith crews .", True),  # spaces do not count
        ("The pilot was an ambitious-minded and kind colleague, crews said.", True),
        ("The pilot was a ambitious-minded and kind colleague, crews said.", True),
        ("The pilot was kind and bold, bold even.", True),  # two slots may hold the same
        ("The pilot was very boldly kind!", True),  # a slot that touches a word
        ("The pilot was very bold ly kind!", False),
        ("The pilot was bold and kind with crews", False),
        ("The pilot was bold and kind with crews. And", False),
        ("The pilot was bold and kind with", False),
        ("The pilot was Bold and kind with crews.", False),
        ("The pilot was kind and bold with crews.", False),
        ("The pilot was brave and kind with crews.", False),
        ("The pilot was bold and kind with new.", False),
        ("The night nurse was bold and kind with crews.", False),  # the text is about a pilot
        ("The pilots was bold and kind with crews.", False),
        ("", False),
        ("\0", False),
    ],
)
def test_examples(matcher: TemplateMatcher, text: str, expected: bool) -> None:
    assert matcher.matches(text, "pilot") is expected


def test_subjects_of_two_words_and_unknown_ones(matcher: TemplateMatcher) -> None:
    assert matcher.matches("The night nurse was bold and kind with crews.", "night nurse")
    assert matcher.matches("The welder was bold and kind with crews.", "welder")
    assert not matcher.matches("The welder was bold and kind with crews.", "")


def test_nothing_matches_a_task_without_templates(task: Task) -> None:
    empty = TemplateMatcher(replace(task, templates=()))
    assert not empty.matches("The pilot was bold and kind with crews.", "pilot")
    assert not empty.matches("", "pilot")


def twin(task: Task, subject: str) -> re.Pattern[str]:
    """One regular expression for all templates."""
    kinds: dict[str, list[str]] = {}
    for about in task.subjects:
        for kind, texts in about.contexts.items():
            kinds.setdefault(kind, []).extend(texts)
    for name, lexicon in task.lexicons.items():
        kinds[name] = list(lexicon.terms("all"))
    ways = []
    for template in task.templates:
        parts = []
        for number, piece in enumerate(template.pieces):
            if number % 2 == 0:
                parts.append(re.escape(piece).replace(r"a\(n\)", "an?").replace(r"A\(n\)", "An?"))
            elif piece == "subject":
                parts.append(re.escape(subject))
            else:
                parts.append(f"(?:{'|'.join(map(re.escape, kinds[kind_of(piece)]))})")
        ways.append("".join(parts))
    return re.compile("|".join(ways))


def test_the_built_in_tasks_sentences_all_match_and_spoilt_ones_as_the_twin_says() -> None:
    task = load_task("occupations")
    matcher = TemplateMatcher(task)
    expressions = {subject.name: twin(task, subject.name) for subject in task.subjects}
    for split in ("train", "validation"):
        for example in islice(BalancedExampleGenerator(task, 3).generate(10, split), 150):  # type: ignore[arg-type]
            assert matcher.matches(example.text, example.subject), example.text
            expression = expressions[example.subject]
            words = example.text.split()
            for spoilt in (
                " ".join(words[:-1]),
                " ".join([*words[:4], *words[5:]]),
                " ".join([*words[:3], words[4], words[3], *words[5:]]),
                example.text.replace(" and ", " but "),
            ):
                assert matcher.matches(spoilt, example.subject) == bool(
                    expression.fullmatch(spoilt)
                ), spoilt
