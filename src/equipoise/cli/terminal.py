"""What the user sees: results on standard output, everything else on standard error.

Names and texts come from strangers' files, so nothing is read as markup and what cannot be seen is
a "?". Colours and bars appear only on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from equipoise.wording.visible import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def lines(text: str) -> str:
    """``text`` with each of its lines ``printable``."""
    return "\n".join(map(printable, text.split("\n")))


def show(text: str) -> None:
    """Print a result: plain text on standard output."""
    print(lines(text))


def show_marked(text: str, spans: Iterable[tuple[int, int, str]]) -> None:
    """Print a result with ``spans`` of it (start, end, style) marked where there are colours."""
    from rich.text import Text

    console = _console(stderr=False)
    if not console.is_terminal:
        show(text)
        return
    marked = Text(lines(text))
    for start, end, style in spans:
        marked.stylize(style, start, end)
    console.print(marked)


WIDEST = 1000
"""Columns of the widest table in a file or pipe."""


def show_table(table: RenderableType) -> None:
    """Print a rich table on standard output; in a file or pipe no name in it is broken."""
    console = _console(stderr=False)
    if not console.is_terminal:
        unbounded = console.options.update(width=WIDEST)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)


def say(text: str) -> None:
    """Print information: plain text on standard error."""
    _console(stderr=True).print(lines(text), markup=False, highlight=False)


def complain(text: str) -> None:
    """Print an error on standard error, "Error:" in red where there are colours."""
    console = _console(stderr=True)
    console.print("[bold red]Error:[/] ", end="")
    console.print(lines(text), markup=False, highlight=False)


def say_written(paths: Iterable[object]) -> None:
    """Name what was written, one path a line."""
    say("Written:")
    for path in paths:
        say(f"  {path}")


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, emoji=False)
