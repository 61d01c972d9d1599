"""A finished run as a board takes it: whole, as it was sealed, with its summary and its task.

A run may have come by mail. Its tables and completions must be those that were sealed; they are not
judged once more, as a report does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.board.shown import BY_CONSTRUCTION, declared
from equipoise.errors import EquipoiseError
from equipoise.files.manifest import fault
from equipoise.runs.judgement_check import check_sums
from equipoise.runs.layout import OVERVIEW, RECORD, REPORT, RESULTS, cell_folder
from equipoise.runs.record import cells_of, read_record
from equipoise.runs.result_tables import read_table
from equipoise.runs.status import run_status
from equipoise.runs.store import Store
from equipoise.runs.task_of_run import same_task, task_of
from equipoise.task.task import Task
from equipoise.wording.visible import visible

LONGEST = 60
"""Characters of what a run is called, its folder aside."""

ANEW = "Run the study again with this folder: it is written anew."


@dataclass(frozen=True)
class BoardRun:
    """A run on a board.

    Attributes:
        name: What its column is called; no other run of the board is called so.
        folder: Its folder.
        record: Its ``study.json``.
        task: Its task.
        values: Its ``results/summary.csv`` by method: headlines as numbers, NaN where not measured,
            or as text.
    """

    name: str
    folder: Path
    record: Mapping[str, Any]
    task: Task
    values: pd.DataFrame

    @property
    def page(self) -> Path | None:
        """Its own report's page, where it is there."""
        page = self.folder / REPORT / "index.html"
        return page if page.is_file() else None


def read_runs(folders: Sequence[Path]) -> list[BoardRun]:
    """Read the folders of finished runs, in their order.

    Raises:
        EquipoiseError: One is named twice, holds no run, is not finished or damaged, its summary is
            not what this version writes, or its task is not found.
    """
    seen: dict[Path, Path] = {}
    for folder in folders:
        if (same := seen.setdefault(folder.resolve(), folder)) is not folder:
            raise EquipoiseError(
                f"is the same run as {same}", file=folder, hint="Name each run once."
            )
    records = [_checked(folder) for folder in folders]
    values = [_summary(folder / RESULTS / OVERVIEW) for folder in folders]
    tasks = [_task(folder, record) for folder, record in zip(folders, records, strict=True)]
    names = _names(folders, records)
    return list(map(BoardRun, names, folders, records, tasks, values))


def _checked(folder: Path) -> dict[str, Any]:
    """The record of a run of which every cell is finished, and all is as it was sealed."""
    record, status = read_record(folder), run_status(folder)
    for one in status.cells:
        if one.state != "done":
            raise EquipoiseError(
                f"its cell {one.cell.label}, seed {one.cell.seed}, is {one.state}",
                file=folder,
                hint="Run the study again with this folder: only what is missing is computed.",
            )
    if not status.tables:
        raise EquipoiseError("not written yet", file=folder / RESULTS / OVERVIEW, hint=ANEW)
    if problem := fault(folder / RESULTS):
        raise EquipoiseError(problem, file=folder / RESULTS, hint=ANEW)
    if problem := Store(folder).beside_fault(RECORD):
        raise EquipoiseError(problem, file=folder / RECORD, hint=ANEW)
    for cell in cells_of(record):
        check_sums(cell_folder(folder, cell))
    return record


def _summary(path: Path) -> pd.DataFrame:
    """A run's summary by method, with the columns that a board shows."""
    table = read_table(path)
    needed = [(one.name, one.column.text) for one in declared()]
    for name, text in [("method", True), (BY_CONSTRUCTION, False), *needed]:
        if name not in table.columns:
            raise EquipoiseError("there is no such column", file=path, field=name, hint=ANEW)
        if not (text or pd.api.types.is_numeric_dtype(table[name])):
            raise EquipoiseError("not all of it is numbers", file=path, field=name, hint=ANEW)
    if table["method"].duplicated().any():
        raise EquipoiseError("it names a method twice", file=path, field="method", hint=ANEW)
    for name in (name for name, text in needed if text):
        table[name] = table[name].astype("object").replace("", float("nan"))
    return table.set_index("method")


def _task(folder: Path, record: dict[str, Any]) -> Task:
    """The task of the run, byte for byte: its constraint says with what it can be compared."""
    hint = f"Write its report first, which keeps the file: equipoise report {folder} --task FILE."
    try:
        task = task_of(record, folder / REPORT)
    except EquipoiseError as error:
        raise EquipoiseError(error.problem, file=folder, field="study.task", hint=hint) from None
    if not same_task(record, task):
        raise EquipoiseError(
            f"the file of its task '{visible(task.name)}' is not the one it was made with",
            file=folder,
            field="study.task_sha256",
            hint=hint,
        )
    return task


def _names(folders: Iterable[Path], records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A name for each run: its model and task; its folder and a number, where those are not one."""
    pairs = list(zip(folders, records, strict=True))
    plain = [_model_and_task(record["study"]) for _, record in pairs]
    full = [
        name if plain.count(name) == 1 else f"{name}, {folder.resolve().name}"
        for name, (folder, _) in zip(plain, pairs, strict=True)
    ]
    return [
        name if full.count(name) == 1 else f"{name} ({full[: place + 1].count(name)})"
        for place, name in enumerate(full)
    ]


def _model_and_task(study: Mapping[str, Any]) -> str:
    """``SmolLM2-135M-Instruct, occupations``."""
    model = str(study.get("model", "?")).rstrip("/").rpartition("/")[2]
    task = str(study.get("task", "?")).rpartition("/")[2].removesuffix(".toml")
    name = visible(f"{model}, {task}")
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
