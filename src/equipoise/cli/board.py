"""``equipoise board``: finished runs side by side, as a page, figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import say_written

EXAMPLES = """\b
Examples:
  equipoise board runs/smollm2 runs/gemma
  equipoise board runs/*/ --out for-the-paper
  equipoise board runs/a runs/b \\
    --over balanced_requested --over log_probability_base"""


def board(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the board.")] = Path("board"),
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A headline that fronts and rankings are over; again for more.",
            show_default="all that are shown and have a direction",
        ),
    ] = None,
) -> None:
    """Show finished runs side by side.

    Runs may be of other models, tasks and seeds. index.html is one page that
    works offline: every headline with a row a method and a column a run, the
    methods that no other beats, whether the runs rank methods alike, and links
    to their own reports. Beside it are figures, tables (CSV, LaTeX) and
    results.json. Runs that were made otherwise than the first stand apart,
    with the reason. An earlier board is replaced.
    """
    from equipoise.board import write_board
    from equipoise.progress_bars import StageProgress

    with StageProgress(quiet=False):
        written = write_board(runs, out, over=over or ())
    say_written(written)
