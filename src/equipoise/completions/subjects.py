"""Whom each row is about where no column says it, and what each row's text continues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from equipoise.completions.column_names import (
    NUMBERING_NAMES,
    PROMPT_NAMES,
    asks,
    leaf,
    normal,
    rank,
)
from equipoise.completions.judged_rows import response_prefix
from equipoise.completions.prompts import continues, subjects_asked, subjects_begun
from equipoise.completions.source import Source
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted


def own_names(names: Sequence[str], task: Task) -> list[str]:
    """Subjects as the task writes them ("The Nurses." is its "nurse"); others as they are."""
    own = {subject.name.casefold(): subject.name for subject in task.subjects}
    meant = {name: _own_name(name, own) for name in set(names)}
    return [meant[name] for name in names]


def subjects_elsewhere(source: Source, task: Task) -> tuple[list[str], str]:
    """The subject of each row and where it was read, for the remarks; both empty if nowhere.

    It stands in what was asked, else in what numbers the rows ("nurse-17"), else in the text, if
    all texts begin with the task's prefix.
    """
    rows = source.rows
    for prompts in (source.contexts, *_prompts(rows)):
        if prompts and all(found := subjects_asked(prompts, task)):
            return found, "what each prompt asks for"
    for name, values in rows.columns.items():
        if normal(leaf(name)) in NUMBERING_NAMES and all(found := subjects_asked(values, task)):
            return found, f"column {quoted([name])}"
    for name, values in rows.columns.items():
        if rank(name, "text") is not None and all(found := subjects_begun(values, task)):
            return found, f"how each text in column {quoted([name])} begins"
    return [], ""


def prompts_continued(
    rows: Rows, texts: Sequence[str], subjects: Sequence[str], task: Task
) -> Sequence[str]:
    """What was asked in each row, in the column that some text goes on from; else nothing."""
    prefixes = [response_prefix(task, subject) for subject in subjects]
    for prompts in _prompts(rows):
        if any(map(continues, texts, prompts, prefixes)):
            return prompts
    return ()


def _prompts(rows: Rows) -> Iterator[list[str]]:
    """Columns of what the model was asked: those whose names say so first, then parts of such."""
    whole = [name for name in rows.columns if normal(leaf(name)) in PROMPT_NAMES]
    whole.sort(key=lambda name: PROMPT_NAMES.index(normal(leaf(name))))
    parts = [name for name in rows.columns if name not in whole and asks(name)]
    yield from (rows.columns[name] for name in (*whole, *parts))


def _own_name(name: str, own: dict[str, str]) -> str:
    """The name among ``own`` that is meant."""
    spelt = " ".join(re.sub(r"[\W_]+", " ", name).split()).casefold()
    bare = re.sub(r"^(?:the|an?) ", "", spelt)
    forms = (name.strip().casefold(), spelt, bare, bare.removesuffix("s"))
    return next((own[form] for form in forms if form in own), name.strip())
