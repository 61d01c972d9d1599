"""Occupations and their share of women: the task's, and Winogender's sixty where they are given."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows
from equipoise.task.task import Task

OCCUPATION, PERCENT = "occupation", "bls_pct_female"
"""Columns of Winogender's ``occupations-stats.tsv`` that are read (Rudinger et al. 2018)."""


def task_shares(task: Task) -> dict[str, float]:
    """The share of women, in percent (0-100), of each subject for which the task gives it."""
    return {s.name: float(s.women) for s in task.subjects if s.women is not None}


def no_shares_note(task: Task) -> list[str]:
    """A sentence where no slope can be measured for want of shares."""
    if task_shares(task):
        return []
    return [f"Task '{task.name}' gives no share of women: no stereotype slope."]


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
