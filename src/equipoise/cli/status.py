"""``equipoise status``: which cells of a run are done, running, failed or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from equipoise.cli.options import Json, RunFolder
from equipoise.cli.terminal import show, show_table

if TYPE_CHECKING:
    from equipoise.runs.status import CellStatus, RunStatus

EXAMPLES = """\b
Examples:
  equipoise status runs/quickstart
  equipoise status runs/quickstart --json"""


def status(
    run: RunFolder,
    as_json: Json = False,
) -> None:
    """Show how a run stands: cells done, running, failed, missing.

    Exit code 0: all is done; 1: cells failed or are damaged; 3: not all is
    done yet. Contents of files are compared by 'equipoise verify'.
    """
    from equipoise.runs.status import run_status

    found = run_status(run)
    if as_json:
        import json

        show(json.dumps(_plain(found), indent=2))
    else:
        _show(found)
    raise typer.Exit(found.exit_code)


def _show(found: RunStatus) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("method", "seed", "state", "seconds", ""):
        table.add_column(name, justify="right" if name in ("seed", "seconds") else "left")
    for one in found.cells:
        seconds = "" if one.seconds is None else f"{one.seconds:.0f}"
        texts = (one.cell.label, str(one.cell.seed), one.state, seconds, _remark(one))
        table.add_row(*map(Text, texts))
    show_table(table)
    counts = ", ".join(f"{n} {state}" for state, n in found.counts().items())
    show(f"{found.name}: {counts} of {len(found.cells)} cells" + _tables(found))


def _tables(found: RunStatus) -> str:
    done = found.counts().get("done") == len(found.cells)
    return "; the tables are not written yet" if done and not found.tables else ""


def _remark(one: CellStatus) -> str:
    """Who and how far, or what is wrong."""
    if one.problem is not None:
        return one.problem
    if one.note is None:
        return ""
    worker = one.note.worker
    who = f"process {worker.pid} on {worker.host}, since {worker.since}"
    far = f"{one.note.stage} {one.note.done:,} of {one.note.total:,}; " if one.note.stage else ""
    return f"{far}{'was ' if one.state == 'stopped' else ''}{who}"


def _plain(found: RunStatus) -> dict[str, object]:
    from dataclasses import asdict

    cells = [
        {
            "method": one.cell.label,
            "seed": one.cell.seed,
            "state": one.state,
            "seconds": one.seconds,
            "note": None if one.note is None else asdict(one.note),
            "problem": one.problem,
        }
        for one in found.cells
    ]
    return {"name": found.name, "tables": found.tables, "counts": found.counts(), "cells": cells}
