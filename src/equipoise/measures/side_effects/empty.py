"""Empty answers: does a model still say anything where it is asked something else?

A model that says nothing leaks nothing and repeats nothing, so what its answers hold is to be read
beside this.
"""

from __future__ import annotations

import pandas as pd

from equipoise.measures.side_effects.quantities import ALL, COLUMNS, EMPTY


def empty_items(answers: pd.DataFrame) -> pd.DataFrame:
    """One item for each answer, in the groups of requests: 1 where it has no letter or digit.

    Args:
        answers: What `draw_answers` drew.
    """
    rows: list[tuple[str, str, str, float]] = []
    for kind, request, text in zip(
        answers["kind"], answers["request"], answers["text"], strict=True
    ):
        value = float(not any(letter.isalnum() for letter in text))
        rows += [(EMPTY.name, group, request, value) for group in (ALL, kind)]
    return pd.DataFrame(rows, columns=list(COLUMNS))
