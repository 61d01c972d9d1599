"""Kinds of what is taken away from a text before its sentence is judged."""

from __future__ import annotations

from typing import Literal

Cut = Literal[
    "reasoning",
    "unended reasoning",
    "preamble",
    "label",
    "quotes",
    "markup",
    "characters",
    "line breaks",
]
"""Kinds of what is taken away before a sentence is judged."""

CUTS: dict[Cut, str] = {
    "reasoning": "reasoning before the answer",
    "unended reasoning": "reasoning that never ends",
    "preamble": "text before the sentence",
    "label": "labels, list marks and headings",
    "quotes": "quotation marks around it",
    "markup": "Markdown, HTML or code",
    "characters": "characters that cannot be seen, or stand for others",
    "line breaks": "line breaks inside it",
}
"""How each kind is called in a sentence."""


def note(cut: list[Cut], kind: Cut, happened: bool) -> None:
    """Add ``kind`` to what was taken away, if it was."""
    if happened:
        cut.append(kind)
