"""TOML files of people, read strictly."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_bounded

MAX_TOML_BYTES = 2_000_000
"""Larger files are refused: no task or study written by a person comes near it."""

MAX_KEY_PARTS = 32
"""Most parts of a dotted key: the parser's time grows with the square of their number."""

_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
# Tried where a key can begin only, so that long runs of anything are passed in linear time.
_LONG_KEY = re.compile(rf"""(?<![\w"'\\-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}""")


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        EquipoiseError: The file is missing, a folder, a device, too large, not UTF-8, starts with a
            byte order mark, holds NUL bytes, has a dotted key of very many parts, or is not valid
            TOML (duplicate keys included).
    """
    path = Path(path)
    raw = read_bounded(path, MAX_TOML_BYTES)
    if raw.startswith(b"\xef\xbb\xbf"):
        raise EquipoiseError(
            "starts with a byte order mark", file=path, hint="Save it as UTF-8 without BOM."
        )
    if b"\0" in raw:
        raise EquipoiseError("holds NUL bytes", file=path, hint="Save it as plain UTF-8 text.")
    try:
        text = raw.decode("utf-8")
        if long := _LONG_KEY.search(text):
            line = text.count("\n", 0, long.start()) + 1
            raise EquipoiseError(
                f"line {line}: {long[0][:40]!r}... has more than {MAX_KEY_PARTS} parts with dots "
                "between them",
                file=path,
                hint="Put a line break into it if it is text.",
            )
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise EquipoiseError(
            f"not UTF-8 at byte {error.start}", file=path, hint="Save it as UTF-8."
        ) from None
    except (ValueError, RecursionError) as error:  # int() refuses 4,300 digits with a ValueError
        reason = str(error).rstrip(".") or "nested too deeply"
        raise EquipoiseError(f"not valid TOML: {reason}", file=path) from None
