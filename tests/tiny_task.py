"""The one small task of the tests, and how rooms vary it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.testing import tasks as testing
from gender_axis import gender_axis

Replacement = tuple[str, str]
"""A piece of a text, and what stands there instead."""

_HELD_OUT = """held_out = ["gentle", "shares"]

[neutral]
listed = ["tall", "busy"]
"""
_PLAIN = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]\n'

_BEFORE_AXIS = testing.TASK.partition("[axis]\n")[0]
TASK = f"{_BEFORE_AXIS}[templates]\n{_PLAIN}".replace(_HELD_OUT, "")
"""The task that `equipoise.testing` ships, without axis, neutral and some held-out terms."""


def with_axis(shares: Mapping[str, float] | None = None) -> Replacement:
    """The built-in axis of gender, with these shares of women."""
    return "[constraint]\n", f"{gender_axis(shares)}\n[constraint]\n"


def varied_shares(shares: Mapping[str, float]) -> Replacement:
    """These shares of women in place of none, in a task that has the axis."""
    rows = "".join(f'"{name}" = {share}\n' for name, share in shares.items())
    return "[axis.shares]\n", f"[axis.shares]\n{rows}"


_AGENTIC = 'listed = ["bold", "ambitious", "self-reliant"]\nheld_out = ["active", "takes charge"]'
_COMMUNAL = 'listed = ["kind", "honest", "good with people"]'
_BALANCED = 'balanced = "Complete with both kinds of word: The {subject} was"\n'
_CONTEXTS = '[contexts]\npeople = ["colleagues", "new members of the team"]\n'
_NURSE = '[subjects.nurse]\nsplit = "validation"\n'
_MORE_TEMPLATES = """
several = ["The {subject} was {agentic}, {agentic2} and {communal}, 100% so."]
natural = ["The {subject} was a(n) {communal} and a(n) {agentic} person with {people}."]
"""

_AXIS = """
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

"""

EVERY_FEATURE: tuple[Replacement, ...] = (
    (_BALANCED, ""),
    (_NURSE, _NURSE + '[subjects.nurse.contexts]\npeople = ["patients"]\n'),
    ("[templates]\n", _AXIS + "[templates]\n"),
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
    with_axis(),
    (_PLAIN, 'conjunction = ["The {subject} was {agentic} and {communal} at work."]\n'),
)
"""Two listed terms and one held out a set: rates can be counted by hand."""

NO_HELD_OUT_AGENTIC: tuple[Replacement, ...] = (*MEASURED, ('held_out = ["active"]', ""))
"""`MEASURED`, whose agentic set has no held-out terms."""

SHARES: tuple[Replacement, ...] = (with_axis({"doctor": 40.0, "pilot": 10.0, "nurse": 90.0}),)
"""The axis of gender, with the share of women in each occupation."""

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
