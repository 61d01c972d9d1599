"""Locks of the system: one process at a time, and free again when that process is dead."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, make_folder

LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path, elsewhere: str) -> Iterator[None]:
    """Create ``folder`` and keep other runs out of it; a dead process's lock counts for nothing.

    Args:
        folder: The folder.
        elsewhere: How to choose another one, such as "choose another folder with --out".

    Raises:
        EquipoiseError: Another run is at work there, or the folder cannot be written.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK)
    with clear_write_errors(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise EquipoiseError(
                "another run is at work in this folder",
                file=folder,
                hint=f"Wait for it, or {elsewhere}.",
            ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``, after waiting for it; for work that takes moments."""
    lock = FileLock(path)
    with clear_write_errors(path):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def try_lock(path: Path) -> FileLock | None:
    """The lock file at ``path``, now held by this process; None if another one holds it."""
    lock = FileLock(path)
    with clear_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
    return lock


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file at ``path``; nothing is written to find out."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who only ask do not take each other for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
