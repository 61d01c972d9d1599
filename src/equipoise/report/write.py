"""The whole report in one folder: it appears complete, or what was there before stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from equipoise.files.artifacts import clear_read_errors, clear_write_errors, open_atomic
from equipoise.progress import tell
from equipoise.report.answer import answer
from equipoise.report.headline import headline
from equipoise.report.machine import KIND, write_results
from equipoise.report.paper import paper
from equipoise.report.tables import write_tables
from equipoise.report.whole_folder import refuse_foreign, replacing
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.runs.layout import REPORT
from equipoise.runs.record import read_record
from equipoise.runs.task_of_run import KEPT, task_of
from equipoise.task.task import Task
from equipoise.wording.bibliography import bibliography


def write_report(
    run: str | Path,
    out: str | Path | None = None,
    *,
    task: Task | str | Path | None = None,
    own: bool = False,
) -> list[Path]:
    """Write the report of a finished run; the same bytes for the same results.

    Args:
        run: The run's folder.
        out: The report's folder, by default ``report`` in the run's. An earlier report in it is
            replaced.
        task: The run's task, where neither a built-in one nor the copy in an earlier report is it.
        own: Whether this process has just computed or checked the run; see ``read_run``.

    Returns:
        What was written, the page first.

    Raises:
        EquipoiseError: The run or its task cannot be read, or the report cannot be written; an
            earlier report is then as it was.
    """
    folder = Path(run)
    target = folder / REPORT if out is None else Path(out)
    target = refuse_foreign(target, KIND, "report")
    found = read_run(folder, task_of(read_record(folder), target, task), own=own)
    with replacing(target) as partial:
        names = _write(found, partial)
    return [target / name for name in names]


def _write(run: FinishedRun, folder: Path) -> list[str]:
    """All files of the report; the names of those that a reader wants first."""
    # matplotlib takes half a second
    from equipoise.report.page import render_page
    from equipoise.report.plots import write_figures

    table = headline(run)
    said, citation = answer(run, table), bibliography(run.task.name)
    parts: list[Callable[[], None]] = [
        lambda: _text(folder / "index.html", render_page(run, table, said, citation)),
        lambda: write_tables(run, table, folder / "tables"),
        lambda: _text(folder / "paper.md", paper(run, table, citation)),
        lambda: _text(folder / "citation.bib", citation + "\n"),
        lambda: write_results(run, table, said, folder / "results.json"),
        lambda: _keep_task(run.task.path, folder / KEPT),
        lambda: write_figures(run, table, folder / "figures"),
    ]
    for done, write in enumerate(parts):
        tell("report", done, len(parts))
        write()
    return ["index.html", "paper.md", "figures", "tables", "results.json"]


def _keep_task(source: Path | None, copy: Path) -> None:
    """Copy the task file, so that the report can be made again where the task is not at hand."""
    if source is not None:
        with clear_read_errors(source), clear_write_errors(copy):
            shutil.copyfile(source, copy)


def _text(path: Path, text: str) -> None:
    with open_atomic(path) as stream:
        stream.write(text)
