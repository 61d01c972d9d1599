"""Occupations and their share of women: the task's, and Winogender's sixty where they are given."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.evaluation.csv_file import read_rows
from equipoise.task.task import Task

OCCUPATION, PERCENT = "occupation", "bls_pct_female"
"""Columns of Winogender's ``occupations-stats.tsv`` that are read (Rudinger et al. 2018)."""


def task_shares(task: Task) -> dict[str, float]:
    """The share of women, in percent (0-100), of each subject for which the task gives it."""
    return {s.name: float(s.women) for s in task.subjects if s.women is not None}


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
            mend="Give Winogender's occupations-stats.tsv.",
        )
    shares: dict[str, float] = {}
    pairs = zip(rows.columns[OCCUPATION], rows.columns[PERCENT], strict=True)
    for number, (name, text) in enumerate(pairs):
        name = name.strip()
        if not name or name in shares:
            what = f"{name[:40]!r} stands there twice" if name else "no occupation is named"
            raise EquipoiseError(
                f"{rows.place(number)}: {what}", file=path, mend="Give each occupation one line."
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
            f"{place}{text[:40]!r} is no percentage", file=path, mend="Write a number, 0 to 100."
        )
    return percent
