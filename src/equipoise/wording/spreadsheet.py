"""Texts for people who open a CSV file in a spreadsheet, which runs some texts as formulas.

Files that programs read hold every text as it is; see ``files.csv_file.write_table``.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def escape_formula(value: object) -> object:
    """``value``, with an apostrophe before it if it is a text that a spreadsheet would run.

    Such a text starts with ``= + - @``, a tab or a carriage return, after apostrophes or none: two
    texts never become one. Numbers are no texts.

    >>> escape_formula("=1+1"), escape_formula("The nurse was bold."), escape_formula(-1.5)
    ("'=1+1", 'The nurse was bold.', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
