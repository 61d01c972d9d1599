"""A small task, to try methods on."""

from __future__ import annotations

from pathlib import Path

from equipoise.task.task import Task
from equipoise.task.task_file import load_task

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

[subjects.pilot]
split = "train"

[subjects.nurse]
split = "validation"

[axis]
name = "gender"
poles = ["masculine", "feminine"]
share = "women"
terms = ["agentic", "communal"]

[axis.words.pronouns]
masculine = ["he", "him"]
feminine = ["she", "her"]

[axis.shares]
doctor = 40.0
pilot = 8.0
nurse = 90.0

[axis.fitted]
subjects = ["welder", "clerk"]

[[axis.fitted.probes]]
kind = "pronouns"
pairs = [["he", "she"]]
contexts = ["The {subject} said that", "When the {subject} left,"]

[[axis.fitted.pairs]]
kind = "noun"
words = [
    ["man", "woman"], ["boy", "girl"], ["male", "female"], ["father", "mother"],
    ["son", "daughter"], ["king", "queen"],
]

[[axis.fitted.pairs]]
kind = "name"
words = [["he", "she"], ["John", "Mary"], ["David", "Linda"], ["Robert", "Patricia"]]

[axis.fitted.contexts]
noun = ["The {word} thought that", "In the end the {word} won, and"]
name = ["Then {word} thought that", "In the end {word} won, and"]

[axis.unfitted]
contexts = ["The {subject} told us that"]

[[axis.unfitted.probes]]
kind = "names"
pairs = [["James", "Jessica"]]
contexts = ["The {subject} was called"]

[templates]
plain = ["The {subject} was {agentic} and {communal} with {people}."]
"""
"""Two train subjects, one validation subject, nine sentences about each; and an axis.

Its words are those of ``models.OPPOSITES``."""


def small_task(folder: Path) -> Task:
    """The task, read from a file that is written to ``folder``."""
    path = folder / "small.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(TASK, encoding="utf-8")
    return load_task(path)
