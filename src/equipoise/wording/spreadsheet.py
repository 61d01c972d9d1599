"""Texts for people who open a CSV file in a spreadsheet, which runs some texts as formulas.

Files that programs read hold every text as it is. Those that people open are written from a frame
that has gone through ``without_formulas``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def escape_formula(value: object) -> object:
    """``value``, with an apostrophe before it if it is a text that a spreadsheet would run.

    Such a text starts with ``= + - @``, a tab or a carriage return, after apostrophes or none: two
    texts never become one. Numbers are no texts.

    >>> escape_formula("=1+1"), escape_formula("The nurse was bold."), escape_formula(-1.5)
    ("'=1+1", 'The nurse was bold.', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with every text in it, names of columns too, through ``escape_formula``.

    The frame itself is left alone.
    """
    safe = frame.copy(deep=False)
    for name in safe.columns:
        if safe[name].dtype.kind == "O":  # objects, pandas' own strings and categories
            safe[name] = safe[name].map(escape_formula)
    safe.columns = safe.columns.map(escape_formula)
    return safe
