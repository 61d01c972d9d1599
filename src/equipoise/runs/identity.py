"""What makes a task the same: its content, not its path. Of a model: ``model.registry``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from equipoise.files.artifacts import clear_read_errors
from equipoise.files.manifest import sha256
from equipoise.task.task import Task


def task_digest(task: Task) -> str:
    """SHA-256 of the task's file: two tasks of one name may differ."""
    if task.path is None:
        return hashlib.sha256(repr(task).encode()).hexdigest()
    with clear_read_errors(task.path):
        return sha256(task.path)


def winogender_digest(path: str) -> str:
    """SHA-256 of the file of occupations."""
    with clear_read_errors(Path(path)):
        return sha256(Path(path))
