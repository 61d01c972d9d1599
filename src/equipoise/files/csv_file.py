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
from equipoise.files.text_file import decode_utf8

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
        unit: What ``lines`` counts: a ``line``, or a ``record`` where lines say nothing.
    """

    columns: dict[str, list[str]]
    file: Path | None = None
    lines: Sequence[int] = ()
    unit: str = "line"

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """Where row ``row`` (0-based) stands, for an error: ``line 7``, or ``row 5`` in memory."""
        return f"{self.unit} {self.lines[row]}" if self.lines else f"row {row}"

    def only(self, kept: Sequence[int]) -> Rows:
        """The rows of the numbers ``kept`` (0-based), in that order."""
        columns = {name: [values[i] for i in kept] for name, values in self.columns.items()}
        lines = [self.lines[i] for i in kept] if self.lines else ()
        return Rows(columns, self.file, lines, self.unit)


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
    lines, rows = records(_read_text(path), path, delimiter)
    if not rows:
        raise EquipoiseError("empty", file=path, hint="It needs a header and at least one row.")
    header = _check_header([name.strip() for name in rows[0]], path)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise wrong_width(row, header, line, path)
    if len(rows) == 1:
        raise EquipoiseError("has a header but no rows", file=path, hint="Add completions.")
    values = map(list, zip(*rows[1:], strict=True))
    return Rows(dict(zip(header, values, strict=True)), path, lines[1:])


def records(
    text: str, path: Path, delimiter: str = ",", *, quoted: bool = True
) -> tuple[list[int], list[list[str]]]:
    """The fields of every line of ``text`` that is not blank, and the line it starts on (1-based).

    Args:
        text: What the file holds.
        path: The file, for errors.
        delimiter: What separates the fields.
        quoted: Fields may stand in quotation marks; otherwise those are characters like others.

    Returns:
        The lines, and the fields of each.

    Raises:
        EquipoiseError: A quotation mark is never closed, or a field is too long.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, quoting=quoting, strict=True)
    lines: list[int] = []
    found: list[list[str]] = []
    start = 1
    try:
        with _field_limit(MOST_CHARACTERS):
            for record in reader:
                if record:
                    found.append(record)
                    lines.append(start)
                start = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(str(error), start, path) from None
    return lines, found


def wrong_width(record: list[str], header: list[str], line: int, path: Path) -> EquipoiseError:
    """What is said of a row that has more or fewer fields than the header."""
    return EquipoiseError(
        f"line {line}: {len(record)} fields where the header has {len(header)}",
        file=path,
        hint='Put text that holds commas in "...", quotes doubled.',
    )


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
    return decode_utf8(read_bounded(path, MAX_CSV_BYTES), path)


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
