"""Studies in processes of their own, forked from one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from equipoise import Study
from equipoise.runs.cell import Cell
from equipoise.study import computation
from equipoise.study.cell import run_cell
from equipoise.study.measures import ask_models  # noqa: F401 - imported before the fork
from equipoise.training import train  # noqa: F401

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["study_process"])


@cache
def _start_server() -> None:
    """Start the process that others are forked from, with this file on its path.

    Before Python 3.13 it does not take over ``sys.path``; unsaid, it then imports nothing, and
    each process that is forked from it imports everything itself, which takes seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        forkserver.ensure_running()


WRITES = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})


def start(
    file: Path,
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    die_at: int | None = None,
    log: Path | None = None,
) -> ForkServerProcess:
    """A process that runs a study; its exit code is 0 when all went well.

    Args:
        file: The study file.
        folder: Of the run.
        overrides: See ``Study.from_toml``.
        die_at: SIGKILL at this access to a file or name in ``folder``.
        log: Receives the number of these accesses and a line for each cell that is begun.
    """
    arguments = (str(file), str(folder), list(overrides), die_at, log and str(log))
    _start_server()
    process = _context.Process(target=_run, args=arguments)
    process.start()
    return process


def _run(file: str, folder: str, overrides: list[str], die_at: int | None, log: str | None) -> None:
    accesses = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal accesses
        if event in WRITES and arguments and str(arguments[0]).startswith(folder):
            accesses += 1
            if accesses == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    if log is not None:
        _note_cells(Path(log))
    Study.from_toml(file, overrides).run(folder, quiet=True)
    if log is not None:
        _append(Path(log), f"accesses {accesses}")


def _note_cells(log: Path) -> None:
    def noted(cell: Cell, *arguments: Any, **options: Any) -> str:
        _append(log, str(cell))
        return run_cell(cell, *arguments, **options)

    computation.run_cell = noted  # type: ignore[attr-defined]


def _append(path: Path, line: str) -> None:
    with path.open("a") as stream:
        stream.write(f"{line}\n")
