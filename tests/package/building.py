"""The package as it would be published: an sdist, and the wheel that is built from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = (
    *("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"),
    *("constraints.txt", "Makefile"),
)
STRAY = (
    *("src/equipoise/__pycache__/app.cpython-311.pyc", "src/equipoise/task/tasks/notes.txt"),
    *("src/equipoise/report/.page.html.swp", "src/equipoise/study/studies/mine.toml~"),
    *("tests/test_stray.py", "tests/stray/test_stray.py", "runs/quickstart/study.json"),
)
"""What lies about in a developer's tree and belongs into no package."""

BUILD = (
    "import sys; from setuptools import build_meta; "
    "print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"
)


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        sdist: From a copy of the tree in which stray files lie.
        wheel: From the unpacked sdist.
        direct: A wheel from the tree itself.
    """

    sdist: Path
    wheel: Path
    direct: Path


def environment() -> dict[str, str]:
    """The variables of this process, without those that show the checkout to a Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _build(kind: str, tree: Path, out: Path) -> Path:
    """Build without isolation and network, with this environment's setuptools."""
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, str(out)],
        cwd=tree,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


def build_all(folder: Path) -> Built:
    """Build the checkout's sdist and wheels in ``folder``."""
    tree = folder / "tree"
    tree.mkdir()
    for name in TOP:
        shutil.copy(ROOT / name, tree)
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tree / "src", ignore=leave)
    for name in STRAY:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    sdist = _build("sdist", tree, folder / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    [unpacked] = (folder / "unpacked").iterdir()
    wheel = _build("wheel", unpacked, folder / "wheel")
    return Built(sdist, wheel, _build("wheel", tree, folder / "direct"))
