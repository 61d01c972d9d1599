"""Methods that need others of the same study: their models, to start from or to mix, or texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.method import Method
from equipoise.runs.sweep import Sweep


def check_needs(
    methods: Mapping[str, Method[Any]], path: Path, sweeps: Iterable[Sweep] = ()
) -> None:
    """Refuse a need of what the study lacks, of what is not trained, or that leads back to itself.

    The name of a table that became several methods is no method's either.

    Args:
        methods: The study's methods by label.
        path: The study file.
        sweeps: Its sweeps.

    Raises:
        EquipoiseError: Naming the method's table and its setting in ``path``.
    """
    swept = {sweep.table: sweep for sweep in sweeps}
    for label, method in methods.items():
        for setting, named in method.refers_to.items():
            for name in swept.keys() & set(named):
                raise EquipoiseError(
                    f"'{name}' is swept, so that it is {len(swept[name].values)} methods",
                    file=path,
                    field=f"methods.{label}.{setting}",
                    hint=f"Name one of its values: {', '.join(swept[name].values)}.",
                )
        for setting, needed in {**method.learns_from, **method.needs}.items():
            field = f"methods.{label}.{setting}"
            for name in needed:
                _check_there(name, label, methods, path, field)
                if setting in method.needs:
                    _check_trained(name, methods, path, field)
            if circle := _circle(label, needed, methods):
                raise EquipoiseError(
                    f"no method can be the first: {' builds on '.join(circle)}",
                    file=path,
                    field=field,
                    hint="Let one of them start from the base model.",
                )


def _check_there(
    name: str, label: str, methods: Mapping[str, Method[Any]], path: Path, field: str
) -> None:
    if name not in methods:
        raise EquipoiseError(
            f"the study has no method '{name}'",
            file=path,
            field=field,
            hint=nearest(name, [other for other in methods if other != label]),
        )


def _check_trained(name: str, methods: Mapping[str, Method[Any]], path: Path, field: str) -> None:
    if not methods[name].changes_weights:
        raise EquipoiseError(
            f"'{name}' trains nothing, so it has no model",
            file=path,
            field=field,
            hint="Name a trained method, or leave it out.",
        )


def _circle(
    label: str, needed: Iterable[str], methods: Mapping[str, Method[Any]]
) -> list[str] | None:
    """A way from ``label`` through what it needs back to itself, if there is one."""
    ways, seen = [[label, name] for name in needed], {label}
    while ways:
        way = ways.pop()
        if way[-1] == label:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, name] for name in needed_by(way[-1], methods)]
    return None


def needed_by(label: str, methods: Mapping[str, Method[Any]]) -> list[str]:
    """The methods that ``label`` needs at once, each named once, its start first.

    Those whose completions it learns from come after those whose models it needs.

    A method that the study does not have needs nothing.
    """
    if label not in methods:
        return []
    method = methods[label]
    groups = [*method.needs.values(), *method.learns_from.values()]
    return list(dict.fromkeys(name for names in groups for name in names))


def line_of(label: str, methods: Mapping[str, Method[Any]]) -> list[str]:
    """``label`` and all that it builds on, directly or not, each once and before what it needs."""
    finished: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        if name not in finished and name not in above:  # the latter is a circle
            for needed in needed_by(name, methods):
                visit(needed, above | {name})
            finished[name] = None

    visit(label, frozenset())
    return list(reversed(finished))


def control_of(label: str, methods: Mapping[str, Method[Any]]) -> str:
    """The kinds of control at work, in the order in which they were applied, joined by " + ".

    ``none`` only where there is no other: a filter on a model that SFT made is "parametric +
    post-hoc", a prompt asked of it "parametric", and of the untuned model "none". What learnt from
    a filter's completions is controlled post hoc, then by its weights.
    """
    kinds = [methods[name].control for name in reversed(line_of(label, methods))]
    return " + ".join(dict.fromkeys(kind for kind in kinds if kind != "none")) or "none"


def in_order(labels: Iterable[str], methods: Mapping[str, Method[Any]]) -> list[str]:
    """``labels`` such that each comes after what it builds on, otherwise as they are."""
    ordered: list[str] = []
    wanted = list(labels)
    for label in wanted:
        for name in reversed(line_of(label, methods)):
            if name in wanted and name not in ordered:
                ordered.append(name)
    return ordered
