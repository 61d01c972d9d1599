"""A frame row by row."""

from __future__ import annotations

from typing import Any

import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of ``table``, each as its cells by the names of their columns.

    Every frame of a report has texts as names of columns, which pandas' types cannot know.
    """
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
