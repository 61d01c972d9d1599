"""Which column is which in a stranger's table.

Columns are recognised by name, in any case and however words are joined, and checked by what they
hold: a column of numbers is never the text. Where two fit, the one whose name stands first in
``column_names`` is taken, and the remarks say which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from equipoise.completions.column_names import (
    asks,
    missing,
    missing_label,
    normal,
    rank,
)
from equipoise.completions.flatten import ASKING_ROLES
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted

_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*")
_SPEAKERS = ASKING_ROLES | {"assistant", "model", "gpt", "ai", "bot", ""}
LOOKED_AT = 1_000
"""Values of a column that say what it holds."""


@dataclass
class Columns:
    """The columns that were found.

    Attributes:
        of: Role -> name of the column; roles without a column are missing.
        remarks: What was taken where several fit, one sentence each.
    """

    of: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def values(self, rows: Rows, role: str) -> list[str] | None:
        """The values of the column that is ``role``; ``None`` if there is none."""
        return rows.columns[self.of[role]] if role in self.of else None


def find_columns(
    rows: Rows,
    task: Task,
    chosen: Mapping[str, str | None],
    given: Mapping[str, str],
    *,
    subject_elsewhere: bool = False,
) -> Columns:
    """The column of each role that there is one for.

    Args:
        rows: The table.
        task: Its subjects tell which column names them, where the names leave it open.
        chosen: Roles whose column the user names (``None``: not).
        given: Roles whose column the format says, which the user's choice overrules.
        subject_elsewhere: The subject can be had without a column.

    Raises:
        EquipoiseError: There is no text or no subject; the chosen column does not exist, or holds
            numbers where a text is needed; two columns of one name differ.
    """
    found = Columns()
    for role in ("text", "subject", "method", "seed", "split", "run", "finished", "tokens"):
        named = chosen.get(role)
        if named is not None:
            found.of[role] = _asked_for(rows, named, role)
        elif role in given:
            found.of[role] = given[role]
        else:
            _recognise(rows, task, role, found)
    if "text" not in found.of or ("subject" not in found.of and not subject_elsewhere):
        raise _none_found(rows, "subject" if "text" in found.of else "text")
    if _share_begun([found.of["text"]], task):
        raise EquipoiseError(
            f"the first line holds a text where the columns' names should be: "
            f"{quoted([found.of['text']])}",
            file=rows.file,
            hint="Write a line above it, such as: occupation,text",
        )
    if chosen.get("text") is not None and all_numbers(rows.columns[found.of["text"]]):
        raise EquipoiseError(
            f"column {found.of['text']!r} holds numbers, not texts; the columns are "
            f"{quoted(list(rows.columns))}",
            file=rows.file,
            hint="Name the right one with --text-column.",
        )
    return found


def has_subject(rows: Rows, task: Task) -> bool:
    """Whether a column is recognised by its name as the subject."""
    names = [name for name in rows.columns if rank(name, "subject") is not None]
    return bool(_fitting(rows, task, "subject", names))


def all_numbers(values: Sequence[str]) -> bool:
    """Whether there are values, and all of them are numbers or missing."""
    there = False
    for value in values:
        if _NUMBER.fullmatch(value):
            there = True
        elif value.strip() and not missing(value):
            return False
    return there


def _asked_for(rows: Rows, name: str, role: str) -> str:
    """The column that the user named; case and marks may differ if only one fits."""
    if name in rows.columns:
        return name
    similar = [column for column in rows.columns if normal(column) == normal(name)]
    if len(similar) == 1:
        return similar[0]
    raise EquipoiseError(
        f"there is no column {name!r}; the columns are {quoted(list(rows.columns))}",
        file=rows.file,
        hint=f"Name the right one with --{role}-column.",
    )


def _recognise(rows: Rows, task: Task, role: str, found: Columns) -> None:
    """Put the column that is ``role`` into ``found``, with what is to be said of it."""
    taken = set(found.of.values())
    ranked = sorted(
        (place, number, name)
        for number, name in enumerate(rows.columns)
        if name not in taken and (place := rank(name, role)) is not None
    )
    names = [name for _, _, name in ranked]
    fitting = _fitting(rows, task, role, names)
    if not fitting:
        if role == "subject":
            _by_content(rows, task, found)
        elif role == "text":
            _by_beginning(rows, task, taken, found)
        return
    best = fitting[0]
    if role == "text" and _share_begun(rows.columns[best], task) == 0:
        _by_beginning(rows, task, {*taken, *names}, found)
        if "text" in found.of:
            return
    others = [name for name in fitting[1:] if rows.columns[name] != rows.columns[best]]
    twins = [name for name in others if rank(name, role) == rank(best, role)]
    if twins:
        flag = f"--{role}-column" if role in ("text", "subject", "method") else ""
        raise EquipoiseError(
            f"columns {quoted([best, *twins])} could all be the {role}; the columns are "
            f"{quoted(list(rows.columns))}",
            file=rows.file,
            hint=f"Name the right one with {flag}." if flag else "Rename all but one.",
        )
    found.of[role] = best
    if others and role not in ("finished", "tokens"):
        what = "number of the draw" if role == "run" else role
        could = "could be it too and is" if len(others) == 1 else "could be it too and are"
        found.remarks.append(
            f"Column {quoted([best])} is read as the {what}; {quoted(others, 5)} {could} not read."
        )


def _fitting(rows: Rows, task: Task, role: str, names: list[str]) -> list[str]:
    """Those of ``names`` that hold what the role needs; the better first."""
    columns = rows.columns
    if role == "text":
        texts = [name for name in names if not all_numbers(columns[name])]
        filled = [name for name in texts if any(map(str.strip, columns[name]))]
        wordy = [name for name in filled if is_wordy(columns[name])]
        return wordy or filled or texts[:1]
    if role == "subject":
        known = [name for name in names if _share_known(columns[name], task) > 0]
        words = [name for name in names if not all_numbers(columns[name])]
        return known or [name for name in words if not _are_speakers(columns[name])]
    if role == "run":
        return [name for name in names if all_numbers(columns[name])]
    if role == "method":
        labels = [name for name in names if len(set(columns[name])) > 1]
        names = [name for name in labels if not is_wordy(columns[name])] or labels or names
    empty = missing_label if role == "method" else missing
    return [name for name in names if not all(map(empty, columns[name]))]


def _are_speakers(values: Sequence[str]) -> bool:
    """Whether a column says who speaks in a conversation, which is not who is described."""
    return {value.strip().casefold() for value in values[:LOOKED_AT]} <= _SPEAKERS


def is_wordy(values: Sequence[str]) -> bool:
    """Whether most values hold more than one word, as texts do and labels do not."""
    looked_at = [value for value in values[:LOOKED_AT] if value.strip()]
    return 2 * sum(len(value.split(None, 2)) > 1 for value in looked_at) > len(looked_at)


def _share_known(values: Sequence[str], task: Task) -> float:
    """Share of the values, 0-1, that are subjects of the task."""
    known = {subject.name.casefold() for subject in task.subjects}
    looked_at = [value for value in values[:LOOKED_AT] if value.strip()]
    hits = sum(value.strip().casefold() in known for value in looked_at)
    return hits / len(looked_at) if looked_at else 0.0


def _by_content(rows: Rows, task: Task, found: Columns) -> None:
    """Take as the subject the one column whose values are subjects of the task, if one is."""
    taken = set(found.of.values())
    fitting = [
        name
        for name, values in rows.columns.items()
        if name not in taken and _share_known(values, task) > 0.5
    ]
    if len(fitting) == 1:
        found.of["subject"] = fitting[0]
        found.remarks.append(
            f"Column {quoted(fitting)} is read as the subject, because it holds the task's."
        )


def _by_beginning(rows: Rows, task: Task, taken: set[str], found: Columns) -> None:
    """Take as the text the one column whose values begin as the task's sentences do, if one is."""
    fitting = [
        name
        for name, values in rows.columns.items()
        if name not in taken and not asks(name) and _share_begun(values, task) > 0.5
    ]
    if len(fitting) == 1:
        found.of["text"] = fitting[0]
        found.remarks.append(
            f"Column {quoted(fitting)} is read as the text, because its values begin as the task's "
            "sentences do."
        )


