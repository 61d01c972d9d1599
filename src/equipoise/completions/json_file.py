"""JSON as people write completions: a record a line, an array, or one object that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from equipoise.completions.column_names import (
    SUBJECT_NAMES,
    TEXT_LIST_NAMES,
    TEXT_NAMES,
    normal,
    rank,
)
from equipoise.completions.flatten import rows_of
from equipoise.errors import EquipoiseError

MAX_JSON_BYTES = 1_000_000_000
"""Larger files are refused: in memory JSON takes several times its size."""

LINE_SUFFIXES = (".jsonl", ".ndjson")

Record = dict[str, Any]


def looks_like_json(text: str, path: Path) -> bool:
    """Whether the name says so, or the first line is JSON, or opens it."""
    if path.suffix.casefold() in (".json", *LINE_SUFFIXES):
        return True
    first = next((line for line in text[:100_000].splitlines() if line.strip()), "").strip()
    return first in ("[", "{", "[{") or (
        first[:1] in ("[", "{") and _value_or_none(first) is not None
    )


def read_values(text: str, path: Path) -> tuple[list[tuple[int, Any]], str]:
    """The JSON values of a file, each with its place (1-based), and what the places count.

    A record a line is read line by line; everything else as a whole, so that an array may go over
    many lines, and an object too.

    Raises:
        EquipoiseError: It is empty or no JSON; it says in which line.
    """
    # Only "\n" ends a line: texts may hold other breaks, which JSON need not escape.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise EquipoiseError("empty", file=path, hint="It needs at least one record.")
    by_line = path.suffix.casefold() in LINE_SUFFIXES
    first = _value_or_none(lines[0][1])
    if isinstance(first, dict) and (len(lines) > 1 or by_line):
        return [(number, _of_line(number, line, lines[-1][0], path)) for number, line in lines], (
            "line"
        )
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        if several := _one_after_another(text):
            return list(enumerate(several, 1)), "record"
        raise _not_json(error, getattr(error, "lineno", lines[0][0]), path) from None
    if isinstance(whole, list):
        return list(enumerate(rows_of_lists(whole), 1)), "record"
    return [(1, whole)], "record"


def records_of(value: Record, path: Path) -> Iterator[Record]:
    """The records that one JSON object holds, which may be itself.

    Read are ``{"results": [{...}, ...]}`` with what stands beside the list put into each record;
    columns (``{"text": [...], "occupation": [...]}``, also as pandas writes them); and records or
    texts under a number, a subject, a model, or a subject under a model.
    """
    lists = {key: item for key, item in value.items() if _is_list_of(item, dict)}
    texts = (*TEXT_NAMES, *TEXT_LIST_NAMES)
    if len(lists) == 1 and normal(key := next(iter(lists))) not in ("messages", "choices"):
        beside = {name: item for name, item in value.items() if name != key}
        if not any(normal(name) in (*SUBJECT_NAMES, *TEXT_NAMES) for name in beside):
            yield from ({**beside, **record} for record in lists[key])
            return
    if set(value) >= {"columns", "data"} and isinstance(value["data"], list):
        names = [str(name) for name in value["columns"]]
        yield from (
            dict(zip(names, row, strict=False)) for row in value["data"] if isinstance(row, list)
        )
        return
    known = {normal(name) for name in value} & {*SUBJECT_NAMES, *texts}
    columns = {name: _column(item) for name, item in value.items()}
    sizes = {len(column) for column in columns.values() if column is not None}
    if None not in columns.values() and len(sizes) == 1 and len(known) > 1:
        rows = zip(*(column or [] for column in columns.values()), strict=True)
        yield from (dict(zip(value, row, strict=True)) for row in rows)
        return
    yield from (not known and _by_key(value)) or [value]


def _by_key(value: Record) -> list[Record]:
    """The records or texts under the keys of an object, each with its key; none if not all are.

    What lies under a key that numbers has all it needs. A key is the model above records that name
    a subject, or above texts that have a key of their own; else it is the subject.
    """
    found: list[Record] = []
    for key, item in value.items():
        for held in item if isinstance(item, list) and item else [item]:
            if isinstance(held, str) and held.count(" ") > 1:
                found.append({"subject": key, "text": held})
                continue
            if not isinstance(held, dict):
                return []
            names = {normal(name) for name in held}
            if names & {*TEXT_NAMES, *TEXT_LIST_NAMES}:
                records = [held]
            elif not (records := _by_key(held)):
                return []
            name = (
                "model"
                if any({*SUBJECT_NAMES} & set(map(normal, r)) for r in records)
                else "subject"
            )
            found += [r if key.isdigit() else {name: key, **r} for r in records]
    return found


def rows_of_lists(values: list[Any]) -> list[Any]:
    """``values`` with lists in them opened: lists of records, or a header and the rows below it."""
    lists = [item for item in values if isinstance(item, list)]
    if not lists or len(lists) < len(values):
        return values
    if all(_is_list_of(item, dict) for item in lists):
        return [record for item in lists for record in item]
    header, *rows = lists
    if _is_list_of(header, str) and all(len(row) == len(header) for row in rows):
        return [dict(zip(header, row, strict=True)) for row in rows]
    return values


def unwrapped(text: str) -> str:
    """The text in a ``text`` that is JSON itself; as it is where it is none, or has no one text.

    >>> unwrapped('{"sentence": "The nurse was bold.", "words": 4}')
    'The nurse was bold.'
    """
    if text[:1] + text[-1:] not in ("{}", "[]"):
        return text
    value = _value_or_none(text)
    if isinstance(value, list):
        value = {"messages": value}
    if isinstance(value, dict):
        row = next(rows_of(value))
        named = {place: row[name] for name in row if (place := rank(name, "text")) is not None}
        strings = [item for item in value.values() if isinstance(item, str)]
        value = named[min(named)] if named else strings[0] if len(strings) == 1 else None
    return value if isinstance(value, str) else text


def check_record(value: Any, place: str, path: Path | None) -> Record:
    """``value`` itself, if it is an object.

    Raises:
        EquipoiseError: It is something else.
    """
    if isinstance(value, dict):
        return value
    kind = "a list" if isinstance(value, list) else "a single value"
    kind = "a text" if isinstance(value, str) else kind
    raise EquipoiseError(
        f"{place}: {kind}, not an object with a subject and a text",
        file=path,
        hint='Write such as {"subject": "nurse", "text": "The nurse was ..."}.',
    )


def _value_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _of_line(number: int, line: str, last: int, path: Path) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        cut_off = number == last and not line.rstrip().endswith("}")
        raise _not_json(error, number, path, cut_off=cut_off) from None


def _one_after_another(text: str) -> list[Any]:
    """Values that stand in a file one after another, over any lines; none if that is not so."""
    decoder, place, found = json.JSONDecoder(), 0, []
    while rest := text[place : place + 1]:
        if rest.isspace():
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return []
        found.append(value)
    return found if all(isinstance(value, dict) for value in found) else []


def _not_json(error: Exception, line: int, path: Path, *, cut_off: bool = False) -> EquipoiseError:
    reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
    hint = "Write a JSON object a line, or an array of objects."
    if cut_off:
        hint = "The last line is cut off: delete it, or write it again."
    return EquipoiseError(f"line {line}: not valid JSON ({reason[:200]})", file=path, hint=hint)


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, kind) for x in value)


def _column(value: Any) -> list[Any] | None:
    """A list, or the values of pandas' ``{"0": ..., "1": ...}``; ``None`` if it is neither."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(str(key).isdigit() for key in value):
        return list(value.values())
    return None
