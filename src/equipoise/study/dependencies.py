"""Methods that start from the result of another one of the same study: ``init_from``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.method import Method


def check_starts(methods: Mapping[str, Method[Any]], path: Path) -> None:
    """Refuse an ``init_from`` that names no trained method, or that leads back to itself.

    Raises:
        EquipoiseError: Naming the method's table in ``path``.
    """
    for label, method in methods.items():
        start = method.init_from
        if start is None:
            continue
        field = f"methods.{label}.init_from"
        if start not in methods:
            raise EquipoiseError(
                f"the study has no method '{start}'",
                file=path,
                field=field,
                hint=nearest(start, [other for other in methods if other != label]),
            )
        if not methods[start].changes_weights:
            raise EquipoiseError(
                f"'{start}' trains nothing, so there is no model to start from",
                file=path,
                field=field,
                hint="Name a trained method, or leave it out.",
            )
        chain = line_of(label, methods)
        if chain[-1] in chain[:-1]:
            raise EquipoiseError(
                f"no method can be the first: {' starts from '.join(chain)}",
                file=path,
                field=field,
                hint="Let one of them start from the base model.",
            )


def line_of(label: str, methods: Mapping[str, Method[Any]]) -> list[str]:
    """``label``, what it starts from, what that starts from, ...; it ends at the first repetition.

    Methods that the study does not have end it too.
    """
    line = [label]
    while line[-1] in methods and line[-1] not in line[:-1]:
        start = methods[line[-1]].init_from
        if start is None:
            break
        line.append(start)
    return line


def control_of(label: str, methods: Mapping[str, Method[Any]]) -> str:
    """The kinds of control at work, in the order in which they were applied, joined by " + ".

    ``none`` only where there is no other: a filter on a model that SFT made is "parametric +
    post-hoc", a prompt asked of it "parametric", and of the untuned model "none".
    """
    kinds = [methods[name].control for name in reversed(line_of(label, methods))]
    return " + ".join(dict.fromkeys(kind for kind in kinds if kind != "none")) or "none"


def in_order(labels: Iterable[str], methods: Mapping[str, Method[Any]]) -> list[str]:
    """``labels`` such that each comes after what it starts from, otherwise as they are."""
    ordered: list[str] = []
    wanted = list(labels)
    for label in wanted:
        for name in reversed(line_of(label, methods)):
            if name in wanted and name not in ordered:
                ordered.append(name)
    return ordered
