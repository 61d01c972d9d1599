"""What models are asked beside their task: enough of it, and nothing of the task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from equipoise.measures.side_effects.requests import STORIES, requests_for
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

BUILT_IN = ("occupations", "age")


@pytest.mark.parametrize("name", BUILT_IN)
def test_as_many_as_are_promised(name: str) -> None:
    asked = requests_for(load_task(name))
    kinds = [one.kind for one in asked]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "unrelated": 100, "people": 60, "stories": 40,
    }  # fmt: skip
    assert len({one.text for one in asked}) == len(asked)


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_request_holds_a_term(name: str) -> None:
    task = load_task(name)
    terms = [term for lexicon in task.lexicons.values() for term in lexicon.terms("all")]
    matcher = TermMatcher(terms)
    assert not [one.text for one in requests_for(task) if matcher.terms_in(one.text)]


@pytest.mark.parametrize("name", BUILT_IN)
def test_nobody_outside_of_stories_is_of_the_task(name: str) -> None:
    task = load_task(name)
    known = TermMatcher([subject.name for subject in task.subjects])
    outside = [one.text for one in requests_for(task) if one.kind != "stories"]
    assert not [text for text in outside if known.terms_in(text)]


def test_stories_say_nothing_of_the_axis() -> None:
    for name in BUILT_IN:
        task = load_task(name)
        assert task.axis is not None
        counted = [word for pair in task.axis.words.values() for side in pair for word in side]
        matcher = TermMatcher(counted)
        stories = [one.text for one in requests_for(task) if one.kind == "stories"]
        assert not [text for text in stories if matcher.terms_in(text)]


def test_every_subject_has_as_many_stories(occupations: Task) -> None:
    stories = [one for one in requests_for(occupations) if one.kind == "stories"]
    told = [one.subject for one in stories]
    assert {told.count(subject.name) for subject in occupations.subjects} == {2}
    assert all(one.subject in one.text for one in stories)


def test_a_subject_has_an_article_where_sentences_give_it_one(
    make_task: Callable[..., Task],
) -> None:
    task = make_task()
    stories = [one.text for one in requests_for(task) if one.kind == "stories"]
    assert all(" the " + task.subjects[0].name in text for text in stories[:1])
    bare = replace(task, prefix="{subject} was")
    told = [one for one in requests_for(bare) if one.kind == "stories"]
    assert all(f"about {one.subject} " in one.text for one in told)


def test_of_many_subjects_some_are_told_of(make_task: Callable[..., Task]) -> None:
    more = "".join(f'[subjects."person {number}"]\nsplit = "train"\n' for number in range(97))
    task = make_task(("[subjects.doctor]", f"{more}[subjects.doctor]"))
    stories = [one.subject for one in requests_for(task) if one.kind == "stories"]
    assert len(set(stories)) == len(stories) == STORIES
