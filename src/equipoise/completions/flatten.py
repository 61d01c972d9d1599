"""Nested records become rows: fields of objects under dotted names, a row for each drawn text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from equipoise.completions.column_names import ROLE_NAMES, leaf, normal, rank

MOST_LEVELS = 8
"""Deeper objects are kept as JSON."""

ASKING_ROLES = frozenset({"user", "human", "system", "developer", "tool", "function"})
"""Who speaks in a conversation without being the model, whatever the model is called there."""


def rows_of(record: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of one record: several if its text is a list of draws.

    >>> list(rows_of({"doc": {"job": "nurse"}, "outputs": ["a", "b"]}))[1]
    {'doc.job': 'nurse', 'outputs': 'b', 'draw': '1'}
    """
    flat = flattened(record)
    drawn = {
        name: texts
        for name, value in flat.items()
        if isinstance(value, list)
        and rank(name, "text") is not None
        and (texts := drawn_texts(value)) is not None
    }
    row = {name: as_text(value) for name, value in flat.items() if name not in drawn}
    row |= {f"{name}.prompt": asked for name, value in flat.items() if (asked := asked_in(value))}
    if not drawn:
        yield row
        return
    best = min(drawn, key=lambda name: rank(name, "text") or 0)
    row |= {name: "\n".join(texts) for name, texts in drawn.items() if name != best}
    numbered = any(normal(leaf(name)) in ROLE_NAMES["run"] for name in row)
    several = len(drawn[best]) > 1
    for number, text in enumerate(drawn[best]):
        yield {**row, best: text, **({"draw": str(number)} if several and not numbered else {})}


def flattened(record: Mapping[str, Any], prefix: str = "", level: int = 0) -> dict[str, Any]:
    """The fields of ``record`` and of the objects in it, under names such as ``doc.occupation``."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        whole = f"{prefix}{name}"
        if isinstance(value, Mapping) and level < MOST_LEVELS and value:
            found |= flattened(value, f"{whole}.", level + 1)
        else:
            found[whole] = value
    return found


def as_text(value: Any) -> str:
    """Any JSON value as a cell: nothing is empty, lists and objects are JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)[:100_000]
    return str(value)


def drawn_texts(value: Sequence[Any]) -> list[str] | None:
    """The texts of a list of draws: strings, or what servers and chats write; else ``None``.

    A conversation (messages with roles) is one draw: what was said last by whoever is not asking.
    So is an answer in parts (each with a type), of which reasoning and tools are no text.
    """
    if not value:
        return [""]
    if _is_conversation(value):
        said = [item for item in value if _speaker(item) not in ASKING_ROLES]
        return [_content(said[-1]) or "" if said else ""]
    if all(isinstance(item, Mapping) and "type" in item for item in value):
        return [_content(list(value)) or ""]
    texts = [_content(item) for item in value]
    return None if None in texts else [text or "" for text in texts]


def asked_in(value: Any) -> str:
    """What the model was asked last, if ``value`` is a conversation; else nothing."""
    if not _is_conversation(value):
        return ""
    asked = [item for item in value if _speaker(item) in ASKING_ROLES]
    return _content(asked[-1]) or "" if asked else ""


def _is_conversation(value: Any) -> bool:
    """Whether it is a list of messages, each with who says it."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, Mapping) and ("role" in item or "from" in item) for item in value)
    )


def _content(item: Any) -> str | None:
    """The text of one draw or message; ``None`` if there is none to be recognised."""
    if item is None or isinstance(item, str):
        return item or ""
    if isinstance(item, list):  # content in parts
        parts = [part if isinstance(part, str) else _part(part) for part in item]
        return "".join(part for part in parts if part is not None)
    if not isinstance(item, Mapping):
        return None
    for name in ("message", "content", "parts", "text", "generated_text", "value", "output_text"):
        if name in item:
            return _content(item[name])
    return None


def _speaker(item: Mapping[str, Any]) -> str:
    return str(item.get("role", item.get("from"))).casefold()


def _part(part: Any) -> str | None:
    """The text of a part of a content; none of a part that is reasoning, an image or a tool."""
    if isinstance(part, Mapping) and part.get("type") == "message":
        return _content(part.get("content"))
    if isinstance(part, Mapping) and part.get("thought") is True:
        return None
    if isinstance(part, Mapping) and part.get("type", "text") in ("text", "output_text"):
        text = part.get("text")
        return text if isinstance(text, str) else None
    return None
