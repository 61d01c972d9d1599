"""Leakage: does a model now use the task's words of everything and everybody?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from equipoise.measures.side_effects.quantities import ALL, COLUMNS, LEAKAGE
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Task

GROUPS = ("unrelated", "people")


def leakage_items(answers: pd.DataFrame, task: Task) -> pd.DataFrame:
    """One item for each answer of `GROUPS`: 1 where it holds a listed term of the task, else 0.

    Args:
        answers: What `draw_answers` drew.
        task: Gives the terms.
    """
    matcher = TermMatcher(listed_terms(task))
    rows: list[tuple[str, str, str, float]] = []
    for kind, request, text in zip(
        answers["kind"], answers["request"], answers["text"], strict=True
    ):
        if kind in GROUPS:
            value = float(bool(matcher.terms_in(text)))
            rows += [(LEAKAGE.name, group, request, value) for group in (ALL, kind)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def listed_terms(task: Task) -> Sequence[str]:
    """The listed terms of all sets of a task."""
    return [term for lexicon in task.lexicons.values() for term in lexicon.listed]
