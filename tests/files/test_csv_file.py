"""Reading strangers' CSV files, and writing ours."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import (
    MOST_CHARACTERS,
    read_rows,
    write_table,
)

WriteCsv = Callable[..., Path]


def test_values_stay_the_strings_they_are(write_csv: WriteCsv) -> None:
    path = write_csv('a,b\r\n007,NA\r\n1e3,None\r\n,"x, ""y""\nz"\r\n')
    rows = read_rows(path)
    assert rows.columns == {"a": ["007", "1e3", ""], "b": ["NA", "None", 'x, "y"\nz']}
    assert len(rows) == 3


def test_byte_order_mark_and_blank_lines_are_no_data(write_csv: WriteCsv) -> None:
    rows = read_rows(write_csv(b"\xef\xbb\xbf text ,b\n\n1,2\n\n3,4\n"))
    assert rows.columns == {"text": ["1", "3"], "b": ["2", "4"]}
    assert [rows.place(0), rows.place(1)] == ["line 3", "line 5"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\n\n", "empty"),
        (b"text,subject\n", "has a header but no rows"),
        (b"text,subject\na,b\nc\n", "line 3: 1 fields where the header has 2"),
        (b'text,subject\n"a\n\nb",c\nd,e,f\n', "line 5: 3 fields where the header has 2"),
        (b"text,text\na,b\n", "2 columns are named 'text'"),
        (b"text,subject\na\xff,b\n", "not UTF-8 at byte 14"),
        (b"\xff\xfet\0e\0", "is UTF-16, not UTF-8. Convert it: iconv -f UTF-16 -t UTF-8 "),
        (b"text,subject\na,b\nc\0,d\n", "line 3: holds a NUL byte"),
        (b'text,subject\na,"b\nc,d\n', "line 2: unexpected end of data"),
        (b'text,subject\n"a"x,b\n', "line 2: ',' expected after '\"'"),
        (
            b"text,subject\na,b\n" + b"x" * (MOST_CHARACTERS + 1) + b",b\n",
            "line 3: a field of more than 16,000,000 characters. Shorten it",
        ),
    ],
)
def test_bad_file_says_what_and_where(write_csv: WriteCsv, content: bytes, message: str) -> None:
    path = write_csv(content)
    with pytest.raises(EquipoiseError) as caught:
        read_rows(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match="no such file"):
        read_rows(tmp_path / "nowhere.csv")
    with pytest.raises(EquipoiseError, match="cannot be read"):
        read_rows(tmp_path)


def test_written_table_has_six_decimals_and_empty_missing_values(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "method": ["=cmd", 'a"b,c'],
            "rate": [1 / 3, float("nan")],
            "n": [3, 4],
            "flag": pd.Series([True, pd.NA], dtype="boolean"),
        }
    )
    path = tmp_path / "new" / "table.csv"
    write_table(path, frame)
    assert path.read_bytes() == (b'method,rate,n,flag\n=cmd,0.333333,3,True\n"a""b,c",,4,\n')
    assert frame["method"].tolist() == ["=cmd", 'a"b,c']  # the frame itself is left alone
    assert read_rows(path).columns["method"] == ["=cmd", 'a"b,c']


def test_lines_of_a_megabyte_are_read_and_the_limit_of_others_stays(write_csv: WriteCsv) -> None:
    before = csv.field_size_limit()
    text = "bold " * 200_000
    assert read_rows(write_csv(f"text,b\n{text},1\n")).columns == {"text": [text], "b": ["1"]}
    assert csv.field_size_limit() == before


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_every_text_comes_back_to_the_letter(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, pd.DataFrame({"n": range(len(texts)), "text": texts}))
        assert read_rows(path).columns["text"] == texts
        with path.open(encoding="utf-8", newline="") as stream:  # by any other reader, too
            assert [row["text"] for row in csv.DictReader(stream)] == texts


def test_a_lone_carriage_return_stays_inside_its_field(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, pd.DataFrame({"text": ["1\r2"], "n": [0.5]}))
    assert path.read_bytes() == b'"text","n"\n"1\r2","0.500000"\n'
    assert read_rows(path).columns == {"text": ["1\r2"], "n": ["0.500000"]}
