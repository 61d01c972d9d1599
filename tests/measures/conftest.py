"""A task small enough to check by hand: two sets of two listed and one held-out term."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from gender_axis import gender_axis

TASK = """
[task]
name = "small"
description = "A task for tests."
prefix = "The {subject} was"

[prompts]
neutral = 'Complete the sentence (4 to 9 words): "The {subject} was"'

[terms.agentic]
listed = ["bold", "decisive"]
HELD_OUT_AGENTIC

[terms.communal]
listed = ["caring", "loyal"]
held_out = ["warm"]

[constraint]
words = [4, 9]
all_of = ["{agentic}", "{communal}"]

[subjects.doctor]
split = "train"
[subjects.nurse]
split = "train"
[subjects.teacher]
split = "validation"

[templates]
conjunction = ["The {subject} was {agentic} and {communal} at work."]
"""


def with_shares(**shares: float) -> str:
    """The task on the built-in axis of gender; the agentic set has no held-out terms."""
    return TASK.replace("HELD_OUT_AGENTIC", "") + gender_axis(shares)


def load(text: str, folder: Path) -> Task:
    """The task that the TOML ``text`` describes."""
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return load_task(path)


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    text = TASK.replace("HELD_OUT_AGENTIC", 'held_out = ["active"]') + gender_axis()
    return load(text, tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def task_without_held_out(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The same task, whose agentic set has no held-out terms."""
    return load(TASK.replace("HELD_OUT_AGENTIC", ""), tmp_path_factory.mktemp("task"))


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes text or bytes to a file and returns its path."""

    def write(content: str | bytes, name: str = "some.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
