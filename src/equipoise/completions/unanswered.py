"""Cells of which not one text is there: a model that said nothing has no rate, not one of 0."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows
from equipoise.wording.numbers import counted


def answered(
    rows: Rows, methods: Sequence[str], seeds: Sequence[int], texts: Sequence[str]
) -> tuple[list[int], list[str]]:
    """The numbers of the rows of methods and seeds with at least one text; what is said of others.

    A single empty text among others counts as one that satisfies nothing.

    Raises:
        EquipoiseError: There is no text at all.
    """
    cells = list(zip(methods, seeds, strict=True))
    spoken = {cell for cell, text in zip(cells, texts, strict=True) if text.strip()}
    if not spoken:
        raise EquipoiseError(
            "every text is empty, so there is no rate of anything",
            file=rows.file,
            hint="Look at what the model was asked, and at the log of who asked it.",
        )
    said = [
        f"{method[:40]}, seed {seed}: {counted(cells.count((method, seed)), 'text')}, all of them "
        "empty; left out, as what was never answered has no rate."
        for method, seed in dict.fromkeys(cells)
        if (method, seed) not in spoken
    ]
    return [row for row, cell in enumerate(cells) if cell in spoken], said
