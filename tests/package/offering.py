"""Some of the installed packages, shown to another environment: those that requirements name.

An environment from the registry takes minutes and gigabytes. This one takes a second: a folder
with links to the distributions that a wheel's metadata requires, directly or not. Whatever else is
installed here cannot be imported there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def required(requirements: Iterable[str]) -> set[str]:
    """Names of all distributions that ``requirements`` lead to in this environment."""
    found: set[tuple[str, str]] = set()
    left = [(text, "") for text in requirements]
    while left:
        text, extra = left.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in found:
                found.add((name, wanted))
                left += [(more, wanted) for more in metadata.requires(name) or ()]
    return {name for name, _ in found}


def offer(names: set[str], folder: Path) -> None:
    """Link the files of the distributions ``names`` into ``folder``, and of no other.

    A folder that only they have is linked whole; one that others share is made of links to files.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    files: dict[str, list[Path]] = {}
    places: dict[str, Path] = {}
    for distribution in metadata.distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        places.setdefault(name, Path(str(distribution.locate_file(""))))
        files.setdefault(name, [Path(str(file)) for file in distribution.files or ()])
        for file in files[name]:
            owners[file.parts[0]].add(name)
    for offered in names:
        for file in files[offered]:
            top = file.parts[0]
            if top == "..":  # commands and manuals
                continue
            part = Path(top) if owners[top] <= names else file
            link = folder / part
            if not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(places[offered] / part)
