"""What a worker is told: the study, its folder, and the cells that are to be computed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from equipoise.errors import EquipoiseError
from equipoise.runs.cell import Cell
from equipoise.study.engines.watch import Watch
from equipoise.study.specification import Specification, specify


@dataclass(frozen=True)
class Assignment:
    """Work for any number of workers. All of it is plain data, so that it travels as JSON.

    Attributes:
        tables: Of the study file.
        path: The study file.
        current: The folder from which relative paths are seen.
        out: The run's folder, which every worker must be able to reach by this path.
        cells: Each with its state.
        threads: Of a worker.
    """

    tables: Mapping[str, Any]
    path: Path
    current: Path
    out: Path
    cells: Mapping[Cell, str]
    threads: int

    @classmethod
    def of(
        cls, specification: Specification, out: Path, cells: Mapping[Cell, str], threads: int
    ) -> Assignment:
        """The assignment of ``specification``.

        Raises:
            EquipoiseError: It was not read from a file, so other processes cannot have it.
        """
        if specification.path is None or not specification.tables:
            raise EquipoiseError(
                "only a study that was read from a file can be computed by other processes",
                hint="Use Study.from_toml, or jobs=1.",
            )
        return cls(
            specification.tables,
            specification.path.absolute(),
            Path.cwd(),
            out.absolute(),
            cells,
            threads,
        )

    def as_plain(self) -> dict[str, Any]:
        """The assignment as JSON has it."""
        return {
            "tables": dict(self.tables),
            "path": str(self.path),
            "current": str(self.current),
            "out": str(self.out),
            "cells": [[cell.label, cell.seed, state] for cell, state in self.cells.items()],
            "threads": self.threads,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Assignment:
        """The inverse of `as_plain`."""
        return cls(
            plain["tables"],
            Path(plain["path"]),
            Path(plain["current"]),
            Path(plain["out"]),
            {Cell(label, seed): state for label, seed, state in plain["cells"]},
            plain["threads"],
        )

    def specification(self) -> Specification:
        """The study, seen from where it was started."""
        os.chdir(self.current)
        return specify(dict(self.tables), self.path)


class Engine(Protocol):
    """Starts workers."""

    def threads(self) -> int:
        """Of a worker, for its matrix products."""

    def work(self, assignment: Assignment, watch: Watch) -> None:
        """Start workers, and return when none is left.

        Args:
            assignment: What they are told.
            watch: Follows what they do; to be asked to look now and then.

        Raises:
            EquipoiseError: A worker could not work at all; the message is its own.
            KeyboardInterrupt: The run was stopped; all workers have stopped too.
        """
