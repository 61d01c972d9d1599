"""One training outside a study, in a folder that remembers what it was made with.

``equipoise train`` and ``scripts/train_sft_robust.py`` both are this. ``run.json`` in the folder
says which run it is, from the first second on; ``manifest.json`` seals it when it is complete. So
the same command resumes a run that was stopped and leaves a finished one alone, and another
command is refused. Whoever wants a card of the model writes it then (``publishing.write``).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, make_folder, read_json, write_json
from equipoise.files.locks import locked
from equipoise.files.manifest import MANIFEST, fault, seal
from equipoise.methods.method import Method, Workspace
from equipoise.model.registry import check_model_name, model_digest, model_label
from equipoise.progress_bars import StageProgress
from equipoise.runs.identity import task_digest
from equipoise.runs.layout import CHECKPOINTS
from equipoise.task.task import Task
from equipoise.training.processes import is_first_process, wait_for_all

RECORD = "run.json"
"""What the folder was made with."""

DAY = "day"
"""In it: the day on which the training began, which chat templates write whenever it goes on."""

State = Literal["new", "unfinished", "done"]


@dataclass(frozen=True)
class TrainingRun:
    """A method to be fitted once, and where.

    Attributes:
        folder: Receives data, logs, records and checkpoints.
        model_folder: Receives weights and tokenizer; ``folder`` itself or a folder in it.
        method: A method that changes weights.
        task: What it is fitted to.
        model: Name of the base model.
        seed: Fixes everything random.
        trust_remote_code: Let Python code in the model's repository run.
    """

    folder: Path
    model_folder: Path
    method: Method[Any]
    task: Task
    model: str
    seed: int
    trust_remote_code: bool = False

    def record(self) -> dict[str, Any]:
        """Everything that decides what the folder will hold."""
        return {
            "method": self.method.name,
            "model": model_label(self.model),
            "model_sha256": self._digests[1],
            "task": self.task.name,
            "task_sha256": self._digests[0],
            "seed": self.seed,
            "settings": self.method.describe(),
        }

    @cached_property
    def _digests(self) -> tuple[str, str | None]:
        return task_digest(self.task), model_digest(self.model)

    def state(self) -> State:
        """Whether the folder is free, holds this run unfinished, or holds it complete.

        Raises:
            EquipoiseError: It holds something else, another run, or damaged files.
        """
        with clear_write_errors(self.folder):
            there = [p.name for p in self.folder.iterdir()] if self.folder.exists() else []
        if not any(not name.startswith(".") for name in there):
            return "new"
        if RECORD not in there:
            raise EquipoiseError(
                f"the folder is not empty and holds no {RECORD}, so no training made it",
                file=self.folder,
                hint="Choose another folder.",
            )
        self._compare(read_json(self.folder / RECORD))
        if MANIFEST not in there:
            return "unfinished"
        check_trained(self.folder)
        return "done"

    def run(self, *, quiet: bool = False) -> State:
        """Train, unless that is done; the state in which the folder was found.

        Under ``accelerate launch`` every process calls it, and the first one does the bookkeeping.

        Raises:
            EquipoiseError: The method trains nothing, the folder is another's or cannot be
                written, or model, task or settings do not fit. All that is found before the model
                is loaded.
            KeyboardInterrupt: Training was stopped; calling it again goes on.
        """
        self._check()
        with self._locked(), StageProgress(quiet=quiet or not is_first_process()) as progress:
            state = self.state()
            if state == "done":
                return state
            day = self._day()
            if is_first_process():
                write_json(self.folder / RECORD, {**self.record(), DAY: day.isoformat()})
            self._fit(progress, day)
            wait_for_all()
            if is_first_process():
                shutil.rmtree(self.folder / CHECKPOINTS, ignore_errors=True)
                seal(self.folder)
        return state

    def _check(self) -> None:
        if not self.method.changes_weights:
            raise EquipoiseError(
                f"method '{self.method.name}' trains nothing",
                hint="Draw its completions with 'equipoise generate --prompt ...'.",
            )
        if setting := next(iter([*self.method.needs, *self.method.learns_from]), None):
            raise EquipoiseError(
                "only a study has the models and completions of other methods",
                field=setting,
                hint="Write a study file with both; what to start from is named with --model too.",
            )
        check_model_name(self.model, field="model")
        self.method.check(self.task)
        self.state()

    def _day(self) -> date:
        """What a chat template that writes the date takes for today: when this training began."""
        path = self.folder / RECORD
        found = read_json(path) if path.is_file() else {}
        return day_in(found, path) if found.get(DAY) is not None else date.today()

    def _fit(self, progress: StageProgress, day: date) -> None:
        from equipoise.model.loading import load_model

        lm = load_model(
            self.model, trust_remote_code=self.trust_remote_code, progress=not progress.quiet
        )
        lm.day = day
        progress.say(f"{lm.name} on {lm.precision}")
        workspace = Workspace(self.folder, self.model_folder)
        with clear_write_errors(self.folder):
            self.method.fit(lm, self.task, self.seed, workspace)

    def _compare(self, stored: Any) -> None:
        before, now = _flat(stored), _flat(self.record())
        before.pop(DAY, None)  # when it began decides nothing of what is asked for
        for name in dict.fromkeys([*before, *now]):
            if before.get(name) != now.get(name):
                raise EquipoiseError(
                    f"the folder was made with {name} = {before.get(name)!r}, "
                    f"now {now.get(name)!r} is asked for",
                    file=self.folder,
                    hint="Choose another folder, or set the old value again.",
                )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Create the folder and keep other runs out of it."""
        if is_first_process():
            with locked(self.folder, "choose another folder"):
                yield
        else:
            make_folder(self.folder)
            yield


def day_in(record: dict[str, Any], path: Path) -> date:
    """The day on which a training began, by its record.

    Raises:
        EquipoiseError: The record says it, but not as a date.
    """
    try:
        return date.fromisoformat(record[DAY])
    except (TypeError, ValueError):
        raise EquipoiseError(
            f"{record[DAY]!r} is no day such as 2026-11-26",
            file=path,
            field=DAY,
            hint="It is damaged. Choose another folder, or restore the file.",
        ) from None


def check_trained(folder: Path) -> None:
    """Make sure that ``folder`` holds a finished, undamaged training.

    Raises:
        EquipoiseError: It does not.
    """
    if not (folder / MANIFEST).is_file():
        raise EquipoiseError(
            "the training in this folder is not finished",
            file=folder,
            hint="Run the command that began it once more.",
        )
    if problem := fault(folder):
        raise EquipoiseError(
            problem, file=folder, hint="Delete the folder and train again, or restore the file."
        )


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted names."""
    if not isinstance(value, dict):
        return {name: value}
    return {
        inner: leaf
        for key, nested in value.items()
        for inner, leaf in _flat(nested, f"{name}.{key}".lstrip(".")).items()
    }
