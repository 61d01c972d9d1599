"""Answers that come piece by piece, as server-sent events, though nobody asked for that."""

from __future__ import annotations

import json
from typing import Any

THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Fields in which servers put what a model thinks before it answers."""


_JOINED = ("content", "text", "refusal", *THOUGHTS)
"""Fields whose pieces follow each other; of others the last one counts."""

_MARKS = ("data:", "event:", "id:", "retry:", ":")


def joined(body: str) -> dict[str, Any] | None:
    r"""The pieces of a stream as one response; None if ``body`` is none, or breaks off.

    >>> bo, ld = ('data: {"choices": [{"text": "%s"}]}' % text for text in ("bo", "ld"))
    >>> joined(f"{bo}\n\n{ld}\n\ndata: [DONE]")["choices"][0]["text"]
    'bold'
    """
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    if not lines or not all(line.startswith(_MARKS) for line in lines):
        return None
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    ended = "[DONE]" in data
    pieces = [_piece(text) for text in data if text != "[DONE]"]
    whole: dict[str, Any] = {}
    message: dict[str, Any] = {}
    choice: dict[str, Any] = {"message": message}
    for piece in pieces:
        if piece is None:
            return None
        whole |= {name: value for name, value in piece.items() if value is not None}
        choices = piece.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            _add(choices[0], choice)
            _add(choices[0].get("delta"), message)
    if not message:
        del choice["message"]
    if not (ended or choice.get("finish_reason") or "error" in whole):
        return None
    return {**whole, "choices": [choice]} if choice else whole


def _piece(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _add(piece: Any, whole: dict[str, Any]) -> None:
    """The fields of a piece beside those before it."""
    fields = piece.items() if isinstance(piece, dict) else ()
    for name, value in fields:
        before = whole.get(name)
        if name in _JOINED and isinstance(before, str) and isinstance(value, str):
            whole[name] = before + value
        elif name != "delta" and value is not None:
            whole[name] = value
