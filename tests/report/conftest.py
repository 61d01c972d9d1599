"""A run made by hand and a real LaTeX."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from report.made_runs import every_table, make_run, small_task
from report.real_latex import latex

__all__ = ["latex"]


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """One unseen subject may lead: the runs made by hand have no more."""
    monkeypatch.setattr("equipoise.report.headline.FEWEST_UNSEEN", 1)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return small_task(tmp_path)


@pytest.fixture
def bare_folder(tmp_path: Path, task: Task) -> Path:
    """A run with no more than the required tables."""
    return make_run(tmp_path / "bare", task)


@pytest.fixture
def folder(tmp_path: Path, task: Task) -> Path:
    """A run with every table."""
    return make_run(tmp_path / "run", task, tables=every_table(task))


@pytest.fixture
def bare(bare_folder: Path, task: Task) -> FinishedRun:
    return read_run(bare_folder, task)


@pytest.fixture
def run(folder: Path, task: Task) -> FinishedRun:
    return read_run(folder, task)