def _share_begun(values: Sequence[str], task: Task) -> float:
    """Share of the values, 0-1, that begin with the task's prefix, whoever the subject is."""
    before, _, after = task.prefix.partition("{subject}")
    begins = re.compile(
        rf"\W*{re.escape(before)}[^.!?\n]{{1,60}}?{re.escape(after)}\b", re.IGNORECASE
    )
    looked_at = [value for value in values[:LOOKED_AT] if value.strip()]
    return sum(begins.match(value) is not None for value in looked_at) / max(1, len(looked_at))


def _none_found(rows: Rows, what: str) -> EquipoiseError:
    """There is no column that is ``what``: the reason, as far as it can be seen."""
    names = list(rows.columns)
    problem = f"no column is the {what}"
    numbers = [n for n in names if rank(n, "text") is not None and all_numbers(rows.columns[n])]
    if what == "text" and numbers:
        problem += f" ({quoted(numbers, 3)} holds numbers)"
    hint = f"Name the right one with --{what}-column."
    if len(names) == 1 and "|" in names[0]:
        hint = "Separate the columns with commas."
    elif len(names) == 1 and rows.file and rows.file.suffix.casefold() == ".tsv":
        hint = "Files named .tsv have tabs between columns: use them, or rename it."
    return EquipoiseError(f"{problem}; the columns are {quoted(names)}", file=rows.file, hint=hint)
