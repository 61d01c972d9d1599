"""The board's page: one file of the report's kind, without a script."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

import equipoise
from equipoise.board.board import Board
from equipoise.board.figures import page_charts
from equipoise.board.finished import BoardRun
from equipoise.board.tables import (
    agreement_tables,
    capital,
    front_table,
    headline_tables,
    place_tables,
    run_rows,
    span,
)
from equipoise.report.page import TEMPLATES, environment, own_file, policy
from equipoise.wording.numbers import NONE, counted, listing

OWN = Path(__file__).parent / "templates"

MOST_NAMED = 8
"""Methods that the first sentence names; of more it says how many they are."""


def render_page(board: Board, out: Path) -> str:
    """The whole page as HTML.

    Args:
        board: The board.
        out: The folder where the page is to stand; links to the runs' own pages lead from there.
    """
    style = own_file("page.css")
    pages = {run.name: _link(run, out) for run in (*board.runs, *(run for run, _ in board.apart))}
    return environment(OWN, TEMPLATES).get_template("board.html").render(
        version=equipoise.__version__,
        policy=policy(style),
        style=Markup(style),  # noqa: S704 - a file of this package
        question=_question(board),
        result=" ".join(_result(board)),
        remarks=board.remarks,
        runs=list(run_rows(board)),
        pages=pages,
        headlines=headline_tables(board),
        front=front_table(board),
        agreements=agreement_tables(board),
        places=place_tables(board),
        charts=page_charts(board),
        capital=capital,
    )  # fmt: skip


def _link(run: BoardRun, out: Path) -> str | None:
    """Where the run's own page is, seen from ``out``."""
    if run.page is None:
        return None
    return quote(Path(os.path.relpath(run.page.resolve(), out.resolve())).as_posix())


def _question(board: Board) -> str:
    if len(board.runs) == 1:
        return f"How do {counted(len(board.methods), 'method')} compare?"
    return f"Does it hold in {counted(len(board.runs), 'run')}?"


def _result(board: Board) -> list[str]:
    """What fronts and rankings say, a sentence each."""
    if not board.over:
        return ["Nothing was measured by which methods can be ranked."]
    always, several = board.always_on_front, len(board.runs) > 1
    front = "the Pareto front of every run" if several else "the Pareto front"
    if len(always) > MOST_NAMED:
        names = f"{len(always)} of {len(board.methods)} methods are"
    else:
        names = f"{listing(always) or 'No method'} {'are' if len(always) > 1 else 'is'}"
    told = [f"{names} on {front}."]
    first = board.over[0]
    own = [one for one in board.agreements if one.headline == first.name]
    if (taus := span(own)) != NONE:
        told.append(f"Rankings by “{first.column.title}” agree with a tau-b of {taus}.")
    return told
