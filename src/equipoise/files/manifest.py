"""A folder's manifest: the size and SHA-256 of each of its files, so that damage is noticed.

safetensors loads a flipped bit and the Trainer resumes from half a checkpoint without a word.
Whatever this project trusts later, it seals when it is complete and checks before it is used.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, read_json, sync_folder, write_json
from equipoise.tracking import tracked

MANIFEST = "manifest.json"

LARGE, CHUNK = 500_000_000, 50_000_000
"""Bytes from which a file's sum takes long enough for a bar, and bytes read at a time then."""


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size < LARGE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        digest, parts = hashlib.sha256(), -(-size // CHUNK)
        for _ in tracked(range(parts), f"checking {path.name}", parts):
            digest.update(stream.read(CHUNK))
        while rest := stream.read(CHUNK):  # it may have grown meanwhile
            digest.update(rest)
        return digest.hexdigest()


def seal(folder: Path, **about: Any) -> None:
    """Bring every file of ``folder`` onto the disk and write them all down in its manifest.

    Args:
        folder: A complete folder.
        about: What else the manifest says, such as what the folder was made from.
    """
    entries = {}
    with clear_write_errors(folder):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST):
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
            name = path.relative_to(folder).as_posix()
            entries[name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for below in (p for p in folder.rglob("*") if p.is_dir()):
            sync_folder(below)
    write_json(folder / MANIFEST, {**about, "files": entries})


def fault(folder: Path, *, sizes_only: bool = False) -> str | None:
    """What is wrong with a sealed folder, as half a sentence; None when all is as it was.

    Sizes are compared before any content is read. Files that were added later are no fault.

    Args:
        folder: Its folder.
        sizes_only: Read no content, which takes about a second a gigabyte.
    """
    try:
        entries = {
            str(name): (int(entry["bytes"]), str(entry["sha256"]))
            for name, entry in read_json(folder / MANIFEST)["files"].items()
        }
        for name in entries:
            _check_inside(name)
    except (EquipoiseError, AttributeError, KeyError, TypeError, ValueError):
        return f"its {MANIFEST} is missing or damaged"
    for name, (size, _) in entries.items():
        path = folder / name
        found = path.stat().st_size if path.is_file() else 0
        if found != size:
            return f"{name} has {found:,} bytes instead of {size:,}"
    if sizes_only:
        return None
    for name, (_, expected) in entries.items():
        try:
            damaged = sha256(folder / name) != expected
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if damaged:
            return f"{name} is damaged: its SHA-256 is not the recorded one"
    return None


def _check_inside(name: str) -> None:
    """Refuse an entry that is not a file below the folder, such as ``/dev/zero``."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or ".." in parts:
        raise ValueError(name)
