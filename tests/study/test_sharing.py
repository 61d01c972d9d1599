"""Several processes at one study: each cell is done once, and a dead one holds nobody up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import psutil
import pytest

import study_process
from equipoise import EquipoiseError, Study
from equipoise.runs.cell import Cell
from equipoise.runs.cell_locks import Claims
from equipoise.runs.status import run_status
from equipoise.runs.store import Store
from equipoise.study.engines.local import LocalEngine
from equipoise.study.outcome import CellsFailedError
from equipoise.study.specification import read_specification

from .conftest import WriteStudy, contents, steady

CELL = Cell("sft", 1)
LONG = ("methods.sft.max_steps=60",)


def test_two_runs_at_once_do_each_cell_once(
    study_file: WriteStudy, made_once: Path, tmp_path: Path
) -> None:
    file, log = study_file(), tmp_path / "log"
    processes = [study_process.start(file, tmp_path / "run", log=log) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    begun = Counter(line for line in log.read_text().splitlines() if "seed" in line)
    assert begun == {str(cell): 1 for cell in read_specification(file).cells()}
    assert steady(tmp_path / "run") == steady(made_once)


def test_another_run_of_other_settings_is_refused(study_file: WriteStudy, tmp_path: Path) -> None:
    first = read_specification(study_file())
    other = read_specification(study_file(), ["methods.sft.epochs=3.0"])
    store = Store(tmp_path / "run")
    with store.opened(first):
        with store.opened(first):  # the same study may
            pass
        before = contents(store.folder)
        with pytest.raises(EquipoiseError) as caught, store.opened(other):
            pass
        assert contents(store.folder) == before
    assert str(caught.value) == (
        f"{store.folder}: methods.sft.epochs: another run is at work in this folder, with 2.0 "
        "where this one has 3.0. Wait for it, or choose another folder with --out."
    )
    with store.opened(other):  # nobody is at work any more, and no cell is finished
        pass


def test_temporary_files_of_another_run_are_left_alone(
    study_file: WriteStudy, tmp_path: Path
) -> None:
    specification, store = read_specification(study_file()), Store(tmp_path / "run")
    with store.opened(specification):
        (half := store.folder / "results" / ".by_seed.csv.123.tmp").parent.mkdir()
        half.write_text("half")
        with store.opened(specification):
            assert half.exists()
    with store.opened(specification):
        assert not half.exists()


def test_claim(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    assert not claims.is_claimed(CELL)
    with claims.claim(CELL) as mine:
        assert mine is not None
        assert claims.is_claimed(CELL)
        note = claims.note(CELL)
        assert note is not None
        assert (note.worker.pid, note.stage) == (os.getpid(), "")
        with claims.claim(CELL) as again:
            assert again is None
        with claims.claim(Cell("sft", 2)) as other:
            assert other is not None
    assert not claims.is_claimed(CELL)
    assert claims.note(CELL) is None


@pytest.mark.slow
def test_claim_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from equipoise.runs.cell_locks import Claims\n"
        "from equipoise.runs.cell import Cell\n"
        "claims = Claims(Path(sys.argv[1]))\n"
        "with claims.present(), claims.claim(Cell('sft', 1)):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    process = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert process.returncode == -signal.SIGKILL
    claims = Claims(tmp_path)
    assert not claims.is_claimed(CELL)
    assert claims.note(CELL) is not None, "who it was is still known"
    assert list(tmp_path.glob(".work/runs/*.lock"))
    assert not claims.anyone_present()
    assert not list(tmp_path.glob(".work/runs/*.lock"))
    with claims.claim(CELL) as mine:
        assert mine is not None


def test_failures_are_known_to_others_until_they_are_forgotten(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    assert claims.failure(CELL) is None
    error = EquipoiseError("too wide", file="f.toml", field="a.b", hint="Narrow it.")
    claims.fail(CELL, error)
    assert str(claims.failure(CELL)) == str(error)
    claims.clear()
    assert claims.failure(CELL) is not None, "a failure is not cleared away"
    claims.forget_failures([CELL])
    assert claims.failure(CELL) is None
    claims.clear()
    assert not claims.folder.exists()


def _claimed(folder: Path, label: str, timeout: float = 90.0) -> tuple[Cell, int]:
    """A cell of a method that a process trains, with seconds of work left; and the process."""
    claims, end = Claims(folder), time.monotonic() + timeout
    while time.monotonic() < end:
        for seed in (1, 2):
            cell = Cell(label, seed)
            events = folder.glob(f"cells/{label}/.seed{seed}.partial/logs/*")
            if any(path.stat().st_size > 500 for path in events) and claims.is_claimed(cell):
                note = claims.note(cell)
                assert note is not None
                return cell, note.worker.pid
        time.sleep(0.02)
    raise AssertionError("no cell was claimed")


@pytest.mark.slow
def test_killed_worker_is_replaced_and_the_bytes_are_those_of_one_process(
    study_file: WriteStudy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two cells fail on the way, and are named; the others are not harmed by that."""
    file, folder = study_file(("learning_rate = 1e-2", "learning_rate = 1e300")), tmp_path / "run"
    study = Study.from_toml(file, LONG)
    with pytest.raises(CellsFailedError) as alone:
        study.run(tmp_path / "whole", quiet=True)
    killer = Thread(target=lambda: os.kill(_claimed(folder, "sft")[1], signal.SIGKILL))
    killer.start()
    with pytest.raises(CellsFailedError) as together:
        study.run(folder, engine=LocalEngine(2))
    killer.join()
    assert "sft-fast, seed 1: learning_rate: " in str(together.value)
    assert together.value.result is not None
    assert alone.value.result is not None
    assert set(together.value.result.computed) == set(alone.value.result.computed)
    failed = {cell for cell, _ in together.value.result.failed}
    assert failed == {Cell("sft-fast", 1), Cell("sft-fast", 2)}
    found = run_status(folder)
    assert found.counts() == {"done": 6, "failed": 2}
    assert found.exit_code == 1
    said = capfd.readouterr().err
    assert ": its process was killed (SIGKILL)." in said
    assert said.count("tiny on CPU, 1 thread") == 1, "what several workers say is said once"
    for run in (folder, tmp_path / "whole"):
        shutil.rmtree(run / ".work")
        for unfinished in run.glob("cells/sft-fast/.*"):
            shutil.rmtree(unfinished)
    assert steady(folder) == steady(tmp_path / "whole")


