"""A folder of many files that appears complete, or what was there before stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors, read_or_none

RESULTS_FILE = "results.json"
"""The file that says what such a folder is, by a key of its own."""


def refuse_foreign(target: Path, kind: str, noun: str) -> Path:
    """``target`` with a name to be renamed by, unless something else stands there.

    Args:
        target: The folder to be.
        kind: Key of the ``results.json`` of those that may be replaced.
        noun: What such a folder is called.

    Raises:
        EquipoiseError: Something is there that is none.
    """
    target = target if target.name else target.resolve()  # "." has no name to be renamed to
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return target
    earlier = read_or_none(target / RESULTS_FILE)
    if not isinstance(earlier, dict) or kind not in earlier:
        raise EquipoiseError(
            f"something is there that is no {noun}",
            file=target,
            hint="Choose another folder with --out, or take it away.",
        )
    return target


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """An empty folder to write into, which then takes the place of ``target``.

    After an error it is gone, and ``target`` is as it was.
    """
    partial = target.with_name(f".{target.name}.partial")
    with clear_write_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        yield partial
        _replace(target, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(target: Path, partial: Path) -> None:
    """Put ``partial`` in the place of ``target``."""
    aside = target.with_name(f".{target.name}.before")
    with clear_write_errors(target):
        shutil.rmtree(aside, ignore_errors=True)
        if target.exists():
            target.rename(aside)
        partial.rename(target)
        shutil.rmtree(aside, ignore_errors=True)
