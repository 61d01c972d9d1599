"""From anybody's columns to the completions frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from equipoise.completions.columns import all_numbers
from equipoise.completions.frame import (
    COLUMNS,
    as_completions,
    read_anything,
    read_completions,
    remarks,
)
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import write_table
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]


def test_least_file_gets_every_column(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(
        "Occupation,Text\n"
        "Doctor,The doctor was bold. And more.\n"
        "doctor,The doctor was\n"
        "welder,None\n",
        "mine.csv",
    )
    frame = read_completions(path, task)
    assert tuple(frame.columns) == COLUMNS
    assert frame["text"].tolist() == ["The doctor was bold.", "The doctor was", "None"]
    assert frame["finished"].tolist() == [True, False, False]
    assert frame["method"].tolist() == ["mine"] * 3
    assert frame["seed"].tolist() == [0, 0, 0]
    assert frame["subject"].tolist() == ["doctor", "doctor", "welder"]
    assert frame["split"].tolist() == ["train", "train", ""]
    assert frame["run"].tolist() == [0, 1, 0]
    assert frame["tokens"].isna().all()


def test_the_protocols_own_columns_are_recognised(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(
        "Model,Occupation,Split,RunID,Text,WordCount,Balanced,Seed\n"
        "sft,teacher,val,7,The teacher was warm.,4,False,42\n"
        "sft,doctor,Train,8,The doctor was warm.,4,False,42.0\n"
    )
    frame = read_completions(path, task, method="unused", seed=1)
    assert frame["method"].tolist() == ["sft", "sft"]
    assert frame["seed"].tolist() == [42, 42]
    assert frame["split"].tolist() == ["validation", "train"]
    assert frame["run"].tolist() == [7, 8]


@pytest.mark.parametrize("name", ["text", "Text", "completion", "Output", "SAMPLE"])
@pytest.mark.parametrize("subject", ["occupation", "Occupation", "subject"])
def test_names_in_any_case(task: Task, write_csv: WriteCsv, name: str, subject: str) -> None:
    frame = read_completions(write_csv(f"{subject},{name}\nnurse,The nurse was bold.\n"), task)
    assert frame[["subject", "text"]].values.tolist() == [["nurse", "The nurse was bold."]]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "subject,what",
            "no column is the text; the columns are 'subject', 'what'. "
            "Name the right one with --text-column",
        ),
        (
            "who,text",
            "no column is the subject; the columns are 'who', 'text'. "
            "Name the right one with --subject-column",
        ),
        ("text,Text", "columns 'text', 'Text' could all be the text; the columns are "),
        ("subject,occupation", "no column is the text"),
    ],
)
def test_unclear_columns_are_listed_with_the_flag(
    task: Task, write_csv: WriteCsv, header: str, message: str
) -> None:
    with pytest.raises(EquipoiseError) as caught:
        read_completions(write_csv(f"{header}\na,b\n"), task)
    assert message in str(caught.value)


def test_flags_choose_the_column_and_a_wrong_one_is_named(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv("text,output,job\nignored,The nurse was bold.,nurse\n")
    frame = read_completions(path, task, text_column="output", subject_column="job")
    assert frame.loc[0, ["subject", "text"]].tolist() == ["nurse", "The nurse was bold."]
    with pytest.raises(EquipoiseError, match="no column 'jobs'; the columns are 'text', 'output'"):
        read_completions(path, task, text_column="output", subject_column="jobs")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nurse,bold,forty,train", "line 4: seed 'forty' is not a whole number"),
        ("nurse,bold,1.5,train", "line 4: seed '1.5' is not a whole number"),
        ("nurse,bold,1,third", "line 4: split 'third' is neither train nor validation"),
    ],
)
def test_bad_value_is_named_with_its_line(
    task: Task, write_csv: WriteCsv, row: str, message: str
) -> None:
    path = write_csv(f'subject,text,seed,split\nnurse,"two\nlines",1,train\n{row}\n')
    with pytest.raises(EquipoiseError) as caught:
        read_completions(path, task)
    assert f"{path}: {message}" in str(caught.value)


def test_missing_texts_are_kept_as_empty_and_remarked_on(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv("subject,text\nnurse,\nnurse,   \nnurse,The nurse was NA.\nwelder,Bold.\n")
    frame = read_completions(path, task)
    assert frame["text"].tolist() == ["", "", "The nurse was NA.", "Bold."]
    assert remarks(frame, task) == [
        "Empty texts, counted as neither: 2 of 4.",
        "Texts that do not start with 'The {subject} was': 1 of 4.",
        "Subjects the task 'small' does not have: 'welder'.",
    ]
    assert remarks(frame.iloc[2:3], task) == []
    assert remarks(frame.iloc[[0, 3]], task)[1] == (
        "Texts that do not start with 'The {subject} was': 1 of 2. If they are its continuations, "
        "evaluate them with the prefix 'add'."
    )


def test_long_lists_of_columns_are_shortened(task: Task, write_csv: WriteCsv) -> None:
    header = ",".join(["x" * 60, *(f"c{i}" for i in range(99))])
    with pytest.raises(EquipoiseError) as caught:
        read_completions(write_csv(f"{header}\n{'1,' * 99}1\n"), task)
    assert f"the columns are '{'x' * 37}...', 'c0', " in str(caught.value)
    assert "'c28', ... (100 in all). Name" in str(caught.value)


def test_optional_columns_have_an_order_and_no_twins(task: Task, write_csv: WriteCsv) -> None:
    row = "nurse,The nurse was bold.,smollm2,sft"
    frame = read_completions(write_csv(f"subject,text,model,method\n{row}\n"), task)
    assert frame["method"].tolist() == ["sft"]
    with pytest.raises(EquipoiseError, match="columns 'model', 'Model' could all be the method"):
        read_completions(write_csv(f"subject,text,model,Model\n{row}\n"), task)


def test_prefix_is_added_only_when_asked_and_only_where_it_is_not(
    task: Task, write_csv: WriteCsv
) -> None:
    path = write_csv(
        'subject,text\nnurse, bold. More.\nnurse,the NURSE was bold.\nwelder,", they say, bold"\n'
        "nurse,\n"
    )
    assert read_completions(path, task)["text"].tolist() == [
        "bold.", "the NURSE was bold.", ", they say, bold", "",
    ]  # fmt: skip
    assert read_completions(path, task, prefix="add")["text"].tolist() == [
        "The nurse was bold.", "the NURSE was bold.", "The welder was, they say, bold", "",
    ]  # fmt: skip


def test_texts_under_a_name_of_numbers_are_no_numbers(task: Task, write_csv: WriteCsv) -> None:
    """A column ``sample`` numbers draws in one file and holds them in another."""
    rows = [f"nurse,{text}" for text in ("A b.", "C d.", "C d.", "C d.", "E f.")]
    path = write_csv("\n".join(["occupation,sample", *rows]) + "\n")
    found = read_anything(path, task, text_column="sample")
    assert len(found.completions) == 5
    assert not any("left out" in remark for remark in found.remarks)


@pytest.mark.parametrize("row", ["nan,nan", "#N/A,#N/A", ",nan", "NaN,"])
def test_rows_that_say_that_nothing_is_there_are_none(
    task: Task, write_csv: WriteCsv, row: str
) -> None:
    path = write_csv(f"subject,text\nnurse,The nurse was bold.\n{row}\n")
    found = read_anything(path, task)
    assert found.completions["subject"].tolist() == ["nurse"]
    assert any("neither a subject nor a text" in remark for remark in found.remarks)


def test_what_the_file_says_of_its_draws_is_kept(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(
        "subject,text,finished,tokens,run\n"
        "nurse,The nurse was bold.,False,0,5\nnurse,The nurse was,true,12.0,0\n"
    )
    frame = read_completions(path, task)
    assert frame["finished"].tolist() == [False, True]
    assert frame["tokens"].tolist() == [0, 12]
    assert frame["run"].tolist() == [5, 0]


def test_columns_that_mean_something_else_are_left_aside(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(
        "subject,text,finished,tokens,run_id\n"
        "nurse,The nurse was bold.,12:30,7,a1\nnurse,The nurse was,12:31,many,a2\n"
    )
    frame = read_completions(path, task)
    assert frame["finished"].tolist() == [True, False]
    assert frame["tokens"].isna().all()
    assert frame["run"].tolist() == [0, 1]


def test_frames_of_any_dtype_are_taken(task: Task) -> None:
    given_frame = pd.DataFrame(
        {
            "Subject": ["nurse", None, 7],
            "sample": [None, 3.5, "The 7 was bold."],
            "seed": [1, 2, 3],
        },
        index=[9, 9, 9],
    )
    frame = as_completions(given_frame, task)
    assert frame["text"].tolist() == ["", "3.5", "The 7 was bold."]
    assert frame["subject"].tolist() == ["nurse", "", "7"]
    assert frame["seed"].tolist() == [1, 2, 3]
    with pytest.raises(EquipoiseError, match="row 1: seed 'x'"):
        as_completions(given_frame.assign(seed=["1", "x", "2"]), task)
    with pytest.raises(EquipoiseError, match="no rows"):
        as_completions(given_frame.iloc[:0], task)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["sft", "=1+1", "a,b"]),
        st.integers(-(2**31), 2**31),
        st.sampled_from(["doctor", "teacher", "welder"]),
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
        st.one_of(st.none(), st.integers(0, 99)),
    ),
    min_size=1,
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS)
def test_a_written_completions_frame_reads_back_the_same(
    task: Task, tmp_path: Path, rows: list[tuple[str, int, str, str, int | None]]
) -> None:
    columns = ["method", "seed", "subject", "text", "tokens"]
    assume(not all_numbers([row[3] for row in rows]))  # a stranger's text is never that
    frame = as_completions(pd.DataFrame(rows, columns=columns, dtype="object"), task)
    write_table(tmp_path / "completions.csv", frame)
    again = read_completions(tmp_path / "completions.csv", task)
    pd.testing.assert_frame_equal(again, frame)
