"""The context that all cells of a study continue: one day, one text, whenever they are computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_json, write_json
from equipoise.methods.policy import ask
from equipoise.model.draws import Question
from equipoise.model.language_model import LanguageModel
from equipoise.runs.layout import CELLS, CONTEXT
from equipoise.runs.store import Store
from equipoise.study.training_run import DAY, RECORD, day_in
from equipoise.task.task import Task


def pin_context(lm: LanguageModel, task: Task, store: Store) -> None:
    """Have ``lm`` asked as on the study's first day, and see that its contexts are still the same.

    The first model of a study writes ``context.json``: the day, one rendered context, and the
    SHA-256 of those of all subjects and prompts. A run of an earlier version has no such file; its
    first day is the one on which it is resumed.

    Args:
        lm: Just loaded; nothing has been encoded with it.
        task: Gives prompts and prefixes.
        store: The study's folder.

    Raises:
        EquipoiseError: The model's chat template gives other contexts now, or cannot be used; or
            the file is damaged.
    """
    path = store.folder / CONTEXT
    with store.exclusive():
        if path.is_file():
            recall_context(lm, task, path)
        else:
            write_json(path, context_record(lm, _asked(task)))


def recall_context(lm: LanguageModel, task: Task, path: Path) -> None:
    """Have ``lm`` asked as on the day that ``path`` names; nothing is written.

    Args:
        lm: Just loaded; nothing has been encoded with it.
        task: Gives prompts and prefixes.
        path: Where `pin_context` wrote.

    Raises:
        EquipoiseError: See `pin_context`.
    """
    lm.day, sha256 = _stored(path)
    now = context_record(lm, _asked(task))
    if sha256 != now["sha256"]:
        raise EquipoiseError(
            "the model's chat template now gives other contexts than those that the cells here "
            f"were asked; the first is {now['rendered'][:200]!r}",
            file=path,
            field="sha256",
            hint="Choose another folder with --out, or set the tokenizer's template back.",
        )


def day_of_model(name: str) -> date | None:
    """The day with which the model in a folder was asked while it was trained, if its run says so.

    A training says it beside the model (``run.json``), a study above its cells (``context.json``).

    Args:
        name: A model's name or folder.

    Raises:
        EquipoiseError: The file that should say it is damaged.
    """
    folder = Path(name).resolve()
    for record in (folder / RECORD, folder.parent / RECORD):
        if record.is_file() and DAY in (found := read_json(record)):
            return day_in(found, record)
    *_, study = (folder, *folder.parents[:4])  # RUN/cells/LABEL/seedS/model
    is_there = (study / CELLS).is_dir() and (study / CONTEXT).is_file()
    return _stored(study / CONTEXT)[0] if is_there else None


def _asked(task: Task) -> list[Question]:
    """All that a study may ask in the task's own words."""
    names = [subject.name for subject in task.subjects]
    return [ask(task, name, kind) for kind in task.prompts for name in names]


def context_record(lm: LanguageModel, questions: Sequence[Question]) -> dict[str, str]:
    """What ``questions`` look like to a model, as a record holds it.

    Returns:
        ``day``, which a chat template that writes the date takes for today; ``sha256`` of all
        rendered contexts; ``rendered``, the first of them.
    """
    rendered = [lm.encoder.text(asked.prompt, asked.prefix, asked.earlier) for asked in questions]
    digest = hashlib.sha256(json.dumps(rendered).encode()).hexdigest()
    return {"day": lm.day.isoformat(), "sha256": digest, "rendered": rendered[0]}


def _stored(path: Path) -> tuple[date, str]:
    """The day and the SHA-256 that a study has written down."""
    found = read_json(path)
    try:
        return date.fromisoformat(found["day"]), str(found["sha256"])
    except (KeyError, TypeError, ValueError):
        raise EquipoiseError(
            "does not say on which day the study began and what its contexts were",
            file=path,
            hint="It is damaged. Without it, today becomes the day of the cells still to come.",
        ) from None
