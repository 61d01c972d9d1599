"""A run made by hand, and a real browser."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from report.made_runs import every_table, make_run, small_task

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; tests that need one are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def latex() -> str:
    """The path of a LaTeX that has booktabs."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex is installed (Debian: texlive-latex-recommended)")
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, text=True)
    if not found.stdout.strip():
        pytest.skip("this LaTeX has no booktabs (Debian: texlive-latex-recommended)")
    return program
