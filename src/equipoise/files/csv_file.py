"""CSV in and out: other people's files are read strictly, ours are written deterministically.

The module knows rows and columns only; what the columns mean is said in ``completions.py``.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import open_atomic, read_bounded

MAX_CSV_BYTES = 2_000_000_000
"""Larger files are refused; a million completions are some 150 MB."""

MOST_CHARACTERS = 16_000_000
"""Characters of a field, at most: 1 MB lines are read; a file whose quotation mark is never closed
is refused before it fills the memory."""


@dataclass(frozen=True)
class Rows:
    """A table of strings that remembers where each row stood.

    Args:
        columns: Column name -> its values, all of one length. Nothing is converted: ``007``,
            ``NA`` and ``None`` stay text, an empty cell is the empty string.
        file: The file the rows came from; ``None`` for a frame in memory.
        lines: 1-based line on which each row starts in ``file``; empty for a frame in memory.
    """

    columns: dict[str, list[str]]
    file: Path | None = None
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """Where row ``row`` (0-based) stands, for an error: ``line 7``, or ``row 5`` in memory."""
        return f"line {self.lines[row]}" if self.lines else f"row {row}"


def read_rows(path: str | Path, delimiter: str = ",") -> Rows:
    """The rows of a CSV file in UTF-8 (with or without byte order mark), comma-separated.

    Blank lines are skipped. Spaces around column names are dropped, values are kept as written.

    Args:
        path: The file.
        delimiter: What separates the fields; a tab in TSV files.

    Raises:
        EquipoiseError: The file is missing, a folder, a device, too large, empty, only a header,
            not UTF-8, or holds NUL bytes; two columns share a name; a row has more or fewer fields
            than the header; a quotation mark is never closed; a field is longer than
            ``MOST_CHARACTERS``.
    """
    path = Path(path)
    stream = io.StringIO(_read_text(path), newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    records: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        with _field_limit(MOST_CHARACTERS):
            for record in reader:
                if record and header is None:
                    header = _check_header([name.strip() for name in record], path)
                elif record and header is not None:
                    _check_width(record, header, path, start)
                    records.append(record)
                    lines.append(start)
                start = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(str(error), start, path) from None
    if header is None:
        raise EquipoiseError("empty", file=path, hint="It needs a header and at least one row.")
    if not records:
        raise EquipoiseError("has a header but no rows", file=path, hint="Add completions.")
    values = map(list, zip(*records, strict=True))
    return Rows(dict(zip(header, values, strict=True)), path, lines)


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    r"""Write ``frame`` as CSV, the same bytes for the same values.

    Floats have six decimals, missing values are empty, lines end in ``\n``, there is no index.
    Texts are written as they are, so that every reader of CSV gets them back to the letter: a file
    for people, who open it in a spreadsheet, is written from ``spreadsheet.without_formulas``. The
    file appears complete or not at all.

    Args:
        path: The file.
        frame: The table.

    Raises:
        EquipoiseError: The file cannot be written.
    """
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
    for name in frame.columns:
        is_text = pd.api.types.is_string_dtype(frame[name]) or frame[name].dtype == object
        # The csv module leaves a lone carriage return bare, and readers end the row there.
        if is_text and frame[name].astype("str").str.contains("\r", regex=False).any():
            quoting = csv.QUOTE_ALL
    with open_atomic(path) as stream:
        frame.to_csv(stream, index=False, float_format="%.6f", lineterminator="\n", quoting=quoting)


@contextlib.contextmanager
def _field_limit(most: int) -> Iterator[None]:
    """Within it the csv module reads fields of ``most`` characters; it has one limit for all."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _unreadable(problem: str, line: int, path: Path) -> EquipoiseError:
    """The csv module's complaint about the row that starts in ``line``."""
    hint = 'Put text that holds commas, quotes or line breaks in "...", quotes doubled.'
    if problem.startswith("field larger"):
        problem = f"a field of more than {MOST_CHARACTERS:,} characters"
        hint = "Shorten it, or close the quotation mark it starts with."
    return EquipoiseError(f"line {line}: {problem}", file=path, hint=hint)


def _read_text(path: Path) -> str:
    """The file's text without byte order mark."""
    raw = read_bounded(path, MAX_CSV_BYTES)
    hint = "Save it as CSV in UTF-8."
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EquipoiseError(f"not UTF-8 at byte {error.start}", file=path, hint=hint) from None
    nul = raw.find(b"\0")
    if nul >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        raise EquipoiseError(f"line {line}: holds a NUL byte", file=path, hint=hint)
    return text.removeprefix("\ufeff")


def _check_header(header: list[str], path: Path) -> list[str]:
    """``header`` itself, once no name stands in it twice (nor twice nothing)."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise EquipoiseError(
            f"{header.count(twice[0])} columns are named {twice[0]!r}",
            file=path,
            hint="Give each column its own name.",
        )
    return header


def _check_width(record: list[str], header: list[str], path: Path, line: int) -> None:
    if len(record) != len(header):
        raise EquipoiseError(
            f"line {line}: {len(record)} fields where the header has {len(header)}",
            file=path,
            hint='Put text that holds commas in "...".',
        )
