"""``equipoise report``: a finished run as a page, figures, tables and paragraphs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import say_written

EXAMPLES = """\b
Examples:
  equipoise report runs/quickstart
  equipoise report runs/mine --out for-the-paper --task my-task.toml"""


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, finished or not.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report.", show_default="RUN/report"),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="The run's task, where it is not found.",
            show_default="the built-in one, or the report's copy",
        ),
    ] = None,
) -> None:
    """Write the report of a run.

    index.html is one page that works offline and can be mailed: the answer
    first, then every result and a browser of all completions. Beside it are
    figures (SVG, PDF, PNG), tables (CSV, LaTeX), paper.md with paragraphs for
    a paper, and results.json. An earlier report is replaced.
    """
    from equipoise.progress_bars import StageProgress
    from equipoise.report import write_report

    with StageProgress(quiet=False):
        written = write_report(run, out, task=task)
    say_written(written)
