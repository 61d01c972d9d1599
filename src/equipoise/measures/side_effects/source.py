"""Files of sentences and questions that a user names: read within bounds, before any model is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_bounded
from equipoise.files.text_file import decode_utf8
from equipoise.wording.visible import visible

MAX_BYTES = 200_000_000
"""Larger files are refused; the largest benchmark that is read here has some 50 MB."""

MOST_ITEMS = 200_000
"""Pairs or questions of a file."""

LONGEST = 5_000
"""Characters of a sentence, question or option."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can hold and no tokenizer takes."""

LONGEST_NAME = 60
"""Characters of the name of a group."""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        EquipoiseError: It is missing, a device, too large, empty or not UTF-8.
    """
    text = decode_utf8(read_bounded(path, MAX_BYTES), path)
    if not text.strip():
        raise EquipoiseError("empty", file=path, hint="Name a file that holds something.")
    return text


def json_lines(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line that is not blank, as an object, with its number (1-based).

    Raises:
        EquipoiseError: A line is no JSON object.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise EquipoiseError(
                f"line {number}: no JSON object", file=path, hint="Give one object a line."
            )
        yield number, found


def sentence(value: object, place: str, path: Path) -> str:
    """``value`` itself, once it is a text that is neither empty nor too long.

    Args:
        value: What stands in the file.
        place: Where, such as ``line 7: sent_more``.
        path: The file.

    Raises:
        EquipoiseError: It is no such text.
    """
    if not isinstance(value, str) or not value.strip() or _HALF.search(value):
        raise EquipoiseError(f"{place} is no text", file=path, hint="Fill it, or drop the line.")
    if len(value) > LONGEST:
        raise EquipoiseError(
            f"{place} has {len(value):,} characters, more than {LONGEST:,}",
            file=path,
            hint="Shorten it: models read sentences here.",
        )
    return value.strip()


def group_name(value: object) -> str:
    """The name of a group as it can be shown: visible, short, never empty."""
    text = visible(str(value)).strip()[:LONGEST_NAME] if isinstance(value, str | int) else ""
    return text or "none"


def check_number(items: Sequence[object], what: str, path: Path) -> None:
    """Refuse a file without items, or with too many.

    Raises:
        EquipoiseError: There are none, or more than `MOST_ITEMS`.
    """
    if not items:
        raise EquipoiseError(f"holds no {what}", file=path, hint="Name the file that holds them.")
    if len(items) > MOST_ITEMS:
        raise EquipoiseError(
            f"holds {len(items):,} {what}, more than {MOST_ITEMS:,}",
            file=path,
            hint="Cut it down to a sample.",
        )
