"""A finished run, read from its folder: what a report is made of.

Whatever is in the folder may have come by mail. Names become paths only after they are checked,
texts of JSON files are made visible, numbers are read as numbers, and nothing is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from equipoise.files.artifacts import check_name, read_json, read_or_none
from equipoise.errors import EquipoiseError
from equipoise.measures import by_seed, compliance_table, read_completions, score
from equipoise.files.manifest import MANIFEST, sha256
from equipoise.runs.result_tables import read_table, read_tables
from equipoise.runs.task_of_run import same_task
from equipoise.task.task import Task
from equipoise.wording.visible import well_formed

ALPHA = 0.05
"""Level of the tests of a run that names none."""


@dataclass(frozen=True)
class FinishedRun:
    """What the folder of a run holds.

    Attributes:
        folder: The run's folder.
        record: ``study.json``: the conditions all cells share, the methods, the seeds.
        environment: ``environment.json``; empty where there is none.
        task: The task, by which the completions are judged.
        methods: Labels, in the study file's order.
        seeds: In the study file's order.
        compliance: Means over seeds of ``results/by_seed.csv``; see ``compliance_table``.
        tables: Tables of ``results/`` by name, numbers as float64; what cannot be used is left out.
        completions: All completions, scored; see ``measures.score``.
        same_task: Whether the task is, byte for byte, the one of the run; its scores are the same.
        training: What each trained cell's ``training_info.json`` says, by label and seed.
        missing_cells: Labels and seeds of cells that are not finished.
        missing_tables: Why each of the other tables of ``result_tables.NEEDED`` is not there.
    """

    folder: Path
    record: Mapping[str, Any]
    environment: Mapping[str, Any]
    task: Task
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    compliance: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    completions: pd.DataFrame
    same_task: bool = True
    training: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    missing_cells: tuple[tuple[str, int], ...] = ()
    missing_tables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.record.get("name", "study"))

    @property
    def model(self) -> str:
        """The base model's name."""
        return str(self.record["study"].get("model", "the model"))

    @property
    def alpha(self) -> float:
        """Level of the tests; the intervals of rates and differences are of 1 - alpha."""
        value = _dict(self.record.get("statistics")).get("alpha")
        return value if isinstance(value, float) and 0 < value < 0.5 else ALPHA

    @property
    def confidence(self) -> str:
        """The confidence of those intervals, ``95 %``."""
        return f"{100 * (1 - self.alpha):g} %"

    def method_name(self, label: str) -> str:
        """The method behind a label, such as ``sft``; the label itself where nobody says."""
        table = self.record["methods"].get(label)
        return str(table.get("use", label)) if isinstance(table, dict) else label


def read_run(folder: str | Path, task: Task) -> FinishedRun:
    """Read a run's folder.

    Args:
        folder: Where ``equipoise run`` wrote.
        task: The run's task; see ``task_of_run.task_of``.

    Raises:
        EquipoiseError: It is no run's folder, no cell is finished, a required file is missing,
            unreadable or damaged, the completions score otherwise than the tables say, or a name in
            it could lead out of it.
    """
    folder = Path(folder)
    record = read_record(folder)
    methods = tuple(check_name(name, "methods", file=folder) for name in record["methods"])
    seeds = tuple(record["seeds"])
    rates = _read_rates(folder / "results" / "by_seed.csv")
    tables, missing_tables = read_tables(folder / "results")
    cells = [(label, seed) for label in methods for seed in seeds]
    finished = [cell for cell in cells if (_cell(folder, *cell) / "completions.csv").is_file()]
    if not finished:
        raise EquipoiseError(
            "no cell is finished", file=folder, hint="Run the study first: equipoise run FILE."
        )
    frames, training = [], {}
    for label, seed in finished:
        cell = _cell(folder, label, seed)
        _check_sums(cell)
        if (frame := _completions(cell, task)) is not None:
            frames.append(frame.assign(method=label, seed=seed))
        info = well_formed(read_or_none(cell / "training_info.json"))
        if isinstance(info, dict):
            training[label, seed] = info
    if not frames:
        raise EquipoiseError("no method has delivered a single completion", file=folder)
    scored = score(pd.concat(frames, ignore_index=True), task)
    _check_scores(scored, task, rates, folder)
    return FinishedRun(
        folder=folder,
        record=record,
        environment=_dict(well_formed(read_or_none(folder / "environment.json"))),
        task=task,
        methods=methods,
        seeds=seeds,
        compliance=compliance_table(rates),
        tables=tables,
        completions=scored,
        same_task=same_task(record, task),
        training=training,
        missing_cells=tuple(cell for cell in cells if cell not in finished),
        missing_tables=missing_tables,
    )


