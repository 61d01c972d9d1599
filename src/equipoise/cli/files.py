"""Files a command is to write: checked before the work, never silently over something else."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, make_folder


def new_file(path: Path, *, force: bool) -> Path:
    """``path`` itself, once a file can be written there; its folder is created.

    Args:
        path: The file.
        force: An existing file may be replaced.

    Raises:
        EquipoiseError: It exists, is a folder, its name is too long, or the folder cannot be
            written.
    """
    with clear_write_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not force:
            raise EquipoiseError(
                "exists already", file=path, hint="Choose another name, or add --force."
            )
    make_folder(path.parent)
    with clear_write_errors(path):
        # Files are written under a longer name first; it must be possible too.
        prefix, suffix = f".{path.name}.", ".tmp"
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=prefix, suffix=suffix):
            pass
    return path


def new_folder(path: Path, *, force: bool) -> Path:
    """``path`` itself, once files can be written in it; it is created.

    Args:
        path: The folder.
        force: It may hold something already; files of other names stay.

    Raises:
        EquipoiseError: It holds something, is a file, or cannot be written.
    """
    with clear_write_errors(path):
        if path.is_dir() and not force and any(path.iterdir()):
            raise EquipoiseError(
                "the folder is not empty", file=path, hint="Choose another one, or add --force."
            )
    return make_folder(path)
