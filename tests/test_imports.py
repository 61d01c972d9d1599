"""The house: one list of rooms, each using those before it, and no circle within a room.

What the reader of a room must know stands before it. Every import counts, those inside functions
and those for the type checker too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import equipoise

PACKAGE = Path(equipoise.__file__).parent

GROUND = ("errors", "settings", "progress", "progress_bars")
"""Modules that everybody may use, one another included."""

ROOMS = (
    "files",
    "wording",
    "task",
    "completions",
    "model",
    "decoding",
    "training",
    "methods",
    "statistics",
    "measures",
    "runs",
    "study",
    "report",
    "board",
    "publishing",
    "serving",
    "testing",
    "cli",
)
"""The rooms on the ground; each may use what stands before it. Last comes the package's own front
door, which names for users what they ask for most."""


def _modules() -> dict[str, Path]:
    """Every module by its name in the package; the front door is the empty name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts).removesuffix("__init__").rstrip(".")] = path
    return found


MODULES = _modules()


def _imported(name: str, path: Path) -> Iterator[str]:
    """Names of the package's modules that a module imports, wherever in it."""
    here = ["equipoise", *name.split(".")] if name else ["equipoise"]
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            if target == "equipoise" or target.startswith("equipoise."):
                yield _module_of(target.removeprefix("equipoise").removeprefix("."))


def _module_of(name: str) -> str:
    """The module that a dotted name is, or is a name in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def _room(module: str) -> str:
    return module.partition(".")[0]


def _place(module: str) -> int:
    """Where a module stands in the list; -1 is the ground."""
    room = _room(module)
    return -1 if room in GROUND else ROOMS.index(room)


IMPORTS = {name: sorted(set(_imported(name, path))) for name, path in MODULES.items()}


def test_every_room_is_in_the_list() -> None:
    unknown = {_room(name) for name in MODULES} - {"", *GROUND, *ROOMS}
    assert not unknown, f"nobody has said where these stand: {sorted(unknown)}"


@pytest.mark.parametrize("room", [*GROUND, *ROOMS])
def test_imports_follow_the_list(room: str) -> None:
    """The version, which the front door holds, may be read by all."""
    against = {
        (name, target)
        for name, targets in IMPORTS.items()
        for target in targets
        if _room(name) == room and target and _place(target) > _place(name)
    }
    told = [f"{a} imports {b}, which stands below it" for a, b in sorted(against)]
    assert not told, "\n".join(told)


def _reached(start: str, allowed: set[str]) -> set[str]:
    """All that ``start`` imports, and what that imports, within ``allowed``."""
    found: set[str] = set()
    left = [start]
    while left:
        new = {target for target in IMPORTS[left.pop()] if target in allowed} - found
        found |= new
        left += new
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_in_a_room(room: str) -> None:
    """A package's ``__init__`` may gather names of modules that import the package."""
    own = {
        name for name, path in MODULES.items() if _room(name) == room and path.name != "__init__.py"
    }
    circles = {
        frozenset(other for other in reached if name in _reached(other, own))
        for name in own
        if name in (reached := _reached(name, own))
    }
    told = [f"these import each other: {', '.join(sorted(circle))}" for circle in circles]
    assert not circles, "\n".join(told)


def test_the_walk_sees_what_is_hidden(tmp_path: Path) -> None:
    path = tmp_path / "hidden.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from equipoise.study.study import Study\n"
        "def f():\n    import equipoise.cli.run\n    from ..files import manifest\n"
        "    from equipoise import __version__, measures\n"
    )
    found = set(_imported("runs.hidden", path))
    assert found == {"study.study", "cli.run", "files.manifest", "", "measures"}
