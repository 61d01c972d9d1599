"""The ``[measures]`` table of a study file: what is measured beyond compliance, and by whom."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import existing
from equipoise.model.registry import check_model_name
from equipoise.settings import Settings, parse
from equipoise.task.task import Task


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
        side_effects: Whether every model that a method makes is examined beside the task.
    """

    fluency: bool = True
    reference_model: str | None = None
    independent_model: str | None = None
    lac: str | None = None
    winogender: str | None = None
    side_effects: bool = True


def read_measures(table: object, path: Path) -> MeasuresTable:
    """The table of the study file at ``path``, checked; its paths as they can be opened from here.

    Raises:
        EquipoiseError: A setting is unknown or wrong, a model is no model, a file cannot be read.
    """
    from equipoise.measures.agency_classifier import check_lac
    from equipoise.measures.occupation_shares import read_shares

    measures = parse(MeasuresTable, table, file=path, field="measures")
    for name in ("reference_model", "independent_model"):
        if (model := getattr(measures, name)) is not None:
            check_model_name(model, file=path, field=f"measures.{name}")
    found = {
        name: str(_find(value, path, f"measures.{name}"))
        for name in ("lac", "winogender")
        if (value := getattr(measures, name)) is not None
    }
    if "lac" in found:
        check_lac(found["lac"])
    if "winogender" in found:
        read_shares(found["winogender"])
    return measures.model_copy(update=found)


def check_measures(measures: MeasuresTable, task: Task, path: Path) -> None:
    """Refuse what cannot be measured on ``task``; no model is asked.

    Raises:
        EquipoiseError: Winogender's occupations do not fit the task's axis.
    """
    from equipoise.measures.occupation_shares import check_fits, read_shares

    if measures.winogender is not None:
        check_fits(read_shares(measures.winogender), task, path)


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
