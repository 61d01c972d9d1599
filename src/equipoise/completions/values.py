"""What the strings of a stranger's table mean: numbers, truth, seeds, splits, methods."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from equipoise.completions.column_names import missing, missing_label
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted

ValueT = TypeVar("ValueT")

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "held-out", "held_out"), "validation"),
}
_TESTS = frozenset({"test", "testing", "eval", "evaluation", "dev", "heldout", "unseen"})
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0*|,0{1,2})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "1.0": True, "0.0": False}


def whole_number(value: str) -> int | None:
    """``value`` as a whole number; what spreadsheets make of 42 is one: ``42.0`` and ``42,0``."""
    if not _INTEGER.fullmatch(value):
        return None
    return int(re.split(r"[.,]", value)[0])


def truth(value: str) -> bool | None:
    """``true``, ``false``, ``1`` or ``0``, in any case, as a bool."""
    return _BOOLEANS.get(value.casefold())


def convert_all(
    values: Sequence[str] | None, convert: Callable[[str], ValueT | None]
) -> list[ValueT | None] | None:
    """``values`` converted, missing ones to ``None``, if all that are there can be; else ``None``.

    A stranger's column may mean something else under the same name (a time under ``finished``).
    """
    if values is None:
        return None
    converted = [convert(value.strip()) for value in values]
    pairs = zip(converted, values, strict=True)
    if all(found is None for found in converted) or any(
        found is None and not missing(value) for found, value in pairs
    ):
        return None
    return converted


def seeds_of(rows: Rows, values: Sequence[str] | None, default: int) -> tuple[list[int], list[str]]:
    """The seed of each row, and what is to be said of it.

    Without any seed it is ``default``. Rows without one beside rows with one get a seed of their
    own: ``default``, or the first number after it that is no other row's seed.

    Raises:
        EquipoiseError: A seed is not a whole number.
    """
    meant: dict[str, int | None] = {}
    values = values or [""] * len(rows)
    for row, value in enumerate(values):
        if value in meant:
            continue
        meant[value] = whole_number(value.strip())
        if meant[value] is None and not missing(value):
            raise EquipoiseError(
                f"{rows.place(row)}: seed {value[:40]!r} is not a whole number",
                file=rows.file,
                hint="Write each run's seed as a number, or leave the column out.",
            )
    found = [meant[value] for value in values]
    own, given = default, set(found) - {None}
    while own in given:
        own += 1
    without = sum(seed is None for seed in found)
    remarks = []
    if without and given:
        remarks.append(
            f"Rows without a seed, judged as seed {own} of their own: {without:,} of {len(rows):,}."
        )
    return [own if seed is None else seed for seed in found], remarks


def methods_of(
    rows: Rows, values: Sequence[str] | None, default: str
) -> tuple[list[str], list[str]]:
    """The method of each row, ``default`` where there is none, and what is to be said of it."""
    if values is None:
        return [default] * len(rows), []
    meant = {value: "" if missing_label(value) else value.strip() for value in set(values)}
    found = [meant[value] for value in values]
    without = found.count("")
    remarks = []
    if without and default in found:
        default = f"{default} (no method)"
    if 0 < without < len(found):
        remarks.append(
            f"Rows without a method, judged as method {default[:40]!r}: {without:,} of "
            f"{len(found):,}."
        )
    return [name or default for name in found], remarks


def splits_of(
    rows: Rows, values: Sequence[str] | None, subjects: list[str], task: Task
) -> tuple[list[str], list[str]]:
    """The file's own split where it gives one (its method was fitted on it), else the task's.

    A column without a single one of the usual names says something else, such as ``test`` of a
    benchmark; beside ``train``, ``test`` is what was not learnt from.

    Returns:
        The splits, and what is to be said of them.

    Raises:
        EquipoiseError: Beside splits that are known, one is neither train nor validation.
    """
    of_task = {subject.name: str(subject.split) for subject in task.subjects}
    if values is None:
        return [of_task.get(subject, "") for subject in subjects], []
    own = {value: _SPLITS.get(value.strip().casefold()) for value in set(values)}
    said = []
    if any(own.values()):
        tests = {value for value in own if value.strip().casefold() in _TESTS}
        own |= dict.fromkeys(tests, "validation")
        said += [f"Split {quoted(sorted(tests))} is read as validation."] if tests else []
    elif unknown := sorted(value for value in own if not missing(value)):
        said.append(f"Split {quoted(unknown, 3)} is no training or validation; the task's is used.")
        own = dict.fromkeys(own, "")
    none = {value for value in own if missing(value) or own[value] == ""}
    splits = []
    for row, (value, subject) in enumerate(zip(values, subjects, strict=True)):
        split = of_task.get(subject, "") if value in none else own[value]
        if split is None:
            raise EquipoiseError(
                f"{rows.place(row)}: split {value.strip()[:40]!r} is neither train nor validation",
                file=rows.file,
                hint="Use 'train' and 'validation', or leave it empty.",
            )
        splits.append(split)
    return splits, said


def runs_of(
    values: Sequence[str] | None, methods: list[str], seeds: list[int], subjects: list[str]
) -> list[int]:
    """The file's own run numbers if all are numbers; else 0, 1, ... in each cell and subject."""
    own = convert_all(values, whole_number)
    if own is not None and None not in own:
        return [number for number in own if number is not None]
    count: dict[tuple[str, int, str], int] = {}
    runs = []
    for key in zip(methods, seeds, subjects, strict=True):
        runs.append(count.get(key, 0))
        count[key] = runs[-1] + 1
    return runs
