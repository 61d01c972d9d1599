"""Where a study's results live, and how they get there: whole cells or nothing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from equipoise.artifacts import clear_write_errors, make_folder, read_json, write_json
from equipoise.errors import EquipoiseError
from equipoise.manifest import fault, seal
from equipoise.study.specification import Cell, Specification

RECORD = "study.json"


class Store:
    """The folder of one study's run.

    ``cells/LABEL/seedS/`` holds a finished cell, sealed by a manifest; a cell in progress is in
    ``cells/LABEL/.seedS.partial/`` and is renamed when it is complete.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def results(self) -> Path:
        """Folder of the tables over all cells."""
        return self.folder / "results"

    def cell_folder(self, cell: Cell) -> Path:
        """Folder of a finished cell."""
        return self.folder / "cells" / cell.label / f"seed{cell.seed}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder and keep other runs out of it while this one works.

        Raises:
            EquipoiseError: Another run is at work there, or the folder cannot be written.
        """
        make_folder(self.folder)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise EquipoiseError(
                "another run is at work in this folder",
                file=self.folder,
                mend="Wait for it, or choose another folder with --out.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def open_for(self, specification: Specification) -> None:
        """Make sure that what is stored here came from the same conditions, and record them.

        Methods and seeds may be added to a study: cells that exist stay valid. Whatever would
        make existing cells incomparable is refused.

        Raises:
            EquipoiseError: The folder holds something else, or results of other settings.
        """
        record = {
            "conditions": specification.conditions(),
            "methods": {
                label: {"use": method.name, "settings": method.describe()}
                for label, method in specification.methods.items()
            },
        }
        path = self.folder / RECORD
        if path.exists():
            stored = read_json(path)
            difference = _first_difference(_shared(stored, record), record)
            if difference:
                name, before, now = difference
                raise EquipoiseError(
                    f"this folder was made with {name} = {before!r}, the study file now says "
                    f"{now!r}",
                    file=self.folder,
                    mend="Choose another folder with --out, or set the old value back.",
                )
            record["methods"] = {**stored["methods"], **record["methods"]}
            if record == stored:
                return
        elif any(p.name != ".lock" for p in self.folder.iterdir()):
            raise EquipoiseError(
                f"the folder is not empty and holds no {RECORD}, so it is no study's",
                file=self.folder,
                mend="Choose another folder with --out.",
            )
        write_json(path, record)

    def state(self, cell: Cell, specification: Specification) -> str | None:
        """None if a cell is finished and undamaged, else why it must be computed."""
        folder = self.cell_folder(cell)
        if not folder.is_dir():
            return "not done yet"
        problem = fault(folder)
        if problem is None and read_json(folder / "config.json") != specification.cell_config(cell):
            problem = "its config.json is of other settings"
        return problem

    def begin(self, cell: Cell, specification: Specification) -> Path:
        """The working folder of a cell: what an interrupted run left there is kept if it fits."""
        folder = self.cell_folder(cell)
        partial = folder.with_name(f".{folder.name}.partial")
        config = specification.cell_config(cell)
        if partial.is_dir() and _read_or_none(partial / "config.json") != config:
            shutil.rmtree(partial)
        make_folder(partial)
        write_json(partial / "config.json", config)
        return partial

    def finish(self, cell: Cell, partial: Path) -> None:
        """Seal a working folder and make it the cell's; a damaged earlier one is set aside."""
        shutil.rmtree(partial / "checkpoints", ignore_errors=True)
        seal(partial)
        folder = self.cell_folder(cell)
        with clear_write_errors(folder):
            if folder.exists():
                number = 1
                while (aside := folder.with_name(f".{folder.name}.damaged{number}")).exists():
                    number += 1
                folder.rename(aside)
            partial.rename(folder)


def _shared(stored: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """``stored`` without methods the study no longer names, with methods that are new to it."""
    methods = {
        label: stored["methods"].get(label, method) for label, method in record["methods"].items()
    }
    return {"conditions": stored["conditions"], "methods": methods}


def _first_difference(before: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """Dotted name and both values of the first setting that differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            inner = f"{name}.{key}".lstrip(".")
            difference = _first_difference(before.get(key), now.get(key), inner)
            if difference:
                return difference
        return None
    return None if before == now else (name, before, now)


def _read_or_none(path: Path) -> Any:
    try:
        return read_json(path)
    except EquipoiseError:
        return None
