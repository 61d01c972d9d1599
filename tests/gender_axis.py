"""The built-in axis of gender: itself, and as text for small task files, with other shares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import equipoise
from equipoise.task.axis import Axis
from equipoise.task.task_file import load_task

_FILE = Path(str(equipoise.__file__)).parent / "task" / "tasks" / "occupations.toml"


def gender_axis(shares: Mapping[str, float] | None = None) -> str:
    """``[axis]`` of the occupations task, with ``shares`` in place of its own."""
    text = _FILE.read_text(encoding="utf-8")
    head = text[text.index("\n[axis]") : text.index("\n[axis.shares]")]
    rows = "".join(f'"{name}" = {share}\n' for name, share in (shares or {}).items())
    tail = text[text.index("\n[axis.fitted]") :]
    return f"\n{head}\n[axis.shares]\n{rows}\n{tail}"


def _built_in() -> Axis:
    axis = load_task("occupations").axis
    assert axis is not None
    return axis


GENDER = _built_in()
"""The axis of the occupations task."""