def read_record(folder: Path) -> dict[str, Any]:
    """``study.json``, with the parts every report needs checked.

    Raises:
        EquipoiseError: It is missing, unreadable, or not what a run writes.
    """
    path = folder / "study.json"
    if not path.is_file():
        raise EquipoiseError(
            "holds no study.json, so it is no run",
            file=folder,
            hint="Give the folder that 'equipoise run' wrote, such as runs/quickstart.",
        )
    record = well_formed(read_json(path))
    for name, kind in (("study", dict), ("methods", dict), ("seeds", list)):
        if not isinstance(record, dict) or not isinstance(record.get(name), kind):
            raise EquipoiseError("is not as a run writes it", file=path, field=name)
    if not all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in record["seeds"]):
        raise EquipoiseError("are not whole numbers from 0", file=path, field="seeds")
    return dict(record)


def _read_rates(path: Path) -> pd.DataFrame:
    """``results/by_seed.csv``, without which there is no report."""
    if not path.is_file():
        raise EquipoiseError(
            "not written yet", file=path, hint="Run the study again: it writes it at its end."
        )
    return read_table(path)


def _completions(cell: Path, task: Task) -> pd.DataFrame | None:
    """A cell's completions; ``None`` where its method delivered none."""
    path = cell / "completions.csv"
    try:
        return read_completions(path, task)
    except EquipoiseError as error:
        if error.problem == "has a header but no rows":
            return None
        raise


def _check_scores(scored: pd.DataFrame, task: Task, table: pd.DataFrame, folder: Path) -> None:
    """Raise if ``results/by_seed.csv`` is not what these completions score by this task."""
    keys = ["method", "seed", "split"]
    now = by_seed(scored, task).astype({"seed": "float64"}).set_index(keys)
    try:
        then = table.set_index(keys)
        names = [name for name in now.columns if name != "verbatim"]  # it needs the training data
        alike = (
            len(now) == len(then)
            and "verbatim" in then.columns
            and np.allclose(
                now[names].to_numpy(dtype=float),
                then.loc[now.index, names].to_numpy(dtype=float),
                rtol=0,
                atol=1e-6,
                equal_nan=True,
            )
        )
    except (KeyError, TypeError, ValueError):
        alike = False
    if not alike:
        raise EquipoiseError(
            "is not what the completions score by this task",
            file=folder / "results" / "by_seed.csv",
            hint="Run the study again, or name its task file with --task.",
        )


def _check_sums(cell: Path) -> None:
    """Raise if the completions are not those that were sealed; weights are not looked at."""
    manifest = read_or_none(cell / MANIFEST)
    try:
        expected = manifest["files"]["completions.csv"]["sha256"]
    except (KeyError, TypeError):
        expected = None
    if expected is None or sha256(cell / "completions.csv") != expected:
        raise EquipoiseError(
            "damaged: its SHA-256 is not the recorded one",
            file=cell / "completions.csv",
            hint="Run the study again: the cell is then computed anew.",
        )


def _cell(folder: Path, label: str, seed: int) -> Path:
    return folder / "cells" / label / f"seed{seed}"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
