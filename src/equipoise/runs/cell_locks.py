"""Who is at work on which cell: several processes share a study without doing a cell twice.

A claim is a lock of the system, so that of a dead process counts for nothing. What a person would
ask of it (which process, since when, how far) lies beside it. All of that is in ``.work/``, which
is gone when nobody is at work and nothing has failed.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_or_none, write_json
from equipoise.files.locks import is_held, try_lock
from equipoise.runs.cell import Cell
from equipoise.runs.layout import CELLS, WORK

REPORT_SECONDS = 2.0
"""Least time between two notes of how far a cell is."""


@dataclass(frozen=True)
class Worker:
    """A process at work.

    Attributes:
        host: Its machine.
        pid: Its number there.
        since: When it began with the cell, in UTC.
    """

    host: str
    pid: int
    since: str

    @classmethod
    def this(cls) -> Worker:
        """This process, from now on."""
        return cls(platform.node(), os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(frozen=True)
class Note:
    """What a claimed cell's process has last said.

    Attributes:
        worker: Who.
        stage: What it is doing, such as ``training``; empty before the first stage.
        done: How much of that is done.
        total: How much it is in all.
    """

    worker: Worker
    stage: str = ""
    done: int = 0
    total: int = 0


class Claim:
    """A cell that this process has for itself."""

    def __init__(self, path: Path) -> None:
        self._path, self._worker, self._last = path, Worker.this(), time.monotonic()
        write_json(path, asdict(Note(self._worker)))

    def report(self, stage: str, done: int, total: int) -> None:
        """Note how far the cell is, every few seconds at most."""
        if time.monotonic() - self._last < REPORT_SECONDS:
            return
        self._last = time.monotonic()
        with contextlib.suppress(EquipoiseError):  # no reason to give a cell up
            write_json(self._path, asdict(Note(self._worker, stage, done, total)))


class Claims:
    """Which process has which cell of a run, which cells failed, and who is at work at all.

    Attributes:
        folder: Where that is kept, in the run's folder.
    """

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder / WORK

    @contextlib.contextmanager
    def claim(self, cell: Cell) -> Iterator[Claim | None]:
        """Have ``cell`` for this process alone; None if another living process has it."""
        lock = try_lock(self._path(cell, "lock"))
        if lock is None:
            yield None
            return
        note = self._path(cell, "claim.json")
        stopped = False
        try:
            yield Claim(note)
        except KeyboardInterrupt:
            stopped = True  # the note stays, for `equipoise status`
            raise
        finally:
            if not stopped:
                note.unlink(missing_ok=True)
            lock.release()

    def is_claimed(self, cell: Cell) -> bool:
        """Whether a living process is at work on ``cell``."""
        return is_held(self._path(cell, "lock"))

    def note(self, cell: Cell) -> Note | None:
        """What the process that has, or last had, ``cell`` said of it; None if there is nothing."""
        stored = read_or_none(self._path(cell, "claim.json"))
        try:
            return Note(**{**stored, "worker": Worker(**stored["worker"])})
        except (KeyError, TypeError):
            return None

    def fail(self, cell: Cell, error: EquipoiseError) -> None:
        """Write down that ``cell`` could not be computed, for other processes and for people."""
        text = {"problem": error.problem, "file": error.file, "field": error.field}
        about = {**text, "hint": error.hint, "worker": asdict(Worker.this())}
        if error.__cause__ is not None:  # not expected: for whoever looks for the mistake
            about["traceback"] = "".join(traceback.format_exception(error.__cause__))
        write_json(self._path(cell, "failed.json"), about)

    def failure(self, cell: Cell) -> EquipoiseError | None:
        """Why ``cell`` could not be computed; None if nothing is known of that."""
        stored = read_or_none(self._path(cell, "failed.json"))
        if not isinstance(stored, dict):
            return None
        places = {name: stored.get(name) for name in ("file", "field", "hint")}
        return EquipoiseError(str(stored.get("problem")), **places)

    def forget_failures(self, cells: Iterable[Cell]) -> None:
        """Take down no longer that ``cells`` have failed, before they are tried again."""
        for cell in cells:
            self._path(cell, "failed.json").unlink(missing_ok=True)

    @contextlib.contextmanager
    def present(self) -> Iterator[None]:
        """Be known as one of the processes at work in this folder."""
        name = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}.lock"
        lock = try_lock(self.folder / "runs" / name)
        try:
            yield
        finally:
            (self.folder / "runs" / name).unlink(missing_ok=True)
            if lock is not None:
                lock.release()

    def anyone_present(self) -> bool:
        """Whether any process is at work here; what dead ones left is cleared."""
        found = False
        for path in self.folder.glob("runs/*.lock"):
            if is_held(path):
                found = True
            else:
                path.unlink(missing_ok=True)
        return found

    def clear(self) -> None:
        """Remove the folder of claims, unless something in it tells of a failure."""
        if not any(self.folder.glob(f"{CELLS}/*/*.failed.json")):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, cell: Cell, end: str) -> Path:
        return self.folder / CELLS / cell.label / f"seed{cell.seed}.{end}"
