"""A finished run, read from its folder: what a report is made of.

Whatever is in the folder may have come by mail. Names become paths only after they are checked,
texts of JSON files are made visible, numbers are read as numbers, and nothing is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_or_none
from equipoise.measures import compliance_table, score
from equipoise.methods.method import TRAINING_INFO
from equipoise.runs.cell import Cell
from equipoise.runs.judgement_check import check_against_tables, check_against_texts, check_sums
from equipoise.runs.layout import (
    BY_SEED,
    COMPLETIONS,
    ENVIRONMENT,
    RESULTS,
    cell_folder,
)
from equipoise.runs.record import cells_of, left_out, read_record, sampling_of
from equipoise.runs.result_tables import read_table, read_tables
from equipoise.runs.scored_file import cell_completions, read_scored, stored_scores
from equipoise.runs.sweep import Sweep, sweeps_of
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
    def sampling(self) -> dict[str, Any]:
        """How completions were drawn; settings that an endpoint was not sent are left out."""
        return sampling_of(self.record)

    @property
    def left_out(self) -> list[str]:
        """The parameters that an endpoint was not sent, as it refuses them."""
        return left_out(self.record)

    @property
    def alpha(self) -> float:
        """Level of the tests; the intervals of rates and differences are of 1 - alpha."""
        value = _dict(self.record.get("statistics")).get("alpha")
        return value if isinstance(value, float) and 0 < value < 0.5 else ALPHA

    @property
    def confidence(self) -> str:
        """The confidence of those intervals, ``95 %``."""
        return f"{100 * (1 - self.alpha):g} %"

    @property
    def sweeps(self) -> list[Sweep]:
        """The settings that were swept, each with its values by method."""
        return sweeps_of(self.record)

    def method_name(self, label: str) -> str:
        """The method behind a label, such as ``sft``; the label itself where nobody says."""
        table = self.record["methods"].get(label)
        return str(table.get("use", label)) if isinstance(table, dict) else label


def read_run(folder: str | Path, task: Task, *, own: bool = False) -> FinishedRun:
    """Read a run's folder.

    A run may have come by mail. So its completions are judged once more, and what the folder says
    of them must be what their texts score.

    Args:
        folder: Where ``equipoise run`` wrote.
        task: The run's task; see ``task_of_run.task_of``.
        own: Whether this very process has just computed or checked the cells. The judgements that
            are stored in them are then taken as they are.

    Raises:
        EquipoiseError: It is no run's folder, no cell is finished, a required file is missing,
            unreadable or damaged, the completions score otherwise than the cells or the tables say,
            or a name in it could lead out of it.
    """
    folder = Path(folder)
    record = read_record(folder)
    rates = _read_rates(folder / RESULTS / BY_SEED)
    tables, missing_tables = read_tables(folder / RESULTS)
    cells = cells_of(record)
    finished = [cell for cell in cells if (cell_folder(folder, cell) / COMPLETIONS).is_file()]
    if not finished:
        raise EquipoiseError(
            "no cell is finished", file=folder, hint="Run the study first: equipoise run FILE."
        )
    for cell in finished:
        check_sums(cell_folder(folder, cell))
    scored = _scored(folder, finished, task, own=own)
    check_against_tables(scored, task, rates, folder)
    return FinishedRun(
        folder=folder,
        record=record,
        environment=_dict(well_formed(read_or_none(folder / ENVIRONMENT))),
        task=task,
        methods=tuple(record["methods"]),
        seeds=tuple(record["seeds"]),
        compliance=compliance_table(rates),
        tables=tables,
        completions=scored,
        same_task=same_task(record, task),
        training=_training(folder, finished),
        missing_cells=tuple((cell.label, cell.seed) for cell in cells if cell not in finished),
        missing_tables=missing_tables,
    )


def _scored(folder: Path, finished: list[Cell], task: Task, *, own: bool) -> pd.DataFrame:
    """All completions with their judgements, cell by cell."""
    frames = []
    for cell in finished:
        of_cell = cell_folder(folder, cell)
        found = read_scored(of_cell, task, lambda: None) if own else cell_completions(of_cell, task)
        if found is not None:
            frames.append(found.assign(method=cell.label, seed=cell.seed))
    if not frames:
        raise EquipoiseError("no method has delivered a single completion", file=folder)
    every = pd.concat(frames, ignore_index=True)
    if own:
        return every
    scored = score(every, task)
    for cell in finished:
        of_cell = cell_folder(folder, cell)
        rows = (scored["method"] == cell.label) & (scored["seed"] == cell.seed)
        stored = stored_scores(of_cell, task)
        if stored is not None:
            check_against_texts(stored, scored[rows], of_cell)
            scored.loc[rows, "verbatim"] = stored["verbatim"].to_numpy()
    return scored


def _training(folder: Path, finished: list[Cell]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """What each trained cell has written down of its training."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for cell in finished:
        info = well_formed(read_or_none(cell_folder(folder, cell) / TRAINING_INFO))
        if isinstance(info, dict):
            found[cell.label, cell.seed] = info
    return found


def _read_rates(path: Path) -> pd.DataFrame:
    """``results/by_seed.csv``, without which there is no report."""
    if not path.is_file():
        raise EquipoiseError(
            "not written yet", file=path, hint="Run the study again: it writes it at its end."
        )
    return read_table(path)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
