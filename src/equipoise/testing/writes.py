"""Which files a piece of code writes, told by Python's own audit events (PEP 578).

What a library writes without Python's calls, or another process, is not seen.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PLACES = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "os.truncate": 0}
"""For events that put something somewhere, which argument says where."""

_seen: list[set[str]] = []
_hooked: list[bool] = []


@contextlib.contextmanager
def watch_writes() -> Iterator[set[str]]:
    """Collects the paths that are written to within it, made absolute."""
    if not _hooked:  # a hook stays for ever, so there is one
        sys.addaudithook(_note)
        _hooked.append(True)
    found: set[str] = set()
    _seen.append(found)
    try:
        yield found
    finally:
        _seen.remove(found)


def left_outside(written: set[str], allowed: list[Path]) -> list[Path]:
    """Those of ``written`` that are still there and below none of ``allowed``; no bytecode."""
    roots = [root.resolve() for root in allowed]
    paths = {Path(path).resolve() for path in written}
    return sorted(
        path
        for path in paths
        if path.exists()
        and "__pycache__" not in path.parts
        and not path.is_relative_to("/dev")
        and not any(path.is_relative_to(root) for root in roots)
    )


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _seen:
        return
    path = None
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        path = arguments[0]
    elif event in PLACES:
        path = arguments[PLACES[event]]
    if isinstance(path, str | bytes | os.PathLike):
        for found in _seen:
            found.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - as cheap as can be
