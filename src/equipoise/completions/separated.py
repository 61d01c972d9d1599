"""CSV as spreadsheets and scripts write it: commas, semicolons or tabs, and what they leave behind.

Rows and columns that hold nothing count as nothing. Values are kept as they are written.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from equipoise.completions.column_names import ROLE_NAMES, normal, rank
from equipoise.completions.source import Source
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows, records, wrong_width

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may stand between fields, and its name in remarks."""

_LOOKED_AT = 1_000_000
_MOST_TITLES = 10
"""Lines in which the header is looked for."""


def read_separated(text: str, path: Path, wanted: Sequence[str] = ()) -> Source:
    """The rows of a CSV file.

    Args:
        text: What the file holds.
        path: The file: ``.tsv`` and ``.tab`` files have tabs, others what their header says.
        wanted: Columns that were asked for by name; the header has them.

    Raises:
        EquipoiseError: It is empty or only a header; two columns share a name and differ; a row has
            more fields than the header, or fewer; a quotation mark is never closed.
    """
    declared, body = _declared_separator(text)
    remarks: list[str] = []
    if declared:
        separator = declared
    elif path.suffix.casefold() in (".tsv", ".tab"):
        separator = "\t"
    else:
        separator = find_separator(body, wanted)
        if separator != ",":
            remarks.append(f"Columns are separated by {SEPARATORS[separator]}.")
    lines, found = _records(body, path, separator, remarks)
    if declared:  # the line that declares it has been cut off
        lines = [line + 1 for line in lines]
    # Rows of separators may stand above the header, too.
    start = next((at for at, row in enumerate(found) if not _blank(row)), len(found))
    lines, found = lines[start:], found[start:]
    if not found:
        raise EquipoiseError("empty", file=path, hint="It needs a header and at least one row.")
    title = _header_row(found, wanted)
    if title:
        remarks.append(f"Lines above the names of the columns, left out: {title}.")
    lines, found = lines[title:], found[title:]
    header = [name.strip().strip("\ufeff").strip() for name in found[0]]
    if _has_row_names(found):
        header = ["", *header]
    kept_lines, kept = _filled(lines[1:], found[1:], header, path, remarks)
    if not kept:
        raise EquipoiseError("has a header but no rows", file=path, hint="Add completions.")
    columns = list(map(list, zip(*kept, strict=True)))
    return Source(Rows(_named(header, columns, path), path, kept_lines), tuple(remarks), grid=True)


def find_separator(text: str, wanted: Sequence[str] = ()) -> str:
    """What separates the fields of the first line that is not blank: a key of `SEPARATORS`.

    It is what gives the header the most names that are recognised or ``wanted``, then the most
    names; commas where that is undecided. Other lines may stand above the header.
    """
    text = text[:_LOOKED_AT]
    filled = re.search(r"[^\n]*[^\s,;\"]", text)
    start = filled.start() if filled else 0

    def score(separator: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=separator)
        try:
            first = list(itertools.islice(reader, _MOST_TITLES))
        except csv.Error:
            return (0, 0)
        header = first[_header_row(first, wanted)] if first else []
        return (_known(header, wanted), len(header))

    return max(SEPARATORS, key=score)


def _header_row(found: Sequence[Sequence[str]], wanted: Sequence[str]) -> int:
    """Which row has the names: the first, unless it has none that is known and a later one two.

    So a title, a date or a comment above the table is passed over.
    """
    if _known(found[0], wanted):
        return 0
    known = [_known(row, wanted) for row in found[:_MOST_TITLES]]
    return next((at for at, names in enumerate(known) if names > 1), 0)


def _known(header: Sequence[str], wanted: Sequence[str]) -> int:
    """How many names are recognised or ``wanted``."""
    asked = {normal(name) for name in wanted}
    return sum(
        normal(name) in asked or any(rank(name, role) is not None for role in ROLE_NAMES)
        for name in header
    )


def _has_row_names(found: Sequence[Sequence[str]]) -> bool:
    """Whether each row has a number before the fields that the header names, as R writes them."""
    width, rows = len(found[0]) + 1, [row for row in found[1:] if not _blank(row)]
    return bool(rows) and all(len(row) == width and row[0].strip().isdecimal() for row in rows)


def _declared_separator(text: str) -> tuple[str, str]:
    r"""The separator of a first line ``sep=;``, which spreadsheets write, and the lines after it.

    >>> _declared_separator("sep=;\r\na;b")
    (';', 'a;b')
    """
    first = text[:20].partition("\n")[0]
    declared = first.strip(' "\r')
    if declared.casefold().startswith("sep=") and declared[4:] in (*SEPARATORS, ""):
        separator = declared[4:] or "\t"  # the tab itself may have been stripped
        return separator, text[len(first) + 1 :]
    return "", text


def _records(
    text: str, path: Path, separator: str, remarks: list[str]
) -> tuple[list[int], list[list[str]]]:
    """Lines and fields; quotation marks in a file with tabs may be nothing but characters."""
    try:
        return records(text, path, separator)
    except EquipoiseError:
        if separator != "\t":
            raise
        found = records(text, path, separator, quoted=False)
        if len(set(map(len, found[1]))) > 1:
            raise
        remarks.append("Quotation marks are read as they stand, because some are not closed.")
        return found


def _blank(record: Sequence[str]) -> bool:
    return not record[0].strip() and not any(map(str.strip, record))


def _filled(
    lines: list[int], found: list[list[str]], header: list[str], path: Path, remarks: list[str]
) -> tuple[list[int], list[list[str]]]:
    """The rows that hold something, each as wide as the header; says how many are left out."""
    width = len(header)
    named = max((i + 1 for i, name in enumerate(header) if name), default=0)
    kept_lines: list[int] = []
    kept: list[list[str]] = []
    blank = repeated = 0
    for line, record in zip(lines, found, strict=True):
        if _blank(record):
            blank += 1
            continue
        if len(record) != width:
            if len(record) < named or any(map(str.strip, record[width:])):
                raise wrong_width(record, header, line, path)
            record = [*record, *[""] * (width - len(record))][:width]
        if normal(record[0]) == normal(header[0]) and _is_header(record, header):
            repeated += 1
            continue
        kept_lines.append(line)
        kept.append(record)
    if blank:
        remarks.append(f"Rows that hold nothing, left out: {blank:,}.")
    if repeated:
        remarks.append(f"Rows that repeat the header, left out: {repeated:,}.")
    return kept_lines, kept


def _is_header(record: list[str], header: list[str]) -> bool:
    return any(header) and [*map(normal, record)] == [*map(normal, header)]


def _named(header: list[str], columns: list[list[str]], path: Path) -> dict[str, list[str]]:
    """Column name -> values, without columns that hold nothing under no name or a name twice.

    A column without a name that holds something is called ``column 3``, by its place.
    """
    found: dict[str, list[str]] = {}
    for place, (name, values) in enumerate(zip(header, columns, strict=True), 1):
        if name and name not in found:
            found[name] = values
        elif not any(map(str.strip, values)) or found.get(name) == values:
            continue
        elif not name:
            found[f"column {place}"] = values
        elif not any(map(str.strip, found[name])):
            found[name] = values
        else:
            raise EquipoiseError(
                f"{header.count(name)} columns are named {name!r}",
                file=path,
                hint="Give each column its own name.",
            )
    return found
