"""Files a user will keep: written whole or not at all, and never silently over something else."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from equipoise.errors import EquipoiseError
from equipoise.files.interrupts import finishing

MAX_NAME_BYTES = 100
"""Longest name that becomes a folder; file systems allow 255 and temporary names need room."""


def check_name(name: str, what: str, *, file: str | Path | None = None) -> str:
    """``name`` itself, once it is safe to be a folder's name on every file system.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``; it must not start with a dot or a hyphen.
        what: What is being named; stands in the error as the field.
        file: Where the name was written.

    Raises:
        EquipoiseError: The name is empty, too long, or could leave its folder.
    """
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise EquipoiseError(
            f"'{name[:40]}...' is {len(name)} characters long",
            file=file,
            field=what,
            hint=f"Use at most {MAX_NAME_BYTES}.",
        )
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) or ".." in name:
        raise EquipoiseError(
            f"{name!r} cannot be the name of a folder",
            file=file,
            field=what,
            hint="Use letters, digits, '_', '-' and single dots.",
        )
    return name


def make_folder(path: str | Path) -> Path:
    """Create ``path`` with its parents, and check that files can be written there.

    Raises:
        EquipoiseError: The path or one of its parents is a file, or it is not writable.
    """
    path = Path(path)
    with clear_write_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    return path


_HINTS = {
    errno.ENOSPC: "The disk is full: make room and run the same command again.",
    errno.EDQUOT: "Your quota is used up: make room and run the same command again.",
    errno.EFBIG: "Files may not become that large there: choose another path.",
    errno.EEXIST: "A file stands where a folder is needed: choose another path.",
    errno.ENOTDIR: "A file stands where a folder is needed: choose another path.",
    errno.EISDIR: "A folder stands where a file is needed: choose another path.",
    errno.EACCES: "You may not write there: choose another path.",
    errno.EPERM: "You may not write there: choose another path.",
    errno.EROFS: "That file system is read-only: choose another path.",
    errno.ENAMETOOLONG: "The name is too long for the file system: choose a shorter one.",
}


@contextlib.contextmanager
def clear_write_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write ``path`` into an error that says what to do."""
    try:
        yield
    except EquipoiseError:
        raise
    except Exception as error:
        cause = _os_error(error)
        if cause is None:
            raise
        reason = cause.strerror or str(cause)
        hint = _HINTS.get(cause.errno or 0)
        raise EquipoiseError(f"cannot be written ({reason})", file=path, hint=hint) from error


def _os_error(error: Exception) -> OSError | None:
    """``error`` if it is the system's; other libraries report such in classes of their own.

    safetensors and tokenizers name the system's error number. torch.save does not: on a full disk
    its writer finds itself at an unexpected position.
    """
    if isinstance(error, OSError):
        return error
    if number := re.search(r"\(os error (\d+)\)", str(error)):
        return OSError(int(number[1]), os.strerror(int(number[1])))
    if re.search(r"inline_container\.cc.*(Writer|unexpected pos)", str(error)):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return None


@contextlib.contextmanager
def open_atomic(path: str | Path) -> Iterator[IO[str]]:
    """A text file that appears under ``path`` only when it is complete and on the disk.

    Ctrl-C and SIGTERM wait until it is.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with clear_write_errors(path), finishing():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` onto the disk, so that a renamed file survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str | Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write ``value`` as JSON, two spaces deep; NaN is refused because JSON has none."""
    with open_atomic(path) as stream:
        json.dump(value, stream, indent=2, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


@contextlib.contextmanager
def clear_read_errors(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` while reading ``path`` into an error that names it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise EquipoiseError(f"cannot be read ({reason})", file=path) from None


def existing(name: str | Path) -> Path | None:
    """``name`` as a path, ``~`` expanded, if something is there; else None, whatever it is.

    Any text may be asked for: one that is too long for a name, or holds a NUL, or ``~nobody``.
    """
    try:
        path = Path(name).expanduser()
        path.stat()
    except (OSError, RuntimeError, ValueError):
        return None
    return path


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a file, or of a pipe, of at most ``limit`` bytes.

    Raises:
        EquipoiseError: It is missing, a folder, a device, cannot be read, or is larger.
    """
    try:
        kind = path.stat()
        if stat.S_ISCHR(kind.st_mode) or stat.S_ISBLK(kind.st_mode):  # /dev/zero has no end
            raise EquipoiseError("a device, not a file", file=path, hint="Check the path.")
        content = b""
        if kind.st_size <= limit:
            with path.open("rb") as stream:
                content = stream.read(limit + 1)
    except FileNotFoundError:
        raise EquipoiseError("no such file", file=path, hint="Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise EquipoiseError(f"cannot be read ({reason})", file=path) from None
    if kind.st_size > limit or len(content) > limit:
        raise EquipoiseError(
            f"larger than {limit:,} bytes", file=path, hint="Is it the right file?"
        )
    return content


def read_json(path: str | Path) -> Any:
    """The value stored in a JSON file.

    Raises:
        EquipoiseError: The file is missing, unreadable or not JSON.
    """
    path = Path(path)
    try:
        with clear_read_errors(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise EquipoiseError(f"not valid JSON ({error})", file=path) from None


def read_or_none(path: str | Path) -> Any:
    """The value stored in a JSON file; None if it is missing, unreadable or not JSON."""
    try:
        return read_json(path)
    except EquipoiseError:
        return None
