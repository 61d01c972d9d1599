"""Workers as processes on this machine: ``--jobs N``."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, cast

import torch

from equipoise.errors import EquipoiseError
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from equipoise.study.engines.assignment import Assignment
from equipoise.study.engines.watch import Watch
from equipoise.study.engines.worker import ERROR
from equipoise.study.progress import StudyProgress

MOST_DEATHS = 2
"""A cell whose process is killed so often is given up: it would be killed again."""

POLL_SECONDS = 0.2
NOT_NEWS = "Waiting"
"""Beginning of lines that are said of a worker, and not of the run."""


class LocalEngine:
    """Some processes on this machine, each with its share of the processor and one of the GPUs.

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def threads(self) -> int:
        """See ``Engine.threads``: this process's, divided."""
        return max(1, torch.get_num_threads() // self.jobs)

    def work(self, assignment: Assignment, watch: Watch) -> None:
        """See ``Engine.work``. A worker that is killed is replaced."""
        n = min(self.jobs, len(assignment.cells))
        watch.progress.wait()
        team = _Team(assignment, watch.progress, [_Worker(index) for index in range(n)])
        try:
            for worker in team.workers:
                team.start(worker)
            while any(worker.process for worker in team.workers):
                time.sleep(POLL_SECONDS)
                team.note_cells()
                for worker in team.workers:
                    team.look_after(worker)
                watch.look()
        finally:
            team.stop()
        if team.error:
            raise EquipoiseError(team.error.rstrip("."))


@dataclass
class _Worker:
    """One process, and what it has said last of an error."""

    index: int
    process: subprocess.Popen[bytes] | None = None
    error: str = ""

    def forget(self) -> None:
        """Its process has ended."""
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process = None


@dataclass
class _Team:
    """The workers of one run."""

    assignment: Assignment
    progress: StudyProgress
    workers: list[_Worker]
    error: str = ""
    _said: set[str] = field(default_factory=set)
    _cells: dict[int, Cell] = field(default_factory=dict)
    _deaths: Counter[Cell | None] = field(default_factory=Counter)

    def start(self, worker: _Worker) -> None:
        """Give ``worker`` a process."""
        process = subprocess.Popen(
            [sys.executable, "-m", "equipoise.study.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_surroundings(worker.index, self.assignment),
            start_new_session=True,  # Ctrl-C is the first process's, which passes it on once
        )
        worker.process, worker.error = process, ""
        told, says = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stderr)
        with contextlib.suppress(BrokenPipeError):
            told.write(json.dumps(self.assignment.as_plain()).encode() + b"\n")
            told.flush()  # and left open: its end tells the worker that this process is dead
        threading.Thread(target=self._pass_on, args=(worker, says), daemon=True).start()

    def look_after(self, worker: _Worker) -> None:
        """See whether the process has ended, and what follows from that."""
        if worker.process is None or (code := worker.process.poll()) is None:
            return
        pid = worker.process.pid
        worker.forget()
        if code == 0 or self.error:
            return
        if code > 0:
            time.sleep(POLL_SECONDS)  # for its last words to be read
            self.error = worker.error or f"a worker ended with exit code {code}"
            self.stop()
            return
        self._note_killed(pid, -code)
        if not self.error:
            self.start(worker)

    def stop(self) -> None:
        """Let all processes write their checkpoints and end; Ctrl-C again ends them at once."""
        processes = [worker.process for worker in self.workers if worker.process]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        try:
            for process in processes:
                process.wait()
        except KeyboardInterrupt:
            for process in processes:
                process.kill()
            raise
        finally:
            for worker in self.workers:
                worker.forget()

    def note_cells(self) -> None:
        """Take down which process has, or last had, which cell."""
        host, claims = platform.node(), Store(self.assignment.out).claims
        for cell in self.assignment.cells:
            note = claims.note(cell)
            if note is not None and note.worker.host == host:
                self._cells[note.worker.pid] = cell

    def _note_killed(self, pid: int, number: int) -> None:
        """A process was killed: say which cell it had, and give that up if it was killed before."""
        cell, name = self._cells.get(pid), signal.Signals(number).name
        self._deaths[cell] += 1
        often = self._deaths[cell] >= MOST_DEATHS
        if cell is None:
            self.progress.say(f"A process was killed before it had a cell ({name}).")
            if often:
                self.error = f"{MOST_DEATHS} processes were killed before they had a cell ({name})"
                self.stop()
            return
        self.progress.say(f"{cell}: its process was killed ({name}).")
        if often:
            error = EquipoiseError(
                f"its process was killed {MOST_DEATHS} times ({name})",
                hint="If memory ran out, set a smaller batch_size, or fewer --jobs.",
            )
            Store(self.assignment.out).claims.fail(cell, error)

    def _pass_on(self, worker: _Worker, says: IO[bytes]) -> None:
        """Say what the worker's process says, once where several say the same."""
        with says:
            for raw in says:
                line = raw.decode(errors="replace").rstrip("\n")
                if line.startswith(ERROR):
                    worker.error = line.removeprefix(ERROR)
                elif line and line not in self._said and not line.startswith(NOT_NEWS):
                    self._said.add(line)
                    self.progress.say(line)


def _surroundings(index: int, assignment: Assignment) -> dict[str, str]:
    """The environment of the worker of number ``index``: its threads, and one of the GPUs."""
    threads = str(assignment.threads)
    found = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    devices = list(_devices())
    if devices and assignment.tables.get("study", {}).get("device") is None:
        found["CUDA_VISIBLE_DEVICES"] = devices[index % len(devices)]
    return found


def _devices() -> Iterator[str]:
    """The GPUs that this process sees, as CUDA names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else map(str, range(torch.cuda.device_count()))
    yield from (name for name in names if name and torch.cuda.is_available())