@pytest.mark.slow
def test_workers_stop_when_the_first_process_is_killed(
    study_file: WriteStudy, tmp_path: Path
) -> None:
    file, folder = study_file(("seeds = [1, 2]", "seeds = [1]")), tmp_path / "run"
    code = (
        "import sys; from equipoise import Study\n"
        "from equipoise.study.engines.local import LocalEngine\n"
        "Study.from_toml(sys.argv[1], sys.argv[3:]).run(sys.argv[2], engine=LocalEngine(2))"
    )
    long = "methods.sft.max_steps=5000"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(file), str(folder), long], stderr=subprocess.DEVNULL
    )
    cell, worker = _claimed(folder, "sft")
    process.kill()
    process.wait()
    claims, end = Claims(folder), time.monotonic() + 60
    while claims.anyone_present() and time.monotonic() < end:
        time.sleep(0.1)
    assert not claims.anyone_present()
    assert not claims.is_claimed(cell)
    partial = folder / "cells" / cell.label / f".seed{cell.seed}.partial"
    assert len(list(partial.glob("checkpoints/checkpoint-*/manifest.json"))) == 1
    gone = not psutil.pid_exists(worker)
    assert gone or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE


def test_a_cell_that_kills_its_processes_is_given_up(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system does when memory runs out; a process stands for a worker with a cell."""
    program = tmp_path / "worker.py"
    program.write_text(
        "import json, os, platform, signal, sys, time; from pathlib import Path\n"
        "folder = Path(json.loads(sys.stdin.readline())['out']) / '.work' / 'cells' / 'prompt'\n"
        "if not (folder / 'seed1.failed.json').exists():\n"
        "    folder.mkdir(parents=True, exist_ok=True)\n"
        "    worker = {'host': platform.node(), 'pid': os.getpid(), 'since': ''}\n"
        "    (folder / 'seed1.claim.json').write_text(json.dumps({'worker': worker}))\n"
        "    time.sleep(1)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} {program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    file = study_file(("seeds = [1, 2]", "seeds = [1]"))
    text = file.read_text()
    file.write_text(text[: text.index("[methods.prompt-balanced]")])
    with pytest.raises(CellsFailedError) as caught:
        Study.from_toml(file).run(tmp_path / "run", quiet=True, engine=LocalEngine(1))
    assert (
        "prompt, seed 1: its process was killed 2 times (SIGKILL). "
        "If memory ran out, set a smaller batch_size, or fewer --jobs"
    ) in str(caught.value)
