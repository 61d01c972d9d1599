"""A folder's manifest: the size and SHA-256 of each of its files, so that damage is noticed.

safetensors loads a flipped bit and the Trainer resumes from half a checkpoint without a word.
Whatever this project trusts later, it seals when it is complete and checks before it is used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, read_json, sync_folder, write_json
from equipoise.progress import tracked

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
            entries[path.relative_to(folder).as_posix()] = _entry(path)
        for below in (p for p in folder.rglob("*") if p.is_dir()):
            sync_folder(below)
    write_json(folder / MANIFEST, {**about, "files": entries})


def add_to_seal(folder: Path, names: Iterable[str]) -> None:
    """Write down files of a sealed folder that were added, or written anew, since it was sealed.

    Args:
        folder: A sealed folder; what its manifest says of other files stays.
        names: Files in it, by their path from there.

    Raises:
        EquipoiseError: Its manifest is missing or damaged, or cannot be written.
    """
    manifest = read_json(folder / MANIFEST)
    entries = {**_entries(folder)}
    with clear_write_errors(folder):
        for name in names:
            entries[name] = _entry(folder / name)
    ordered = sorted(entries, key=PurePosixPath)
    write_json(folder / MANIFEST, {**manifest, "files": {name: entries[name] for name in ordered}})


def fault(folder: Path, *, sizes_only: bool = False, but: Collection[str] = ()) -> str | None:
    """What is wrong with a sealed folder, as half a sentence; None when all is as it was.

    Sizes are compared before any content is read. Files that were added later are no fault.

    Args:
        folder: Its folder.
        sizes_only: Read no content, which takes about a second a gigabyte.
        but: Files that may be as they like.
    """
    try:
        entries = _entries(folder)
    except EquipoiseError as error:
        return error.problem
    looked_at = {name: entry for name, entry in entries.items() if name not in but}
    wrong = (_size_fault(folder, name, entry) for name, entry in looked_at.items())
    if (problem := next(filter(None, wrong), None)) or sizes_only:
        return problem
    wrong = (_content_fault(folder, name, entry) for name, entry in looked_at.items())
    return next(filter(None, wrong), None)


def file_fault(folder: Path, name: str) -> str | None:
    """The same of one file of a sealed folder; that its manifest does not name it is one too."""
    try:
        entry = _entries(folder).get(name)
    except EquipoiseError as error:
        return error.problem
    if entry is None:
        return f"{name} is not in its {MANIFEST}"
    return _size_fault(folder, name, entry) or _content_fault(folder, name, entry)


def sealed_files(folder: Path) -> list[str]:
    """Names of the files that a folder's manifest vouches for; none if it cannot be read."""
    try:
        return list(_entries(folder))
    except EquipoiseError:
        return []


def recorded_sums(folder: Path) -> dict[str, str]:
    """The SHA-256 that a folder's manifest names for each file.

    Raises:
        EquipoiseError: The manifest is missing or damaged.
    """
    return {name: entry["sha256"] for name, entry in _entries(folder).items()}


def _entry(path: Path) -> dict[str, Any]:
    """Size and sum of a file, once it is on the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file; it may have come by mail.

    Raises:
        EquipoiseError: It is missing or damaged.
    """
    try:
        entries = {
            str(name): {"bytes": int(entry["bytes"]), "sha256": str(entry["sha256"])}
            for name, entry in read_json(folder / MANIFEST)["files"].items()
        }
        for name in entries:
            _check_inside(name)
    except (EquipoiseError, AttributeError, KeyError, TypeError, ValueError):
        raise EquipoiseError(f"its {MANIFEST} is missing or damaged", file=folder) from None
    return entries


def _size_fault(folder: Path, name: str, entry: Mapping[str, Any]) -> str | None:
    path = folder / name
    found = path.stat().st_size if path.is_file() else 0
    if found != entry["bytes"]:
        return f"{name} has {found:,} bytes instead of {entry['bytes']:,}"
    return None


def _content_fault(folder: Path, name: str, entry: Mapping[str, Any]) -> str | None:
    try:
        damaged = sha256(folder / name) != entry["sha256"]
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    return f"{name} is damaged: its SHA-256 is not the recorded one" if damaged else None


def _check_inside(name: str) -> None:
    """Refuse an entry that is not a file below the folder, such as ``/dev/zero``."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or ".." in parts:
        raise ValueError(name)
