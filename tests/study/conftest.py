from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise import Study
from run_files import TIMED_COLUMNS, TIMED_KEYS, contents, measured, steady
from tiny_study import write_study

__all__ = ["TIMED_COLUMNS", "TIMED_KEYS", "WriteStudy", "contents", "measured", "steady"]

WriteStudy = Callable[..., Path]


@pytest.fixture
def study_file(tmp_path: Path, tiny_model_folder: Path) -> WriteStudy:
    """Writes the tiny study, with pieces of its file replaced, and gives the file's path."""

    def write(*replacements: tuple[str, str], task: tuple[tuple[str, str], ...] = ()) -> Path:
        return write_study(tmp_path / "files", tiny_model_folder, *replacements, task=task)

    return write


@pytest.fixture(scope="package")
def made_once(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A finished run of the tiny study, to be copied."""
    folder = tmp_path_factory.mktemp("study")
    study = Study.from_toml(write_study(folder / "files", tiny_model_folder))
    return study.run(folder / "run", quiet=True).folder


@pytest.fixture
def finished(made_once: Path, tmp_path: Path) -> Path:
    """A finished run of the tiny study in this test's own folder, to be spoilt."""
    return Path(shutil.copytree(made_once, tmp_path / "run"))
