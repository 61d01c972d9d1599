"""Logs of lm-evaluation-harness: ``samples_*.jsonl``, which it writes with ``--log_samples``.

A record is one document: ``doc`` holds its fields, ``arguments`` what the model was asked,
``resps`` all its answers (``repeats`` of them), ``filtered_resps`` what a filter left of them. With
several filters a document stands in the log once for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from equipoise.completions.flatten import as_text, flattened
from equipoise.completions.source import RowsBuilder, Source
from equipoise.errors import EquipoiseError

_FIELDS = ("resps", "filtered_resps")


def is_harness_record(record: Mapping[str, Any]) -> bool:
    """Whether it has the answers of such a log, nested or with dotted names."""
    return any(
        name == field or name.startswith(f"{field}.") for name in record for field in _FIELDS
    )


def read_harness_log(
    records: Iterable[tuple[int, Mapping[str, Any]]], path: Path | None, unit: str
) -> Source:
    """A row for each answer, with the fields of its document as ``doc.NAME``.

    Of several filters the one named ``none`` is read, or else the first. The text is the answer
    itself, as filters take the first of several, or extract a word of it, or write "[invalid]"
    where they find none; what a filter left is the text only where the answer is not there.

    Raises:
        EquipoiseError: The answers are likelihoods of given texts, not texts.
    """
    found = list(records)
    filters = list(dict.fromkeys(str(record.get("filter", "none")) for _, record in found))
    chosen = "none" if "none" in filters else filters[0]
    builder, contexts = RowsBuilder(path, unit), []
    for place, record in found:
        if str(record.get("filter", "none")) == chosen:
            for context, row in _rows(record, f"{unit} {place}", path):
                builder.add(row, place)
                contexts.append(context)
    remarks = ["Read as a log of lm-evaluation-harness."]
    if len(filters) > 1:
        others = ", ".join(repr(name[:40]) for name in filters[:5] if name != chosen)
        remarks.append(
            f"The log has every answer once for each filter: those of {chosen[:40]!r} are read, "
            f"those of {others} are not."
        )
    return Source(builder.rows(), tuple(remarks), {"text": "response"}, contexts)


def _rows(
    record: Mapping[str, Any], place: str, path: Path | None
) -> Iterator[tuple[str, dict[str, str]]]:
    """What was asked, and the row, of each answer."""
    answers, filtered = (_instances(_gathered(record, field)) for field in _FIELDS)
    asked = _instances(_gathered(record, "arguments"))
    doc = flattened({"doc": _gathered(record, "doc")})
    shared = {name: as_text(value) for name, value in doc.items()}
    shared["doc_id"] = as_text(record.get("doc_id"))
    if all(isinstance(x, str) for x in answers) and len(answers) > len(asked) == 1:
        answers = [answers]  # a flat list: repeats of the one request
    for number in range(max(len(answers), len(filtered))):
        texts = _texts(answers[number]) if number < len(answers) else []
        left = _texts(filtered[number]) if number < len(filtered) else []
        if any(_is_likelihood(text) for text in (answers or filtered)[number : number + 1]):
            raise EquipoiseError(
                f"{place}: holds likelihoods of given texts, no texts",
                file=path,
                hint="Log a task whose output_type is generate_until.",
            )
        context = _first_text(asked[min(number, len(asked) - 1)]) if asked else ""
        for repeat, text in enumerate(texts or left):
            yield context, {**shared, "response": text, "repeat": str(repeat)}


def _gathered(record: Mapping[str, Any], field: str) -> Any:
    """The value of ``field``; if it stands there under dotted names, these put together."""
    if field in record:
        return record[field]
    start = f"{field}."
    parts = {name.removeprefix(start): record[name] for name in record if name.startswith(start)}
    return dict(sorted(parts.items(), key=lambda item: _natural(item[0])))


def _instances(value: Any) -> list[Any]:
    """One item for each request of the document: of a list, or of ``{"gen_args_0": ...}``."""
    if isinstance(value, Mapping):
        if value and all(re.fullmatch(r"(gen_args_)?\d+\.\w+(\.\w+)*", str(key)) for key in value):
            groups: dict[str, dict[str, Any]] = {}
            for key, item in value.items():
                first, _, rest = str(key).partition(".")
                groups.setdefault(first, {})[rest] = item
            return list(groups.values())
        return [item for _, item in sorted(value.items(), key=lambda item: _natural(item[0]))]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _texts(value: Any) -> list[str]:
    """All texts in an answer, however deep the lists around them are."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [as_text(value)]


def _is_likelihood(value: Any) -> bool:
    """Whether an answer is a pair of a log-likelihood and whether it is the likeliest."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or len(value) != 2:
        return False
    number, greedy = (str(item) for item in value)
    return (
        greedy in ("True", "False")
        and re.fullmatch(r"-?(\d+\.?\d*(e-?\d+)?|inf)", number) is not None
    )


def _first_text(value: Any) -> str:
    """The first text of a request's arguments: what the model continues."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = [item for _, item in sorted(value.items(), key=lambda item: _natural(item[0]))]
    if isinstance(value, list):
        return next((text for item in value if (text := _first_text(item))), "")
    return ""


def _natural(name: str) -> list[tuple[int, str]]:
    """So that ``arg_10`` stands after ``arg_9``."""
    return [
        (int(part), "") if part.isdigit() and len(part) < 10 else (-1, part)
        for part in re.split(r"(\d+)", str(name))
    ]
