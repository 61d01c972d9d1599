"""What makes a task and a model the same: their content, not their path."""

from __future__ import annotations

import hashlib
from pathlib import Path

from equipoise.files.artifacts import clear_read_errors
from equipoise.files.manifest import sha256
from equipoise.model.registry import local_folder
from equipoise.task.task import Task

MODEL_FILES = (".safetensors", ".json", ".jinja", ".model")


def task_digest(task: Task) -> str:
    """SHA-256 of the task's file: two tasks of one name may differ."""
    if task.path is None:
        return hashlib.sha256(repr(task).encode()).hexdigest()
    with clear_read_errors(task.path):
        return sha256(task.path)


def model_digest(name: str) -> str | None:
    """SHA-256 over the files of a local model's folder, about a second a gigabyte.

    None for embedded models, whose weights are pinned by their name, and for Hub ids.
    """
    folder = local_folder(name)
    if folder is None:
        return None
    digest = hashlib.sha256()
    with clear_read_errors(folder):
        for path in sorted(p for p in folder.iterdir() if p.suffix in MODEL_FILES):
            digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()


def winogender_digest(path: str) -> str:
    """SHA-256 of the file of occupations."""
    with clear_read_errors(Path(path)):
        return sha256(Path(path))
