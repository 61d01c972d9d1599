"""What is in the sdist and the wheel, and what the wheel's metadata says."""

from __future__ import annotations

import ast
import re
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import equipoise
from package.building import ROOT, Built

SOURCES = ROOT / "src"
CARRIED = {".py", ".toml", ".html", ".css", ".js", ".md", ".typed"}
OF_EXTRAS = {
    "lm_eval": "harness",
    "openai": "openai",
    "ray": "ray",
    "starlette": "serve",
    "submitit": "slurm",
    "uvicorn": "serve",
}
"""Modules that are imported where they are asked for only, and the extra that brings them."""
UNSEEN = {
    "gguf": "transformers reads the embedded models' files with it",
    "tensorboard": "transformers' Trainer writes its logs with it",
}
"""Dependencies that no line imports, and who does."""
PRIVATE = ("torch", "transformers", "accelerate", "trl", "submitit")
"""Packages whose private names, or whose inner workings, are used."""


def carried() -> set[str]:
    """The package's files, as the wheel should have them."""
    paths = (SOURCES / "equipoise").rglob("*")
    return {path.relative_to(SOURCES).as_posix() for path in paths if path.suffix in CARRIED}


def metadata_of(wheel: Path) -> Message:
    """The metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


def plain_requirements(wheel: Path) -> dict[str, Requirement]:
    """What a wheel requires without extras, by name."""
    found = map(Requirement, metadata_of(wheel).get_all("Requires-Dist", []))
    return {
        canonicalize_name(r.name): r for r in found if not r.marker or "extra" not in str(r.marker)
    }


def imported() -> set[str]:
    """Top-level names of all modules that the package imports, anywhere in it."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    return found - set(sys.stdlib_module_names) - {"equipoise"}


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    for wheel in (built.wheel, built.direct):
        with zipfile.ZipFile(wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
            licences = [n for n in archive.namelist() if n.endswith("/licenses/LICENSE")]
        assert names == carried()
        assert len(licences) == 1
    assert {
        "equipoise/py.typed",
        "equipoise/study/studies/quickstart.toml",
        "equipoise/task/tasks/occupations.toml",
        "equipoise/report/templates/page.html",
    } <= names


def test_the_sdist_holds_what_builds_the_wheel(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    top = {n for n in names if n and "/" not in n}
    assert top == {
        *("src", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"),
        *("CITATION.cff", "constraints.txt", "PKG-INFO", "setup.cfg"),
    }
    inside = {n.removeprefix("src/") for n in names if Path(n).suffix in CARRIED}
    assert inside - top == carried()


def test_one_version_everywhere(built: Built) -> None:
    version = equipoise.__version__
    assert metadata_of(built.wheel)["Version"] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## {version} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_metadata_says_who_and_where(built: Built) -> None:
    found = metadata_of(built.wheel)
    assert found["Author"] == "The Equipoise authors"
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"
    assert len(found.get_all("Project-URL", [])) == 4
    pythons = {c.rsplit(" ", 1)[1] for c in found.get_all("Classifier", []) if ":: 3." in c}
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert pythons == set(re.findall(r'"(3\.\d+)"', workflow))


def test_whatever_is_imported_is_required(built: Built) -> None:
    required = set(plain_requirements(built.wheel))
    homes = packages_distributions()
    for module in imported() - set(OF_EXTRAS):
        assert required & {canonicalize_name(name) for name in homes[module]}, module


def test_whatever_is_required_is_used(built: Built) -> None:
    homes = packages_distributions()
    used = {canonicalize_name(n) for module in imported() for n in homes.get(module, ())}
    assert set(plain_requirements(built.wheel)) - used == set(UNSEEN)


def test_extras_bring_what_they_are_for(built: Built) -> None:
    found = [*map(Requirement, metadata_of(built.wheel).get_all("Requires-Dist", []))]
    for module, extra in OF_EXTRAS.items():
        markers = [r.marker for r in found if r.name == module]
        assert markers
        assert sum(bool(m and m.evaluate({"extra": extra})) for m in markers) == 1
        assert all(m and not m.evaluate({"extra": ""}) for m in markers)
    peers = {"trl", "statsmodels", "lexicalrichness", "pytest"}
    assert not peers & set(plain_requirements(built.wheel))


@pytest.mark.parametrize("name", PRIVATE)
def test_the_next_major_version_is_shut_out(name: str, built: Built) -> None:
    [requirement] = {
        r
        for r in map(Requirement, metadata_of(built.wheel).get_all("Requires-Dist", []))
        if r.name == name
    }
    major = int(pins()[name].split(".")[0])
    assert requirement.specifier.contains(pins()[name])
    assert not requirement.specifier.contains(f"{major + 1}.0")


def pins() -> dict[str, str]:
    """The version of every package in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_requirement_has_a_pin_that_satisfies_it(built: Built) -> None:
    found = map(Requirement, metadata_of(built.wheel).get_all("Requires-Dist", []))
    for requirement in found:
        name = canonicalize_name(requirement.name)
        if name != "equipoise":
            assert requirement.specifier.contains(pins()[name]), name
