"""The context that all cells of a study continue: one day, one text, whenever they are computed."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_or_none, write_json
from equipoise.model.language_model import LanguageModel
from equipoise.runs.layout import CONTEXT
from equipoise.runs.store import Store
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
        EquipoiseError: The model's chat template gives other contexts now, or cannot be used.
    """
    path = store.folder / CONTEXT
    with store.exclusive():
        stored = read_or_none(path)
        if not isinstance(stored, dict) or not {"day", "sha256"} <= stored.keys():
            stored = None
        if stored is not None:
            lm.day = date.fromisoformat(str(stored["day"]))
        rendered = [
            lm.encoder.text(task.prompt(subject.name, kind), task.response_prefix(subject.name))
            for kind in task.prompts
            for subject in task.subjects
        ]
        digest = hashlib.sha256(json.dumps(rendered).encode()).hexdigest()
        if stored is None:
            now = {"day": lm.day.isoformat(), "sha256": digest, "rendered": rendered[0]}
            write_json(path, now)
        elif stored["sha256"] != digest:
            raise EquipoiseError(
                "the model's chat template now gives other contexts than those that the cells here "
                f"were asked; the first is {rendered[0][:200]!r}",
                file=path,
                field="sha256",
                hint="Choose another folder with --out, or set the tokenizer's template back.",
            )
