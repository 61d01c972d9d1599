"""The command line in this process and in its own, and files it is given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from equipoise.cli import main
from tiny_task import SHARES, TASK, varied, write_task

STUDY = """
[study]
name = "small"
task = "small.toml"
model = "MODEL"
seeds = [1, 2]
samples_per_subject = 1
[sampling]
max_new_tokens = 4
[methods.prompt]
[methods.sft]
n_per_subject = 1
max_steps = 1
[measures]
side_effects = false
without_listed = 0
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def equipoise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs a command line in this process, in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str | Path) -> Outcome:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def study_file(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """A study of two methods and two seeds that takes seconds."""
    write_task(tmp_path, *SHARES)
    path = tmp_path / "study.toml"
    path.write_text(varied(STUDY, ("MODEL", str(tiny_model_folder))))
    return path


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """No report is drawn after a run: it takes longer than a small study, and has its own tests."""
    monkeypatch.setattr("equipoise.report.write_report", lambda folder, **_: [folder / "report"])


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a command line in a process of its own, with Ctrl-C as at a terminal."""

    def popen(
        *arguments: str | Path, stdout: IO[str] | int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        program = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from equipoise.cli import main; sys.exit(main())"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )

    return popen


@pytest.fixture
def task_text() -> str:
    """A small valid task file of two subjects and held-out terms, with communal terms of a word."""
    return varied(
        TASK,
        ('[subjects.pilot]\nsplit = "train"\n\n', ""),
        ('"honest", "good with people"]', '"honest"]\nheld_out = ["warm"]'),
    )
