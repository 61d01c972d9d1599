"""Shares along an axis: Winogender's sixty occupations, and what is said where none is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows
from equipoise.task.task import Task

OCCUPATION, PERCENT = "occupation", "bls_pct_female"
"""Columns of Winogender's ``occupations-stats.tsv`` that are read (Rudinger et al. 2018)."""

SHARE = "women"
"""What these percentages are of, as an axis says it."""


def no_shares_note(task: Task) -> list[str]:
    """A sentence where no slope can be measured for want of an axis, or of shares."""
    if task.axis is None:
        return [f"Task '{task.name}' has no axis: no stereotype slope."]
    if task.shares:
        return []
    return [f"Task '{task.name}' gives no share of {task.axis.share}: no stereotype slope."]


def unmeasured_note(task: Task) -> list[str]:
    """A sentence where the task's axis has shares, and no words to measure an association with."""
    if task.axis is None or not task.shares or task.axis.unfitted.probes:
        return []
    return [f"The axis of task '{task.name}' has no unfitted probes: no association is measured."]


def check_fits(shares: Mapping[str, float], task: Task, study_file: Path) -> None:
    """Refuse Winogender's file where the task's axis is another, or methods know its occupations.

    Args:
        shares: What `read_shares` gave.
        task: The task whose association is to be measured on them.
        study_file: Named in errors, as Winogender's file is in it.

    Raises:
        EquipoiseError: The shares of the task's axis are not of women, or an occupation is one
            that methods may be fitted on.
    """
    axis = task.axis
    if axis is None or axis.share != SHARE:
        ours = "has no axis" if axis is None else f"has shares of {axis.share}"
        raise EquipoiseError(
            f"Winogender's percentages are of {SHARE}, and task '{task.name}' {ours}",
            file=study_file,
            field="measures.winogender",
            hint="Leave it out, or choose a task whose axis is gender.",
        )
    for name in axis.fitted.subjects:
        if name in shares:
            raise EquipoiseError(
                f"methods may be fitted on '{name}', which stands in axis.fitted.subjects of task "
                f"'{task.name}'",
                file=study_file,
                field="measures.winogender",
                hint="Take it out of one of the two.",
            )


def read_shares(path: str | Path) -> dict[str, float]:
    """Percent of women by occupation from a file like Winogender's ``occupations-stats.tsv``.

    Args:
        path: Tab-separated, with the columns ``occupation`` and ``bls_pct_female``.

    Raises:
        EquipoiseError: The file cannot be read, lacks a column, a percentage is none, or an
            occupation stands there twice.
    """
    rows = read_rows(path, delimiter="\t")
    if OCCUPATION not in rows.columns or PERCENT not in rows.columns:
        raise EquipoiseError(
            f"has no columns {OCCUPATION!r} and {PERCENT!r}, separated by tabs",
            file=path,
            hint="Give Winogender's occupations-stats.tsv.",
        )
    shares: dict[str, float] = {}
    pairs = zip(rows.columns[OCCUPATION], rows.columns[PERCENT], strict=True)
    for number, (name, text) in enumerate(pairs):
        name = name.strip()
        if not name or name in shares:
            what = f"{name[:40]!r} stands there twice" if name else "no occupation is named"
            raise EquipoiseError(
                f"{rows.place(number)}: {what}", file=path, hint="Give each occupation one line."
            )
        shares[name] = _percent(text, f"{rows.place(number)}: ", path)
    return shares


def _percent(text: str, place: str, path: str | Path) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:  # NaN is not
        raise EquipoiseError(
            f"{place}{text[:40]!r} is no percentage", file=path, hint="Write a number, 0 to 100."
        )
    return percent
