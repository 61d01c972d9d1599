"""The whole board in one folder: it appears complete, or what was there before stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from equipoise.board.board import Board, assemble
from equipoise.board.finished import read_runs
from equipoise.board.machine import KIND, write_results
from equipoise.board.tables import write_tables
from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import open_atomic
from equipoise.progress import tell
from equipoise.report.whole_folder import refuse_foreign, replacing


def write_board(
    runs: Sequence[str | Path], out: str | Path = "board", *, over: Sequence[str] = ()
) -> list[Path]:
    """Write finished runs side by side; the same bytes for the same results.

    Args:
        runs: Folders of finished runs; the first says what the others are compared with.
        out: The board's folder. An earlier board in it is replaced.
        over: Names of the headlines that fronts and rankings are over, by default all that are
            shown and have a direction.

    Returns:
        What was written, the page first.

    Raises:
        EquipoiseError: A run is not finished, damaged or none, none of several can be compared
            with the first, or the board cannot be written; an earlier board is then as it was.
    """
    if not runs:
        raise EquipoiseError("there is no run to show", hint="Name the folder of a finished run.")
    target = refuse_foreign(Path(out), KIND, "board")
    board = assemble(read_runs(list(map(Path, runs))), over)
    with replacing(target) as partial:
        names = _write(board, partial, target)
    return [target / name for name in names]


def _write(board: Board, folder: Path, target: Path) -> list[str]:
    """All files of the board; the names of those that a reader wants first."""
    # matplotlib takes half a second
    from equipoise.board.figures import write_figures
    from equipoise.board.page import render_page

    def page() -> None:
        with open_atomic(folder / "index.html") as stream:
            stream.write(render_page(board, target))

    parts: list[Callable[[], None]] = [
        page,
        lambda: write_tables(board, folder / "tables"),
        lambda: write_results(board, folder / "results.json"),
        lambda: write_figures(board, folder / "figures"),
    ]
    for done, write in enumerate(parts):
        tell("board", done, len(parts))
        write()
    return ["index.html", "figures", "tables", "results.json"]
