"""The studies that come with Equipoise, and how a study is told from a path."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import existing

_BUILTIN = Path(__file__).parent / "studies"


def builtin_studies() -> list[str]:
    """Names of the studies that come with the package, those below ``tuning/`` last."""
    paths = [path.relative_to(_BUILTIN).with_suffix("") for path in _BUILTIN.rglob("*.toml")]
    names = [path.as_posix() for path in paths]
    return sorted(names, key=lambda name: ("/" in name, name))


def study_path(name_or_path: str | Path) -> Path:
    """The file of a study.

    Args:
        name_or_path: The name of a built-in study (``builtin_studies()``), or the path of a study
            file. A built-in name wins over a file of the current folder; ``./NAME`` is the file.

    Raises:
        EquipoiseError: It is neither.
    """
    path = Path(name_or_path)
    if isinstance(name_or_path, str) and name_or_path in builtin_studies():
        return _BUILTIN / f"{name_or_path}.toml"
    if existing(path) is not None:
        return path
    if _looks_like_a_path(name_or_path):
        if path.suffix == ".toml" and path.stem in builtin_studies():
            raise EquipoiseError(
                "no such file",
                file=path,
                hint=f"Did you mean the study '{path.stem}' that comes with Equipoise?",
            )
        return path  # whoever reads it says what is wrong with it
    alike = [name for name in builtin_studies() if "/" not in name or "/" in str(name_or_path)]
    raise EquipoiseError(
        f"there is no built-in study '{name_or_path}'",
        hint=f"{nearest(str(name_or_path), alike)} Your own study is named by a path in .toml.",
    )


def _looks_like_a_path(name: str | Path) -> bool:
    return isinstance(name, Path) or name.endswith(".toml") or "/" in name or "\\" in name
