"""Strangers' text made visible: nothing in it can hide, turn the writing round or break a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, and with it what a line seems to say."""

HIDDEN = frozenset("\u00ad\u200b\u2060\ufeff\u2028\u2029")
"""Characters without a width of their own, and line breaks that look like none."""

_SPACES = "\t\n\r\v\f\u0085"
"""Control characters that stand for a space."""

MOST_CHARACTERS = 2_000
"""Longer texts are cut where they are shown; the files of the run keep them whole."""


def visible(text: str) -> str:
    r"""``text`` with characters nobody can see written out, such as ``⟨U+202E⟩``.

    These are control characters (a tab and a line break become a space), marks of direction, lone
    surrogates, which no file in UTF-8 can hold, and what has no width. Joiners, which emoji and
    several scripts need, stay.

    >>> visible("a\u202eb\x00\ud800"), visible("two\nlines")
    ('a⟨U+202E⟩b⟨U+0000⟩⟨U+D800⟩', 'two lines')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """``text`` itself, or its beginning and how long it is in all."""
    if len(text) <= most:
        return text
    return f"{text[:most]} … ({len(text):,} characters in all)"


def shown(value: object) -> str:
    """Any value as one short visible line, as every page, table and figure shows it."""
    return visible(shortened(str(value)))


def printable(text: str) -> str:
    """``text`` for a terminal: a line without control characters, which could turn it upside down.

    What ``visible`` writes out is a "?" here, so that a table stays as wide as it is.

    >>> printable("a" + chr(27) + "[31mb")
    'a?[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if c in _SPACES or _is_hidden(c) else c for c in text)


def quoted(names: Sequence[str], most: int = 30) -> str:
    """Names for a message, quoted and shortened: the first row of a file may be anything.

    >>> quoted(["a", "b" * 50, "c"], 2)
    "'a', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...', ... (3 in all)"
    """
    told = [repr(name if len(name) <= 40 else f"{name[:37]}...") for name in names[:most]]
    return ", ".join(told) + (f", ... ({len(names):,} in all)" if len(names) > most else "")


def well_formed(value: Any) -> Any:
    """Plain data with every text in it ``visible``: what JSON files of a run may hold.

    Keys that become equal by it are told apart by nothing, so the last one stays.
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): well_formed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [well_formed(item) for item in value]
    return value


def _visible_character(character: str) -> str:
    if character in _SPACES:
        return " "
    return f"⟨U+{ord(character):04X}⟩" if _is_hidden(character) else character


def _is_hidden(character: str) -> bool:
    if character in DIRECTION or character in HIDDEN:
        return True
    return unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co")
