"""CSV as spreadsheets and scripts leave it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.completions.frame import Reading, read_anything
from equipoise.completions.separated import find_separator
from equipoise.errors import EquipoiseError
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]

NURSE = "The nurse was bold and caring."
DOCTOR = "The doctor was tall, they said."


def texts(reading: Reading) -> list[list[str]]:
    return reading.completions[["subject", "text"]].values.tolist()


BOTH = [["nurse", NURSE], ["doctor", DOCTOR]]


@pytest.mark.parametrize(
    ("content", "name", "remarks"),
    [
        (f'occupation,text\nnurse,{NURSE}\ndoctor,"{DOCTOR}"\n', "a.csv", ()),
        (
            f"occupation;text\nnurse;{NURSE}\ndoctor;{DOCTOR}\n",
            "a.csv",
            ("Columns are separated by semicolons.",),
        ),
        (
            f"occupation\ttext\r\nnurse\t{NURSE}\r\ndoctor\t{DOCTOR}\r\n",
            "a.txt",
            ("Columns are separated by tabs.",),
        ),
        (f"occupation\ttext\nnurse\t{NURSE}\ndoctor\t{DOCTOR}\n", "a.TSV", ()),
        (f"sep=;\r\noccupation;text\r\nnurse;{NURSE}\r\ndoctor;{DOCTOR}\r\n", "a.csv", ()),
        (f'\ufeffoccupation,text\nnurse,{NURSE}\ndoctor,"{DOCTOR}"\n', "a.csv", ()),
    ],
)
def test_separators_are_found_by_content_and_said(
    task: Task, write_csv: WriteCsv, content: str, name: str, remarks: tuple[str, ...]
) -> None:
    reading = read_anything(write_csv(content, name), task)
    assert texts(reading) == BOTH
    assert reading.remarks == remarks


@pytest.mark.parametrize(
    ("header", "wanted", "separator"),
    [
        ("subject,text", (), ","),
        ("subject;text,note", (), ";"),
        ("subject,text;note", (), ","),
        ('"subject, all";text', (), ";"),
        ("who;what,is", ("who",), ";"),
        ("who;what,is", ("what,is",), ";"),
        ("who\twhat;x", (), ";"),
        ("text", (), ","),
        ("", (), ";"),
        (",;,;", (), ";"),
        ('"never closed', (), ","),
    ],
)
def test_the_header_decides(header: str, wanted: tuple[str, ...], separator: str) -> None:
    assert find_separator(header + "\n1;2;3\t4,5\n", wanted) == separator


def test_what_a_spreadsheet_leaves_behind_counts_as_nothing(
    task: Task, write_csv: WriteCsv
) -> None:
    path = write_csv(
        ",,,,,\n"
        " Occupation , Text ,Seed,,,\n"
        f"nurse ,{NURSE}  ,42.0,,,\n"
        ",,,,,\n"
        " , ,,\t,,\n"
        ",,\n"
        f'doctor\u00a0,"{DOCTOR}",42,,,,,\n'
        f'doctor,"{DOCTOR}",42\n'
        ",,,,,\n"
    )
    reading = read_anything(path, task)
    assert texts(reading) == [*BOTH, BOTH[1]]
    assert reading.completions["seed"].tolist() == [42, 42, 42]
    assert reading.remarks == ("Rows that hold nothing, left out: 4.",)


def test_nameless_columns_that_hold_something_stay_apart(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(f",occupation,text,,\n0,nurse,{NURSE},,x y\n1,nurse,{NURSE},,z w\n")
    assert texts(read_anything(path, task)) == [BOTH[0], BOTH[0]]
    reading = read_anything(path, task, text_column="column 5")
    assert reading.completions["text"].tolist() == ["x y", "z w"]


def test_columns_of_one_name_are_refused_unless_they_say_the_same(
    task: Task, write_csv: WriteCsv
) -> None:
    assert texts(read_anything(write_csv(f"text,subject,text\n{NURSE},nurse,\n"), task))
    assert texts(read_anything(write_csv(f"text,subject,text\n,nurse,{NURSE}\n"), task))
    assert texts(read_anything(write_csv(f"text,subject,text\n{NURSE},nurse,{NURSE}\n"), task))
    with pytest.raises(EquipoiseError, match="2 columns are named 'text'"):
        read_anything(write_csv(f"text,subject,text\n{NURSE},nurse,Tall.\n"), task)


def test_a_header_in_the_middle_is_no_row(task: Task, write_csv: WriteCsv) -> None:
    part = f"occupation,text\nnurse,{NURSE}\n"
    reading = read_anything(write_csv(part + "\ufeff" + part), task)
    assert texts(reading) == [BOTH[0], BOTH[0]]
    assert reading.remarks == ("Rows that repeat the header, left out: 1.",)


def test_quotation_marks_in_tsv_may_be_characters(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv('occupation\ttext\nnurse\t"Bold" is she.\ndoctor\tThe "doctor\n', "a.tsv")
    reading = read_anything(path, task)
    assert texts(reading) == [["nurse", '"Bold" is she.'], ["doctor", 'The "doctor']]
    assert reading.remarks == (
        "Quotation marks are read as they stand, because some are not closed.",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("occupation;text\nnurse;a\nnurse;a;b\n", "line 3: 3 fields where the header has 2"),
        ("sep=;\noccupation;text\nnurse;a;b\n", "line 3: 3 fields where the header has 2"),
        ("occupation,text,\nnurse\n", "line 2: 1 fields where the header has 3"),
        ("occupation,text\n,\n , \n", "has a header but no rows"),
        (",,\n,,\n", "empty"),
        ("sep=,\n", "empty"),
        ("occupation|text\nnurse|a\n", "Separate the columns with commas."),
        ("occupation,text,seed\nnurse,a,1\nnurse,a,x1\n", "line 3: seed 'x1' is not a whole"),
        ("occupation,text,split\nnurse,a,train\nnurse,a,dev2\n", "split 'dev2' is neither"),
    ],
)
def test_bad_rows_are_named(task: Task, write_csv: WriteCsv, content: str, message: str) -> None:
    path = write_csv(content)
    with pytest.raises(EquipoiseError) as caught:
        read_anything(path, task)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("none", ["", "nan", "NaN", "NA", "None", "null", " "])
def test_none_is_none_but_for_texts(task: Task, write_csv: WriteCsv, none: str) -> None:
    path = write_csv(
        "occupation,text,seed,split,method,tokens,finished\n"
        f"nurse,NA,{none},{none},{none},{none},{none}\n"
        f"nurse,{NURSE},3,train,sft,7,false\n"
    )
    reading = read_anything(path, task)
    frame = reading.completions
    assert frame["text"].tolist() == ["NA", NURSE]
    assert frame["seed"].tolist() == [0, 3]
    assert frame["split"].tolist() == ["train", "train"]
    assert frame["method"].tolist() == [path.stem, "sft"]
    assert frame["tokens"].isna().tolist() == [True, False]
    assert frame["finished"].tolist() == [False, False]
    assert reading.remarks == (
        f"Rows without a method, judged as method '{path.stem}': 1 of 2.",
        "Rows without a seed, judged as seed 0 of their own: 1 of 2.",
    )


def test_rows_without_a_seed_take_one_that_is_nobodys(task: Task, write_csv: WriteCsv) -> None:
    rows = "".join(f"nurse,{NURSE},{seed}\n" for seed in ("0", "1.0", "nan", '"2,0"', ""))
    reading = read_anything(write_csv("occupation,text,seed\n" + rows), task)
    assert reading.completions["seed"].tolist() == [0, 1, 3, 2, 3]
    path = write_csv(f"occupation,text,seed\nnurse,{NURSE},\nnurse,Tall.,NaN\n")
    reading = read_anything(path, task, seed=5)
    assert reading.completions["seed"].tolist() == [5, 5]
    assert reading.remarks == ()


def test_none_may_be_the_name_of_a_method(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(f"occupation,text,method\nnurse,{NURSE},none\nnurse,{NURSE},debiased\n")
    reading = read_anything(path, task)
    assert reading.completions["method"].tolist() == ["none", "debiased"]
    assert reading.remarks == ()


@pytest.mark.parametrize("title", ["Results of 27 November", "# written by run.py", "Title,\n,"])
def test_lines_above_the_names_are_passed_over(task: Task, write_csv: WriteCsv, title: str) -> None:
    path = write_csv(f"{title}\noccupation;seed;text\nnurse;42;{NURSE}\n")
    reading = read_anything(path, task)
    assert texts(reading) == [BOTH[0]]
    assert reading.completions["seed"].tolist() == [42]
    assert any(said.startswith("Lines above the names") for said in reading.remarks)


def test_row_names_need_no_name_of_their_own(task: Task, write_csv: WriteCsv) -> None:
    """R's ``write.table`` leaves it out of the header."""
    path = write_csv(f'"occupation","text"\n"1","nurse","{NURSE}"\n"2","doctor","{DOCTOR}"\n')
    assert texts(read_anything(path, task)) == [*BOTH]
    with pytest.raises(EquipoiseError, match="3 fields where the header has 2"):
        read_anything(write_csv("occupation,text\nnurse,The nurse was bold, and tall.\n"), task)


def test_a_file_without_names_is_refused(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(f'nurse,"{NURSE}"\ndoctor,"{DOCTOR}"\nnurse,"{NURSE}"\n')
    with pytest.raises(EquipoiseError, match="the first line holds a text where the columns"):
        read_anything(path, task)


def test_a_header_in_other_letters_stands_there_twice(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(f'Occupation,Text\nnurse,"{NURSE}"\noccupation,TEXT\ndoctor,"{DOCTOR}"\n')
    assert texts(read_anything(path, task)) == [*BOTH]
