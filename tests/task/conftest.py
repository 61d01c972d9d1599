from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.task import Task, load_task

SMALL = """
[task]
name = "small"
prefix = "The {subject} was"

[prompts]
neutral = "Complete: The {subject} was"

[terms.agentic]
listed = ["bold", "ambitious", "self-reliant"]
held_out = ["active", "takes charge"]

[terms.communal]
listed = ["kind", "honest", "good with people"]

[constraint]
words = [6, 11]
all_of = ["{agentic}", "{communal}"]

[contexts]
people = ["colleagues", "new members of the team"]

[subjects.doctor]
split = "train"

[subjects.pilot]
split = "train"

[subjects.nurse]
split = "validation"
[subjects.nurse.contexts]
people = ["patients"]

[axis]
name = "gender"
poles = ["masculine", "feminine"]
share = "women"
terms = ["agentic", "communal"]

[axis.words.pronouns]
masculine = ["he", "him"]
feminine = ["she", "her"]

[axis.shares]
doctor = 37.9

[axis.fitted]
subjects = ["welder", "clerk"]
[[axis.fitted.probes]]
kind = "pronouns"
pairs = [["he", "she"]]
contexts = ["The {subject} said that", "When the {subject} left,"]
[[axis.fitted.pairs]]
kind = "noun"
words = [["man", "woman"], ["king", "queen"]]
[axis.fitted.contexts]
noun = ["The {word} thought that", "In the end the {word} won, and"]

[axis.unfitted]
contexts = ["The {subject} told us that"]
[[axis.unfitted.probes]]
kind = "names"
pairs = [["James", "Jessica"]]
contexts = ["The {subject} was called"]

[templates]
plain = ["The {subject} was {agentic} and {communal} with {people}."]
several = ["The {subject} was {agentic}, {agentic2} and {communal}, 100% so."]
natural = ["The {subject} was a(n) {communal} and a(n) {agentic} person with {people}."]
"""
"""A task with every feature; its sentences about a doctor can be counted by hand."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small task file, with pieces of it replaced."""

    def write_task(*replacements: tuple[str, str]) -> Path:
        text = SMALL
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "small.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_task


@pytest.fixture
def small(write: Callable[..., Path]) -> Task:
    return load_task(write())


@pytest.fixture(scope="session")
def occupations() -> Task:
    return load_task("occupations")
