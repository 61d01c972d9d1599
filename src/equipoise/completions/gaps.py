"""Gaps in a stranger's table: records that name a field differently, and merged cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from equipoise.completions.column_names import ROLE_NAMES, missing_label, normal
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted


def with_names_joined(rows: Rows, task: Task) -> tuple[Rows, list[str]]:
    """``rows`` with columns put together that are one field under several names.

    They are where no row has two of them: some records say ``text`` and some ``completion``. Texts
    and subjects are joined only where each of the columns speaks of the task's subjects, as an
    error message may stand where there is no answer.

    Returns:
        The table, and what is to be said of it.
    """
    columns, said = dict(rows.columns), []
    for role in ("text", "subject", "method", "seed", "split"):
        names = [name for name in columns if normal(name) in ROLE_NAMES[role]]
        names.sort(key=lambda name: ROLE_NAMES[role].index(normal(name)))
        names = [name for name in names if any(map(str.strip, columns[name]))]
        if role in ("text", "subject"):
            names = [name for name in names if _speaks_of_subjects(columns[name], task)]
        if len(names) < 2 or not _take_turns([columns[name] for name in names]):
            continue
        first, *others = names
        columns[first] = ["".join(cells) for cells in zip(*map(columns.get, names), strict=True)]
        for name in others:
            del columns[name]
        said.append(f"Columns {quoted(names)} are read as one: no row has two of them.")
    return replace(rows, columns=columns), said


def filled_down(
    values: list[str] | None, what: str, *, merged: bool = True
) -> tuple[list[str] | None, list[str]]:
    """``values`` with each blank as the value above it, where most are blank but the first is not.

    So a spreadsheet writes merged cells: the first row of a group has the value.

    Args:
        values: Of a column; None if there is none.
        what: The column's role, for the remark.
        merged: Whether there can be merged cells at all.

    Returns:
        The values, and what is to be said of them.
    """
    if not merged or not values or not values[0].strip():
        return values, []
    blank = sum(not value.strip() for value in values)
    if 2 * blank < len(values):
        return values, []
    filled: list[str] = []
    for value in values:
        filled.append(value if value.strip() else filled[-1])
    return filled, [
        f"Rows without a {what} below one that has it, read as merged cells: {blank:,}."
    ]


def with_silent_rows(labels: list[str] | None, texts: Sequence[str]) -> list[str] | None:
    """``labels`` with the only method there is in rows without one, if none of these has a text.

    So logs of servers write requests that failed. They count as empty answers of that method.
    """
    named = {label.strip() for label in labels or [] if not missing_label(label)}
    pairs = list(zip(labels or [], texts, strict=False))
    if len(named) != 1 or any(missing_label(label) and text.strip() for label, text in pairs):
        return labels
    (only,) = named
    return [only if missing_label(label) else label for label, _ in pairs]


def _take_turns(columns: Sequence[Sequence[str]]) -> bool:
    """Whether no row has a value in two of them."""
    return all(sum(bool(cell.strip()) for cell in row) <= 1 for row in zip(*columns, strict=True))


def _speaks_of_subjects(values: Sequence[str], task: Task) -> bool:
    """Whether most values that are there name one of the task's subjects."""
    names = [subject.name.casefold() for subject in task.subjects]
    there = [folded for value in values[:1_000] if (folded := value.casefold().strip())]
    return 2 * sum(any(name in value for name in names) for value in there) > len(there)
