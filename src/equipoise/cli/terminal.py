"""What the user sees: results on standard output, everything else on standard error.

Names and texts come from strangers' files, so nothing is read as markup and control characters
are shown as "?". Colours and bars appear only on a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, and with it what a line seems to say."""


def printable(text: str) -> str:
    """``text`` with control characters, lone surrogates and direction marks as "?".

    Line breaks stay.

    >>> printable("a" + chr(27) + "[31mb")
    'a?[31mb'
    """
    return "".join(
        "?" if (unicodedata.category(c) in ("Cc", "Cs") and c != "\n") or c in _DIRECTION else c
        for c in text
    )


def show(text: str) -> None:
    """Print a result: plain text on standard output."""
    print(printable(text))


def show_marked(text: str, spans: Iterable[tuple[int, int, str]]) -> None:
    """Print a result with ``spans`` of it (start, end, style) marked where there are colours."""
    from rich.text import Text

    console = _console(stderr=False)
    if not console.is_terminal:
        show(text)
        return
    marked = Text(printable(text))
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
    _console(stderr=True).print(printable(text), markup=False, highlight=False)


def complain(text: str) -> None:
    """Print an error on standard error, "Error:" in red where there are colours."""
    console = _console(stderr=True)
    console.print("[bold red]Error:[/] ", end="")
    console.print(printable(text), markup=False, highlight=False)


def say_written(paths: Iterable[object]) -> None:
    """Name what was written, one path a line."""
    say("Written:")
    for path in paths:
        say(f"  {path}")


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, emoji=False)
