"""Workers on a real Ray on this machine, and as jobs of submitit's local executor.

Half a minute each, most of it imports of many processes.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise import EquipoiseError, Study
from equipoise.runs.cell import Cell
from equipoise.runs.cell_locks import Claims
from equipoise.study.engines import pick_engine
from equipoise.study.engines.assignment import Assignment
from equipoise.study.specification import read_specification

from .conftest import WriteStudy, steady

LONG = ("methods.sft.max_steps=60", "methods.sft.checkpoint_minutes=0.001")
"""Training of some seconds, with a checkpoint every few updates."""

PROGRAM = """
import sys
from equipoise import Study
from equipoise.study.engines.ray_cluster import RayEngine
from equipoise.study.engines.slurm import SlurmEngine
engine = {"ray": lambda: RayEngine(1, 1, 0), "slurm": lambda: SlurmEngine(2, 1, 0, {}, "local")}
study = Study.from_toml(sys.argv[2], sys.argv[4:])
study.run(sys.argv[3], engine=engine[sys.argv[1]]())
"""


def _start(engine: str, file: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, engine, str(file), str(folder), *LONG],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RAY_ADDRESS": "local"},
    )


def _in_training(folder: Path, process: subprocess.Popen[str], but: set[int]) -> int:
    """A worker, none of ``but``, that has sealed a checkpoint of the cell it is training."""
    claims = Claims(folder)
    while process.poll() is None:
        for seed in (1, 2):
            sealed = folder.glob(f"cells/sft/.seed{seed}.partial/checkpoints/*/manifest.json")
            note = claims.note(Cell("sft", seed))
            if note and note.worker.pid not in but and any(sealed):
                return note.worker.pid
        time.sleep(0.02)
    raise AssertionError(process.communicate()[1])


@pytest.fixture
def two_methods(study_file: WriteStudy) -> Path:
    """The tiny study without two of its methods: each worker takes seconds to begin."""
    path = study_file()
    text = path.read_text()
    text = text[: text.index("[methods.sft-fast]")].replace("[methods.prompt-balanced]\n", "")
    path.write_text(text)
    return path


@pytest.mark.engines
@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed")
def test_ray_replaces_a_killed_worker(two_methods: Path, tmp_path: Path) -> None:
    process = _start("ray", two_methods, tmp_path / "run")
    os.kill(_in_training(tmp_path / "run", process, set()), signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "sft, seed 2: 0.0 % balanced" in said
    Study.from_toml(two_methods, LONG).run(tmp_path / "whole", quiet=True)
    assert steady(tmp_path / "run") == steady(tmp_path / "whole")


@pytest.mark.engines
@pytest.mark.skipif(not importlib.util.find_spec("submitit"), reason="submitit is not installed")
def test_slurm_jobs_one_killed_and_one_preempted(two_methods: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = _start("slurm", two_methods, folder)
    first = _in_training(folder, process, set())
    os.kill(first, signal.SIGUSR2)  # as Slurm announces that it wants the place
    second = _in_training(folder, process, {first})
    os.kill(second, signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "2 jobs: " in said
    Study.from_toml(two_methods, LONG).run(tmp_path / "whole", quiet=True)
    assert steady(folder) == steady(tmp_path / "whole")


def test_assignment_travels_as_plain_data(study_file: WriteStudy, tmp_path: Path) -> None:
    specification = read_specification(study_file(), ["study.samples_per_subject=7"])
    cells = {Cell("sft", 2): "not done yet"}
    sent = Assignment.of(specification, tmp_path / "run", cells, threads=3)
    here = Path.cwd()
    received = Assignment.from_plain(sent.as_plain())
    assert received == sent
    assert received.specification().record() == specification.record()
    assert Path.cwd() == here


def test_only_studies_of_files_can_be_sent(study_file: WriteStudy, tmp_path: Path) -> None:
    from dataclasses import replace

    made = replace(read_specification(study_file()), tables={})
    with pytest.raises(EquipoiseError, match="only a study that was read from a file"):
        Assignment.of(made, tmp_path, {}, threads=1)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package in (("ray", "ray"), ("slurm", "submitit")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(EquipoiseError, match=rf"pip install 'equipoise\[{name}\]'"):
            pick_engine(name, None)
