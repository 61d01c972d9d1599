"""A small task, to try methods on."""

from __future__ import annotations

from pathlib import Path

from equipoise.task.task import Task, load_task

TASK = """
[task]
name = "small"
prefix = "The {subject} was"

[prompts]
neutral = "Complete: The {subject} was"
balanced = "Complete with both kinds of word: The {subject} was"

[terms.agentic]
listed = ["bold", "ambitious", "self-reliant"]
held_out = ["active", "takes charge"]

[terms.communal]
listed = ["kind", "honest", "good with people"]
held_out = ["gentle", "shares"]

[neutral]
listed = ["tall", "busy"]

[constraint]
words = [6, 11]
all_of = ["{agentic}", "{communal}"]

[contexts]
people = ["colleagues", "new members of the team"]

[subjects.doctor]
split = "train"
women = 40.0

[subjects.pilot]
split = "train"
women = 8.0

[subjects.nurse]
split = "validation"
women = 90.0

[templates]
plain = ["The {subject} was {agentic} and {communal} with {people}."]
"""
"""Two train subjects, one validation subject, and nine sentences about each."""


def small_task(folder: Path) -> Task:
    """The task, read from a file that is written to ``folder``."""
    path = folder / "small.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(TASK, encoding="utf-8")
    return load_task(path)
