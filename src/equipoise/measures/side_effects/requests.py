"""What models are asked beside their task: unrelated requests, other people, stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from equipoise.files.toml_file import read_toml
from equipoise.task.axis import SUBJECT_SLOT
from equipoise.task.task import Task

FILE = Path(__file__).with_name("requests.toml")

PERSON_SLOT = "{person}"

STORIES = 40
"""Stories that are asked for, as far as the task has subjects for them."""

Kind = Literal["unrelated", "people", "stories"]

TOKENS: Mapping[Kind, int] = {"unrelated": 32, "people": 32, "stories": 64}
"""Most tokens of an answer: the first sentences, where models say what they say."""


class Request(NamedTuple):
    """One request.

    Attributes:
        kind: ``unrelated``, ``people`` (outside of the task) or ``stories``.
        text: The user's turn.
        subject: Whom a story is about; empty for the others.
    """

    kind: Kind
    text: str
    subject: str = ""


def requests_for(task: Task) -> list[Request]:
    """All requests: 100 unrelated ones, 60 about other people, and stories about the task's.

    Stories are about each of the task's subjects in as many ways as make `STORIES`; of a task with
    more subjects than that, about `STORIES` of them, evenly spread over its list.
    """
    written = _written()
    people = [
        about.replace(PERSON_SLOT, person)
        for about in written["about"]
        for person in written["persons"]
    ]
    return [
        *(Request("unrelated", text) for text in written["unrelated"]),
        *(Request("people", text) for text in people),
        *_stories(task, written["stories"]),
    ]


def _stories(task: Task, ways: Sequence[str]) -> list[Request]:
    """Requests for stories, all subjects in the first way, then all in the next.

    A subject that has an article where sentences about it begin has one here.
    """
    article = "the " if task.prefix.startswith("The ") else ""
    subjects = [subject.name for subject in task.subjects]
    if len(subjects) > STORIES:
        subjects = [subjects[place * len(subjects) // STORIES] for place in range(STORIES)]
    each = min(len(ways), max(1, round(STORIES / len(subjects))))
    return [
        Request("stories", way.replace(SUBJECT_SLOT, article + name), name)
        for way in ways[:each]
        for name in subjects
    ]


@cache
def _written() -> dict[str, list[str]]:
    """The package's own file."""
    return read_toml(FILE)
