from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.task import Task, load_task
from tiny_task import EVERY_FEATURE, Replacement, write_task


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small task with every feature, with pieces of it replaced."""

    def write_file(*replacements: Replacement) -> Path:
        return write_task(tmp_path, *EVERY_FEATURE, *replacements)

    return write_file


def assert_refused(path: Path, field: str, message: str) -> None:
    """Reading ``path`` fails, and the error names file, field and what is wrong."""
    with pytest.raises(EquipoiseError) as caught:
        load_task(path)
    assert str(path) in str(caught.value)
    assert field in str(caught.value)
    assert message in str(caught.value)


@pytest.fixture
def small(write: Callable[..., Path]) -> Task:
    """The small task with every feature."""
    return load_task(write())
