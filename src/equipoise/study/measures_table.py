"""The ``[measures]`` table of a study file: what is measured beyond compliance, and by whom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import existing
from equipoise.measures.occupation_shares import SHARE, check_fits, read_shares
from equipoise.measures.side_effects.harness import HarnessTable, harness_instruments
from equipoise.model.registry import check_model_name
from equipoise.settings import Settings, parse
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.measures.side_effects.instruments import Instrument

EXAMINED = ("text", "pairs", "choices")
"""Settings that name files of an examination."""

TRUST = "EQUIPOISE_TRUST_TASKS"
"""Set in the environment, which no study file reaches, it lets folders of tasks run their code."""


class MeasuresTable(Settings):
    """The ``[measures]`` table. It may be missing.

    Attributes:
        fluency: Whether the untuned model judges how fluent each completion is.
        reference_model: The model that does; by default the study's own.
        independent_model: A model of another family that judges it as well, such as
            ``gemma-3-270m``; by default none does.
        lac: Folder of the LAC data (``train.csv``, ``validation.csv``), seen from the study file
            or the current folder: language agency is measured too.
        winogender: Winogender's ``occupations-stats.tsv``, likewise: the association is measured
            on its sixty occupations too. Only for a task whose axis has shares of women.
        without_listed: Completions of each subject that a cell's model says without the listed
            terms, so that other words are counted; 0 leaves it out. Ten of each are one in 25 of
            what the protocol draws, and are drawn once for each model and question. Endpoints say
            none, and neither do methods that guide the drawing.
        side_effects: Whether every model that a method makes is examined beside the task. The
            files below are parts of that examination.
        text: Texts whose perplexity is measured, seen from the study file or the current folder.
        pairs: Minimal pairs, likewise: CrowS-Pairs, WinoBias (a folder), Winogender, or one's own.
        choices: Multiple-choice questions, likewise: BBQ, or one's own.
        harness: Tasks of lm-evaluation-harness that every examined model is asked.
    """

    fluency: bool = True
    reference_model: str | None = None
    independent_model: str | None = None
    lac: str | None = None
    winogender: str | None = None
    without_listed: Annotated[int, Field(ge=0, le=10_000)] = 10
    side_effects: bool = True
    text: tuple[str, ...] = Field(default=(), strict=False)
    pairs: tuple[str, ...] = Field(default=(), strict=False)
    choices: tuple[str, ...] = Field(default=(), strict=False)
    harness: HarnessTable | None = None


def read_measures(table: object, path: Path) -> MeasuresTable:
    """The table of the study file at ``path``, checked; its paths as they can be opened from here.

    Raises:
        EquipoiseError: A setting is unknown or wrong, a model is no model, a file cannot be read.
    """
    from equipoise.measures.agency_classifier import check_lac

    measures = parse(MeasuresTable, table, file=path, field="measures")
    for name in ("reference_model", "independent_model"):
        if (model := getattr(measures, name)) is not None:
            check_model_name(model, file=path, field=f"measures.{name}")
    found: dict[str, str | tuple[str, ...] | HarnessTable] = {
        name: str(_find(value, path, f"measures.{name}"))
        for name in ("lac", "winogender")
        if (value := getattr(measures, name)) is not None
    }
    for name in EXAMINED:
        named = getattr(measures, name)
        found[name] = tuple(str(_find(value, path, f"measures.{name}")) for value in named)
    if measures.harness is not None:
        found["harness"] = _with_folder(measures.harness, path)
    measures = measures.model_copy(update=found)
    if measures.lac is not None:
        check_lac(measures.lac)
    if measures.winogender is not None:
        read_shares(measures.winogender)
    return measures


def instruments_of(measures: MeasuresTable, task: Task) -> list[Instrument]:
    """What the study asks of every examined model, files read; no model is asked.

    Raises:
        EquipoiseError: A file cannot be read, or is in no known format; a task is not there.
    """
    from equipoise.measures.side_effects.instruments import read_instruments

    shares: Mapping[str, float] = {}
    if measures.winogender is not None:
        shares = read_shares(measures.winogender)
    elif task.axis is not None and task.axis.share == SHARE:
        shares = task.shares
    instruments = read_instruments(measures.text, measures.pairs, measures.choices, shares)
    if measures.harness is not None:
        instruments += harness_instruments(measures.harness, "measures.harness.tasks")
    return instruments


def check_measures(measures: MeasuresTable, task: Task, path: Path) -> None:
    """Refuse what cannot be measured on ``task``; no model is asked.

    Raises:
        EquipoiseError: Winogender's occupations do not fit the task's axis, or a file of an
            examination cannot be read.
    """
    if measures.side_effects:
        instruments_of(measures, task)

    if measures.winogender is not None:
        check_fits(read_shares(measures.winogender), task, path)


def _with_folder(harness: HarnessTable, path: Path) -> HarnessTable:
    """``harness`` with its folder as it can be opened from here, if the user trusts it.

    Raises:
        EquipoiseError: It is not there, or nobody but the study file says that it may run code.
    """
    field = "measures.harness.folder"
    if harness.folder is None:
        return harness
    if not os.environ.get(TRUST):
        raise EquipoiseError(
            "a folder of tasks runs code of its authors, which no study file can allow",
            file=path,
            field=field,
            hint=f"If you trust it, set {TRUST}=1 in the environment.",
        )
    return harness.model_copy(update={"folder": str(_find(harness.folder, path, field))})


def _find(value: str, study_file: Path, field: str) -> Path:
    """A path that is tried from the study file's folder first, then from here."""
    for path in (study_file.parent / value, Path(value)):
        if existing(path) is not None:
            return path
    raise EquipoiseError(
        f"there is no {value!r} beside the study file or in the current folder",
        file=study_file,
        field=field,
        hint="Check the path.",
    )
