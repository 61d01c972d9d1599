"""The small task of ``tiny_study``, as any test of a method may want it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise import load_task
from equipoise.task.task import Task
from tiny_study import write_study


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    """Makes the small task, with pieces of its file replaced."""

    def make(*replacements: tuple[str, str]) -> Task:
        write_study(tmp_path / "files", "tiny", task=replacements)
        return load_task(tmp_path / "files" / "small.toml")

    return make
