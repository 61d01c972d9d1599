"""What a run's folder must know of its study, and whether what it holds is of that study."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_or_none
from equipoise.runs.cell import Cell
from equipoise.runs.cell_seal import cell_fault
from equipoise.runs.layout import CONFIG, finished_folders


class StudyDescription(Protocol):
    """A study as plain data."""

    @property
    def methods(self) -> Collection[str]:
        """Labels of its methods."""

    def conditions(self) -> dict[str, Any]:
        """What all cells share; results of other conditions are not comparable."""

    def record(self) -> dict[str, Any]:
        """What the run's folder says of itself: name, conditions, methods, seeds."""

    def cell_config(self, cell: Cell) -> dict[str, Any]:
        """Everything that decides what a cell holds."""


def check_comparable(run: Path, study: StudyDescription) -> None:
    """Refuse a folder with a finished cell that ``study`` would compute otherwise.

    Cells of methods that the study does not name must be of its conditions. Damaged cells count
    for nothing: they are computed again.

    Raises:
        EquipoiseError: The first setting that differs is named, with both values.
    """
    for folder in finished_folders(run):
        config, label = read_or_none(folder / CONFIG), folder.parent.name
        if not isinstance(config, dict):
            continue
        if label in study.methods:
            now = study.cell_config(Cell(label, config.get("seed", 0)))
        else:
            now = {**config, **study.conditions()}
        difference = first_difference(config, now)
        if difference is not None and not cell_fault(folder):
            raise _incomparable(run, label, *difference)


def _incomparable(run: Path, label: str, name: str, before: Any, after: Any) -> EquipoiseError:
    """That the setting ``name`` has changed since a cell of the method ``label`` was made."""
    if name.endswith("_sha256"):
        name = name.removesuffix("_sha256")
        problem = "its content is not that with which this folder was made"
    else:
        if name.startswith(("settings.", "use")):
            name = f"methods.{label}.{name.removeprefix('settings.')}"
        problem = f"this folder was made with {before!r}, the study now says {after!r}"
    return EquipoiseError(
        problem, file=run, field=name, hint="Choose another folder with --out, or set it back."
    )


def first_difference(before: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """Dotted name and both values of the first setting that differs; None if none does."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            inner = f"{name}.{key}".lstrip(".")
            difference = first_difference(before.get(key), now.get(key), inner)
            if difference:
                return difference
        return None
    return None if before == now else (name, before, now)
