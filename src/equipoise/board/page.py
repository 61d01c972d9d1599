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
    agreement_table,
    front_table,
    headline_tables,
    place_tables,
    run_rows,
)
from equipoise.report.page import TEMPLATES, environment, own_file, policy
from equipoise.wording.numbers import counted, listing, signed

OWN = Path(__file__).parent / "templates"


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
        agreement=agreement_table(board),
        places=place_tables(board),
        charts=page_charts(board),
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
    told, where = [], "the front" if len(board.runs) == 1 else "the front of every run"
    always = board.always_on_front
    if board.over:
        measured = listing([one.column.title for one in board.over])
        verb = "is" if len(always) == 1 else "are"
        names = f"{listing(always)} {verb}" if always else "No method is"
        told.append(f"{names} on {where}, over {measured}.")
    by_first = [one for one in board.agreements if one.headline == board.over[0].name]
    taus = [one.tau for one in by_first if one.tau == one.tau]
    if taus:
        swapped = sum(len(one.swapped) for one in by_first)
        span = signed(taus[0]) if len(taus) == 1 else f"{signed(min(taus))} to {signed(max(taus))}"
        title = board.over[0].column.title
        told.append(
            f"Two runs rank methods by “{title}” with a tau-b of {span}; "
            f"{counted(swapped, 'pair')} of methods changed places."
        )
    return told
