"""Anybody's file or frame of completions as rows: which format it is, and who reads it.

The content decides, and the name where the content leaves it open. Nothing in a file is ever
evaluated, and no format is read that could run code.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.completions.flatten import rows_of
from equipoise.completions.harness_log import is_harness_record, read_harness_log
from equipoise.completions.inspect_log import is_inspect_log, read_inspect_log
from equipoise.completions.json_file import (
    MAX_JSON_BYTES,
    check_record,
    looks_like_json,
    read_values,
    records_of,
)
from equipoise.completions.separated import read_separated
from equipoise.completions.source import RowsBuilder, Source
from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_bounded
from equipoise.files.csv_file import MAX_CSV_BYTES, Rows
from equipoise.files.text_file import decode_utf8

_PARQUET = b"PAR1"
_AS_CSV = "Save it as CSV in UTF-8."
_REFUSED = {
    b"PK\x03\x04": ("a ZIP archive", "Unpack it, and give the file of completions in it."),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", _AS_CSV),
    b"\x1f\x8b": ("compressed with gzip", "Unpack it: gunzip -k {}"),
    b"BZh": ("compressed with bzip2", "Unpack it: bunzip2 -k {}"),
    b"\xfd7zXZ\0": ("compressed with xz", "Unpack it: unxz -k {}"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "Unpack it: unzstd {}"),
    b"\x80\x04": ("a pickle of Python, which could run code", _AS_CSV),
    b"\x80\x05": ("a pickle of Python, which could run code", _AS_CSV),
    b"SQLite format 3\0": ("a database of SQLite", _AS_CSV),
    b"ARROW1": ("an Arrow file", "Write it as Parquet or CSV."),
    b"%PDF": ("a PDF", _AS_CSV),
    b"<!DOCTYPE": ("a web page", "Download the file itself: this may be a page to log in."),
    b"<html": ("a web page", "Download the file itself: this may be a page to log in."),
    b"{\\rtf": ("a document of a word processor", _AS_CSV),
    b"version https://git-lfs": ("a pointer of Git LFS", "Fetch the file itself: git lfs pull"),
}
_REFUSED_BY_NAME = {
    ".eval": (
        "a log of inspect_ai in its own format",
        "Convert it: inspect log convert {} --to json --output-dir json-logs",
    ),
    ".xlsx": ("an Excel workbook", _AS_CSV),
    ".xlsm": ("an Excel workbook", _AS_CSV),
    ".ods": ("a spreadsheet", _AS_CSV),
}
"""Files that are not read: how they start, what they are, and what to do with them."""


def read_source(path: Path, wanted: Sequence[str] = ()) -> Source:
    """The rows of a file of completions.

    Args:
        path: CSV (commas, semicolons or tabs), JSON (a record a line, or an array), Parquet, or a
            log of lm-evaluation-harness or inspect_ai.
        wanted: Columns that were asked for by name.

    Raises:
        EquipoiseError: It is missing, a folder, a device, too large, in another format or encoding,
            or damaged; it says where, and what to do.
    """
    raw = read_bounded(path, MAX_CSV_BYTES)
    _check_format(raw, path)
    if raw.startswith(_PARQUET):
        return source_of(_parquet(path), path)
    text = decode_utf8(raw, path)
    if not looks_like_json(text, path):
        return read_separated(text, path, wanted)
    if len(raw) > MAX_JSON_BYTES:
        raise EquipoiseError(
            f"more than {MAX_JSON_BYTES:,} bytes of JSON", file=path, hint="Write it as CSV."
        )
    del raw
    return _json_source(text, path)


def source_of(frame: pd.DataFrame, path: Path | None = None) -> Source:
    """The rows of a frame; ``path`` is where it was read from, if it was.

    Values that are no strings are taken as the strings they print as, missing ones as empty. Lists
    and objects are read as those of JSON are.

    Raises:
        EquipoiseError: The frame has no rows, or two columns of one name.
    """
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise EquipoiseError("two columns of the frame share a name", file=path, hint="Rename one.")
    if frame.empty:
        raise EquipoiseError("the frame has no rows", file=path, hint="Add completions.")
    if any(_is_nested(frame.iloc[:, i]) for i in range(len(names))):
        records = [_plain(record) for record in frame.set_axis(names, axis=1).to_dict("records")]
        return _records_source(list(enumerate(records, 1)), path, "row")
    columns = {name: _strings(frame.iloc[:, i]) for i, name in enumerate(names)}
    lines = range(1, len(frame) + 1) if path is not None else ()
    return Source(Rows(columns, path, lines, "row"), grid=True)


def _check_format(raw: bytes, path: Path) -> None:
    """Refuse by name what is no file of completions that could be read."""
    named = _REFUSED_BY_NAME.get(path.suffix.casefold())
    for start, what in _REFUSED.items():
        if raw.startswith(start):
            kind, hint = named or what
            raise EquipoiseError(f"is {kind}", file=path, hint=hint.format(shlex.quote(str(path))))


def _json_source(text: str, path: Path) -> Source:
    values, unit = read_values(text, path)
    if len(values) == 1 and is_inspect_log(values[0][1]):
        return read_inspect_log(values[0][1], path)
    found = [(place, check_record(value, f"{unit} {place}", path)) for place, value in values]
    if len(found) != 1:
        return _records_source(found, path, unit)
    held = list(enumerate(records_of(found[0][1], path), 1))
    if len(held) == 1:
        return _records_source([(found[0][0], held[0][1])], path, unit)
    return _records_source(
        [(place, check_record(one, f"record {place}", path)) for place, one in held], path, "record"
    )


def _records_source(
    records: list[tuple[int, dict[str, Any]]], path: Path | None, unit: str
) -> Source:
    """Records as rows; a log of lm-evaluation-harness is known by its fields."""
    if not records:
        raise EquipoiseError("holds no records", file=path, hint="Add completions.")
    if is_harness_record(records[0][1]):
        return read_harness_log(records, path, unit)
    builder = RowsBuilder(path, unit)
    for place, record in records:
        for row in rows_of(record):
            builder.add(row, place)
    return Source(builder.rows())


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise EquipoiseError(
            "reading Parquet needs the package pyarrow",
            file=path,
            hint="Install it (pip install pyarrow), or write the file as CSV.",
        ) from None
    except Exception as error:  # whatever is wrong with a damaged file
        reason = " ".join(str(error).split())[:200]
        raise EquipoiseError(f"not valid Parquet ({reason})", file=path) from None


def _strings(column: pd.Series[Any]) -> list[str]:
    missing = column.isna().tolist()
    pairs = zip(column.tolist(), missing, strict=True)
    return ["" if empty else str(value) for value, empty in pairs]


def _is_nested(column: pd.Series[Any]) -> bool:
    """Whether the first value that is there is a list or an object."""
    if column.dtype != object:
        return False
    first = next((value for value in column if value is not None), None)
    return isinstance(first, list | dict) or (hasattr(first, "tolist") and hasattr(first, "shape"))


def _plain(value: Any, level: int = 0) -> Any:
    """A value of a frame as JSON would give it: arrays are lists, missing values None."""
    if level > 50:
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(item, level + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, level + 1) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist(), level + 1)
    return None if value is None or value is pd.NA or value != value else value
