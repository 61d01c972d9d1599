r"""LaTeX tables that compile as they are, whatever their cells hold.

pandas sets them; what stands in them goes through ``wording.latex``. ``booktabs`` is needed, and
``longtable`` for those that no page holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import pandas as pd

from equipoise.wording.latex import escape
from equipoise.wording.visible import shown

MOST_ROWS = 45
"""Rows of a table that fits a page."""

Cell = str | tuple[str, str]
"""What stands in a cell; the second of two texts is small and below the first."""

_SIZES = {"small": (4.5, 4.0), "footnotesize": (4.15, 3.5), "scriptsize": (3.8, 3.0)}
"""Sizes of type, each with the points an average character takes and half the space between
columns."""

LINE = 345.0
"""Points of a line in LaTeX's own ``article``."""


def latex_table(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    caption: str,
    label: str,
    notes: Sequence[str] = (),
) -> str:
    r"""A table that floats, or one that pages break where it has more than ``MOST_ROWS`` rows.

    Columns of words are left-aligned, the others right. Titles are broken to the width of their
    column, and the type is as large as lets the table fit a line of text.

    Args:
        header: Titles of the columns.
        rows: Cells, as many as titles.
        caption: Printed above the table.
        label: For ``\ref``; letters, digits, ``:`` and ``-``.
        notes: Sentences printed below the table.
    """
    every = [[row[number] for row in rows] for number in range(len(header))]
    kinds = ["l" if number == 0 or _is_words(cells) else "r" for number, cells in enumerate(every)]
    widths = list(map(_width, header, every))
    titles = list(map(_title, header, widths, kinds))
    size, space = _size(widths)
    is_long = len(rows) > MOST_ROWS
    cells = [[_cell(cell) for cell in row] for row in rows]
    table = pd.DataFrame(cells, columns=range(len(header)), dtype=object).style
    table.hide(axis="index").format_index(lambda number: titles[int(str(number))], axis="columns")
    if not is_long:
        space_between: list[tuple[str, str | float]] = [("", rf"{{\tabcolsep}}{{{space:g}pt}}")]
        table.set_table_styles(
            [{"selector": size, "props": [("", "")]},
             {"selector": "setlength", "props": space_between}]
        )  # fmt: skip
    text = table.to_latex(
        column_format=f"@{{}}{''.join(kinds)}@{{}}",
        hrules=True,
        caption=escape(caption),
        label=label,
        position_float=None if is_long else "centering",
        environment="longtable" if is_long else "table",
    )
    below = "".join(rf"\par\smallskip{{\footnotesize {escape(note)}}}" + "\n" for note in notes)
    if is_long:
        setting = rf"\begingroup\{size}\setlength{{\tabcolsep}}{{{space:g}pt}}"
        needs = "booktabs,longtable"
        text = f"{setting}\n{text}{below}\\endgroup\n"
    else:
        needs, end = "booktabs", "\\end{table}\n"
        text = text.removesuffix(end) + below + end
    return rf"% Needs \usepackage{{{needs}}}." + "\n" + text


def _is_words(cells: Sequence[Cell]) -> bool:
    """Whether all cells of a column are texts that begin with a letter."""
    return bool(cells) and all(isinstance(cell, str) and cell[:1].isalpha() for cell in cells)


def _width(title: str, cells: Sequence[Cell]) -> int:
    """Characters of the longest line in a column, its title broken where it can be."""
    lines = [line for cell in cells for line in ((cell,) if isinstance(cell, str) else cell)]
    return max(map(len, ["", *shown(title).replace("-", "- ").split(), *lines]))


def _size(widths: Sequence[int]) -> tuple[str, float]:
    """The largest size in which the columns fit a line, and the space between them.

    Where none does it is the smallest.
    """
    gaps = 2 * (len(widths) - 1)
    for size, (character, space) in _SIZES.items():
        if sum(widths) * character + gaps * space <= LINE:
            return size, space
    return size, space


def _title(title: str, width: int, kind: str) -> str:
    lines = [escape(line) for line in wrap(shown(title), max(width, 1), break_long_words=False)]
    stack = r"\\".join(lines)
    return rf"\shortstack[{kind}]{{{stack}}}" if len(lines) > 1 else stack


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    first, below = map(escape, cell)
    lines = rf"{first}\\[-0.3ex]\scriptsize {below}"
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{lines}\end{{tabular}}"
