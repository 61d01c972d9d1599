"""One run at a time in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from equipoise.artifacts import clear_write_errors, make_folder
from equipoise.errors import EquipoiseError

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
                mend=f"Wait for it, or {elsewhere}.",
            ) from None
    try:
        yield
    finally:
        lock.release()
