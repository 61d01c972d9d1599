"""The board's tables: as rows for the page, as CSV for programs, as LaTeX for papers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.board.agreement import Agreement
from equipoise.board.board import Board
from equipoise.board.shown import BALANCE
from equipoise.files.artifacts import open_atomic
from equipoise.measures import write_table
from equipoise.measures.declaration import Headline
from equipoise.report.latex import Cell, latex_table
from equipoise.report.tables import BY_CONSTRUCTION
from equipoise.wording.numbers import NONE, signed
from equipoise.wording.spreadsheet import without_formulas

ON, OFF = "on it", "beaten"
"""What stands for a method on a front, and for one that another beats."""


@dataclass(frozen=True)
class BoardTable:
    """A table of the board, ready to be laid out.

    Attributes:
        name: Of its files.
        title: For people.
        note: What a reader must know to read it, as sentences; may be empty.
        header: Titles of the columns; the first names the rows.
        rows: Cells, as many as titles; the second of two texts is small and below the first.
        frame: The same as numbers.
    """

    name: str
    title: str
    note: str
    header: list[str]
    rows: list[list[Cell]]
    frame: pd.DataFrame


def headline_tables(board: Board) -> list[BoardTable]:
    """A table for each headline: a row a method, a column a run."""
    return [_of_headline(board, headline) for headline in board.headlines]


def _of_headline(board: Board, headline: Headline) -> BoardTable:
    values, write = board.values(headline.name), headline.column.form.page
    rows: list[list[Cell]] = []
    for method, own in values.iterrows():
        certain = board.certain.loc[method] if headline.name == BALANCE else {}
        cells: list[Cell] = [
            (write(value), BY_CONSTRUCTION) if certain.get(name) else write(value)
            for name, value in own.items()
        ]
        rows.append([str(method), *cells])
    direction = headline.column.better
    note = "" if direction == "neither" else f"{direction.capitalize()} is better."
    header = ["method", *values.columns]
    title = headline.column.title
    return BoardTable(headline.name, title, note, header, rows, values.reset_index())


def front_table(board: Board) -> BoardTable:
    """Which methods are on the front of each run, and of how many runs."""
    rows: list[list[Cell]] = []
    for method, own in board.fronts.iterrows():
        cells: list[Cell] = []
        for name, on in own.items():
            text = NONE if pd.isna(on) else ON if on else OFF
            certain = board.certain.loc[method, name] and text == ON
            cells.append((text, BY_CONSTRUCTION) if certain else text)
        told = int(own.notna().sum())
        rows.append([str(method), *cells, f"{int(own.fillna(False).sum())} of {told}"])
    names = ", ".join(one.column.title for one in board.over)
    note = f"Over {names}. “{NONE}”: one of these was not measured."
    header = ["method", *board.fronts.columns, "fronts"]
    title = "Methods that no other method beats"
    return BoardTable("front", title, note, header, rows, board.fronts.reset_index())


def agreement_table(board: Board) -> BoardTable | None:
    """Kendall's tau-b of each two runs, headline by headline; None of one run."""
    if not board.agreements:
        return None
    titles = {one.name: one.column.title for one in board.over}
    rows: list[list[Cell]] = [
        [titles[one.headline], one.one, one.other, str(one.methods), signed(one.tau),
         _interval(one), f"{len(one.swapped)} of {one.pairs}"]
        for one in board.agreements
    ]  # fmt: skip
    frame = pd.DataFrame(
        [
            {"headline": one.headline, "one": one.one, "other": one.other,
             "methods": one.methods, "tau": one.tau, "low": one.low, "high": one.high,
             "pairs": one.pairs, "swapped": len(one.swapped)}
            for one in board.agreements
        ]
    )  # fmt: skip
    header = ["ranked by", "run", "and run", "methods", "tau-b", "95 % interval", "pairs swapped"]
    title = "Agreement of the rankings (Kendall’s tau-b)"
    note = "1: the same order; 0: none in common; −1: the order reversed."
    return BoardTable("agreement", title, note, header, rows, frame)


def _interval(one: Agreement) -> str:
    return NONE if math.isnan(one.low) else f"{signed(one.low)} to {signed(one.high)}"


def place_tables(board: Board) -> list[BoardTable]:
    """Ranks by each headline, the methods that changed places most first; none of one run."""
    if len(board.runs) == 1:
        return []
    return [table for one in board.over if (table := _places(board, one)) is not None]


def _places(board: Board, headline: Headline) -> BoardTable | None:
    ranks = board.ranks(headline)
    moved = (ranks.max(axis=1) - ranks.min(axis=1)).rename("moved")
    moved = moved[moved > 0].sort_values(ascending=False, kind="stable")
    if moved.empty:
        return None
    frame = ranks.loc[moved.index].assign(moved=moved)
    rows: list[list[Cell]] = [
        [str(method), *map(str, own.tolist())] for method, own in frame.iterrows()
    ]
    header = ["method", *ranks.columns, "moved by"]
    note = f"Of {len(ranks)} methods that every run has a value of; 1 is the best."
    name, title = f"places_{headline.name}", f"Places by {headline.column.title}"
    return BoardTable(name, title, note, header, rows, frame.reset_index())


def run_rows(board: Board) -> Iterator[dict[str, Any]]:
    """What each run was made with; those that stand apart last."""
    reasons = {run.name: reason for run, reason in board.apart}
    for run in (*board.runs, *(run for run, _ in board.apart)):
        study = run.record["study"]
        yield {
            "run": run.name,
            "model": str(study.get("model", "")),
            "task": str(study.get("task", "")),
            "seeds": ", ".join(map(str, run.record["seeds"])),
            "samples_per_subject": study.get("samples_per_subject"),
            "methods": len(run.values),
            "apart": reasons.get(run.name, ""),
        }


def write_tables(board: Board, folder: Path) -> None:
    """Write every table, ``NAME.csv`` and ``NAME.tex``, and ``runs.csv`` and ``swapped.csv``."""
    every = [*headline_tables(board), front_table(board), agreement_table(board)]
    for table in (*every, *place_tables(board)):
        if table is not None:
            write_table(folder / f"{table.name}.csv", without_formulas(table.frame))
            label = f"tab:board-{table.name.replace('_', '-')}"
            notes = [table.note] if table.note else []
            with open_atomic(folder / f"{table.name}.tex") as stream:
                stream.write(latex_table(table.header, table.rows, table.title, label, notes))
    write_table(folder / "runs.csv", without_formulas(pd.DataFrame(run_rows(board))))
    if len(board.runs) > 1:
        write_table(folder / "swapped.csv", without_formulas(_swapped(board)))


def _swapped(board: Board) -> pd.DataFrame:
    """Every pair of methods that stands in one order in a run and in the other in another."""
    rows = [
        (one.headline, one.one, one.other, *pair)
        for one in board.agreements
        for pair in one.swapped
    ]
    return pd.DataFrame(rows, columns=["headline", "one", "other", "better_in_one",
                                       "better_in_other"])  # fmt: skip
