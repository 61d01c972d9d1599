"""Bytes become text, or the command that converts them is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.files.text_file import decode_utf8

TEXT = "occupation,text\nnurse,The nurse’s café – bold.\n"
PATH = Path("my files/theirs.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_mark(encoding: str) -> None:
    assert decode_utf8(TEXT.encode(encoding), PATH) == TEXT


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "is UTF-16, not UTF-8. Convert it: iconv -f UTF-16 -t UTF-8 "),
        ("utf-16-le", "is UTF-16LE, not UTF-8. Convert it: iconv -f UTF-16LE -t UTF-8 "),
        ("utf-16-be", "is UTF-16BE, not UTF-8. Convert it: iconv -f UTF-16BE -t UTF-8 "),
        ("utf-32", "is UTF-32, not UTF-8. Convert it: iconv -f UTF-32 -t UTF-8 "),
        (
            "windows-1252",
            "not UTF-8 at byte 31. Line 2 is probably Windows-1252. "
            "Convert it: iconv -f WINDOWS-1252 -t UTF-8 ",
        ),
    ],
)
def test_other_encodings_are_named_with_the_command(encoding: str, message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        decode_utf8(TEXT.encode(encoding), PATH)
    files = "'my files/theirs.csv' > 'my files/theirs.utf8.csv'."
    assert str(caught.value).removesuffix(".") + "." == f"{PATH}: {message}{files}"


def test_bytes_of_no_encoding_are_refused() -> None:
    with pytest.raises(EquipoiseError, match=r"not UTF-8 at byte 1. Save it as CSV in UTF-8."):
        decode_utf8(b"a\x81\xff\n", PATH)
    with pytest.raises(EquipoiseError, match="line 2: holds a NUL byte"):
        decode_utf8(b"a,b\nc\0,d\n", PATH)
