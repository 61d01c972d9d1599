"""The one small task of the tests, and how rooms vary it."""

from __future__ import annotations

from pathlib import Path

from equipoise.task.task import Task, load_task

Replacement = tuple[str, str]
"""A piece of a text, and what stands there instead."""

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

[templates]
plain = ["The {subject} was {agentic} and {communal} with {people}."]
"""

_AGENTIC = 'listed = ["bold", "ambitious", "self-reliant"]\nheld_out = ["active", "takes charge"]'
_COMMUNAL = 'listed = ["kind", "honest", "good with people"]'
_BALANCED = 'balanced = "Complete with both kinds of word: The {subject} was"\n'
_CONTEXTS = '[contexts]\npeople = ["colleagues", "new members of the team"]\n'
_NURSE = '[subjects.nurse]\nsplit = "validation"\n'
_PLAIN = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]\n'
_MORE_TEMPLATES = """
several = ["The {subject} was {agentic}, {agentic2} and {communal}, 100% so."]
natural = ["The {subject} was a(n) {communal} and a(n) {agentic} person with {people}."]
"""

EVERY_FEATURE: tuple[Replacement, ...] = (
    (_BALANCED, ""),
    (_NURSE, _NURSE + 'women = 89.58\n[subjects.nurse.contexts]\npeople = ["patients"]\n'),
    (_PLAIN, _PLAIN + _MORE_TEMPLATES),
)
"""Contexts of a subject, articles, two terms of one set; what is said of doctors can be counted."""

MEASURED: tuple[Replacement, ...] = (
    (
        'neutral = "Complete: The {subject} was"',
        """neutral = 'Complete the sentence (4 to 9 words): "The {subject} was"'""",
    ),
    (_BALANCED, ""),
    (_AGENTIC, 'listed = ["bold", "decisive"]\nheld_out = ["active"]'),
    (_COMMUNAL, 'listed = ["caring", "loyal"]\nheld_out = ["warm"]'),
    ("words = [6, 11]", "words = [4, 9]"),
    (_NURSE, '[subjects.teacher]\nsplit = "validation"\n'),
    ("[subjects.pilot]", "[subjects.nurse]"),
    (_CONTEXTS, ""),
    (_PLAIN, 'conjunction = ["The {subject} was {agentic} and {communal} at work."]\n'),
)
"""Two listed terms and one held out a set: rates can be counted by hand."""

NO_HELD_OUT_AGENTIC: tuple[Replacement, ...] = (*MEASURED, ('held_out = ["active"]', ""))
"""`MEASURED`, whose agentic set has no held-out terms."""

SHARES: tuple[Replacement, ...] = (
    ('[subjects.doctor]\nsplit = "train"', '[subjects.doctor]\nsplit = "train"\nwomen = 40.0'),
    ('[subjects.pilot]\nsplit = "train"', '[subjects.pilot]\nsplit = "train"\nwomen = 10.0'),
    (_NURSE, _NURSE + "women = 90.0\n"),
)
"""The share of women in each occupation."""

REPORTED: tuple[Replacement, ...] = (
    (_BALANCED, ""),
    (_CONTEXTS, ""),
    ("[templates]\n" + _PLAIN, ""),
    (_AGENTIC, 'listed = ["bold", "takes charge"]\nheld_out = ["active"]'),
    (_COMMUNAL, 'listed = ["kind", "loyal"]\nheld_out = ["warm"]'),
    ("words = [6, 11]", "words = [4, 9]"),
    *SHARES,
)
"""A term of two words, and the share of women in each occupation."""


def varied(text: str, *replacements: Replacement) -> str:
    """``text`` with pieces of it replaced, each of which must be there."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def write_task(folder: Path, *replacements: Replacement) -> Path:
    """Write the task, with pieces of it replaced, to ``folder`` as ``small.toml``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.toml"
    path.write_text(varied(TASK, *replacements), encoding="utf-8")
    return path


def tiny_task(folder: Path, *replacements: Replacement) -> Task:
    """The task, with pieces of it replaced, written to ``folder`` and read."""
    return load_task(write_task(folder, *replacements))
