"""The board's tables: as rows for the page, as CSV for programs, as LaTeX for papers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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
from equipoise.wording.visible import shown

ON, OFF = "front", "beaten"
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

    @property
    def words(self) -> list[bool]:
        """Whether each column holds words, and no numbers."""
        texts = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in self.rows]
        columns = zip(*texts, strict=True)
        return [all(text == NONE or text[:1].isalpha() for text in own) for own in columns]


def headline_tables(board: Board) -> list[BoardTable]:
    """A table for each headline: a row a method, a column a run."""
    return [_of_headline(board, headline) for headline in board.headlines]


def _of_headline(board: Board, headline: Headline) -> BoardTable:
    column, values = headline.column, board.values(headline.name)
    rows: list[list[Cell]] = []
    for method in board.methods:
        row: list[Cell] = [method]
        for run in board.runs:
            text = column.form.page(values.at[method, run.name])
            certain = headline.name == BALANCE and board.certain.at[method, run.name]
            row.append((text, BY_CONSTRUCTION) if certain else text)
        rows.append(row)
    note = "" if column.better == "neither" else f"{column.better.capitalize()} is better."
    if column.text:
        note = f"“{NONE}”: none is shown, or none was looked for."
    header = ["method", *values.columns]
    return BoardTable(headline.name, column.title, note, header, rows, values.reset_index())


def front_table(board: Board) -> BoardTable:
    """Which methods are on the front of each run, and of how many runs."""
    known: list[list[Any]] = board.fronts.astype("object").to_numpy().tolist()
    rows: list[list[Cell]] = []
    for method, own in zip(board.methods, known, strict=True):
        row: list[Cell] = [method]
        for run, on in zip(board.runs, own, strict=True):
            text = NONE if on is pd.NA else ON if on else OFF
            certain = text == ON and board.certain.at[method, run.name]
            row.append((text, BY_CONSTRUCTION) if certain else text)
        told = [on for on in own if on is not pd.NA]
        rows.append([*row, f"{sum(told)} of {len(told)}"])
    over = "; ".join(one.column.title for one in board.over)
    note = f"Over: {over}. “{NONE}”: one of these was not measured."
    header = ["method", *board.fronts.columns, "fronts"]
    return BoardTable("front", "The Pareto front", note, header, rows, board.fronts.reset_index())


def agreement_tables(board: Board) -> list[BoardTable]:
    """Kendall's tau-b of each two runs, a table a headline; none of one run."""
    if len(board.runs) == 1:
        return []
    return [_agreement(board, headline) for headline in board.over]


def _agreement(board: Board, headline: Headline) -> BoardTable:
    own = [one for one in board.agreements if one.headline == headline.name]
    rows: list[list[Cell]] = [
        [one.one, one.other, str(one.methods), signed(one.tau), _interval(one),
         f"{len(one.swapped)} of {one.pairs}"]
        for one in own
    ]  # fmt: skip
    frame = pd.DataFrame(map(agreement_record, own))
    header = ["run", "and run", "methods", "tau-b", "95 % interval", "pairs swapped"]
    title, note = f"Rankings by {headline.column.title}", f"tau-b {span(own)}"
    return BoardTable(f"agreement_{headline.name}", title, note, header, rows, frame)


def agreement_record(one: Agreement) -> dict[str, Any]:
    """An agreement as plain data, its swapped pairs as how many they are."""
    return {**asdict(one), "pairs": one.pairs, "swapped": len(one.swapped)}


def span(own: Sequence[Agreement]) -> str:
    """The taus of several pairs of runs, from the lowest to the highest; "–" if there is none."""
    taus = [one.tau for one in own if not math.isnan(one.tau)]
    if not taus:
        return NONE
    low, high = signed(min(taus)), signed(max(taus))
    return low if low == high else f"{low} to {high}"


def _interval(one: Agreement) -> str:
    return NONE if math.isnan(one.low) else f"{signed(one.low)} to {signed(one.high)}"


def place_tables(board: Board) -> list[BoardTable]:
    """Ranks by each headline, the methods that changed places most first; none of one run."""
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
    note = f"{len(moved)} of {len(ranks)} methods that every run has a value of; 1 is the best."
    name, title = f"places_{headline.name}", f"Places by {headline.column.title}"
    return BoardTable(name, title, note, header, rows, frame.reset_index())


def run_rows(board: Board) -> Iterator[dict[str, Any]]:
    """What each run was made with; those that stand apart last."""
    reasons = {run.name: reason for run, reason in board.apart}
    for run in (*board.runs, *(run for run, _ in board.apart)):
        study = run.record["study"]
        yield {
            "run": run.name,
            "model": shown(study.get("model", "")),
            "task": shown(study.get("task", "")),
            "seeds": ", ".join(map(str, run.record["seeds"])),
            "samples_per_subject": study.get("samples_per_subject"),
            "methods": len(run.values),
            "apart": reasons.get(run.name, ""),
        }


def write_tables(board: Board, folder: Path) -> None:
    """Write every table, ``NAME.csv`` and ``NAME.tex``, and ``runs.csv`` and ``swapped.csv``."""
    every = [*headline_tables(board), front_table(board), *agreement_tables(board)]
    for table in (*every, *place_tables(board)):
        write_table(folder / f"{table.name}.csv", without_formulas(table.frame))
        label = f"tab:board-{table.name.replace('_', '-')}"
        notes, caption = [table.note] if table.note else [], f"{capital(table.title)}."
        with open_atomic(folder / f"{table.name}.tex") as stream:
            stream.write(latex_table(table.header, table.rows, caption, label, notes))
    write_table(folder / "runs.csv", without_formulas(pd.DataFrame(run_rows(board))))
    if len(board.runs) > 1:
        write_table(folder / "swapped.csv", without_formulas(_swapped(board)))


def capital(text: str) -> str:
    """``text`` as a sentence begins; the rest of it stays as it is."""
    return text[:1].upper() + text[1:]


def _swapped(board: Board) -> pd.DataFrame:
    """Every pair of methods that stands in one order in a run and in the other in another."""
    rows = [
        (one.headline, one.one, one.other, *pair)
        for one in board.agreements
        for pair in one.swapped
    ]
    return pd.DataFrame(rows, columns=["headline", "one", "other", "better_in_one",
                                       "better_in_other"])  # fmt: skip
