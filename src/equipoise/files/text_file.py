"""Bytes become text: UTF-8 only, and what is not UTF-8 is named with the command that converts."""

from __future__ import annotations

import shlex
from pathlib import Path

from equipoise.errors import EquipoiseError

_MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""Byte order marks, the longer ones first: UTF-32's begins as UTF-16's does."""

_NOT_IN_WINDOWS_1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_LOOKED_AT = 2_000


def decode_utf8(raw: bytes, path: Path) -> str:
    """The text of ``raw``, without byte order mark.

    Args:
        raw: What the file holds.
        path: The file, for errors.

    Raises:
        EquipoiseError: It is UTF-16, UTF-32, Windows-1252 or no text; it holds NUL bytes.
    """
    encoding = _wide_encoding(raw)
    if encoding is not None:
        raise EquipoiseError(
            f"is {encoding}, not UTF-8", file=path, hint=_conversion(path, encoding)
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "Save it as CSV in UTF-8."
        if b"\0" not in raw and not _NOT_IN_WINDOWS_1252.intersection(raw):
            line = raw.count(b"\n", 0, error.start) + 1
            hint = f"Line {line} is probably Windows-1252. {_conversion(path, 'WINDOWS-1252')}"
        raise EquipoiseError(f"not UTF-8 at byte {error.start}", file=path, hint=hint) from None
    nul = raw.find(b"\0")
    if nul >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        hint = "Save it as CSV in UTF-8."
        raise EquipoiseError(f"line {line}: holds a NUL byte", file=path, hint=hint)
    return text.removeprefix("\ufeff")


def _wide_encoding(raw: bytes) -> str | None:
    """``UTF-16`` or ``UTF-32`` where a mark says so, or every second byte of the start is NUL."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    start = raw[:_LOOKED_AT]
    for offset, encoding in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        high, low = start[offset::2], start[1 - offset :: 2]
        if len(high) >= 8 and high.count(0) > 0.9 * len(high) and 0 not in low:
            return encoding
    return None


def _conversion(path: Path, encoding: str) -> str:
    """The command that makes UTF-8 of it, as a sentence."""
    old = shlex.quote(str(path))
    new = shlex.quote(str(path.with_name(f"{path.stem}.utf8{path.suffix}")))
    return f"Convert it: iconv -f {encoding} -t UTF-8 {old} > {new}"
