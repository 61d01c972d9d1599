"""JSON as people write completions, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from equipoise.completions.frame import read_anything
from equipoise.errors import EquipoiseError
from equipoise.measures import evaluate
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]

NURSE = "The nurse was bold and caring."
DOCTOR = "The doctor was tall\u2028and loud."
RECORDS = [
    {"occupation": "nurse", "completion": NURSE},
    {"occupation": "doctor", "completion": DOCTOR},
]
LINES = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (LINES + "\n", "a.jsonl"),
        ("\ufeff" + LINES.replace("\n", "\r\n\r\n"), "a.ndjson"),
        (LINES, "a.txt"),
        (LINES, "a.json"),
        (json.dumps(RECORDS), "a.json"),
        (json.dumps(RECORDS, indent=2), "a.jsonl"),
        (json.dumps(RECORDS, indent=2), "a.csv"),
        ("\n".join(json.dumps(record, indent=1) for record in RECORDS), "a.json"),
        (json.dumps({"results": RECORDS, "date": "today"}), "a.json"),
        (pd.DataFrame(RECORDS).to_json(), "a.json"),
        (pd.DataFrame(RECORDS).to_json(orient="split"), "a.json"),
        (pd.DataFrame(RECORDS).to_json(orient="table"), "a.json"),
        (pd.DataFrame(RECORDS).to_json(orient="records"), "a.json"),
        (json.dumps(pd.DataFrame(RECORDS).to_dict("list")), "a.json"),
        (json.dumps({"nurse": [NURSE], "doctor": [DOCTOR]}), "a.json"),
    ],
)
def test_every_shape_gives_the_same_rows(
    task: Task, write_csv: WriteCsv, content: str, name: str
) -> None:
    reading = read_anything(write_csv(content, name), task)
    frame = reading.completions
    assert frame["subject"].tolist() == ["nurse", "doctor"]
    assert frame["text"].tolist() == [NURSE, "The doctor was tall and loud."]
    assert frame["method"].tolist() == ["a", "a"]
    assert reading.remarks == ()


def test_fields_may_be_nested_missing_and_of_any_type(task: Task, write_csv: WriteCsv) -> None:
    records = [
        {"meta": {"job": "nurse", "seed": 42.0}, "model": "m", "output": {"text": NURSE}, "n": [1]},
        {"meta": {"job": "doctor", "seed": None}, "model": None, "output": {"text": None}},
        {"meta": {"job": "nurse", "seed": None}, "ok": True, "output": {"text": "NA"}},
        {},
    ]
    reading = read_anything(write_csv("\n".join(map(json.dumps, records)), "a.jsonl"), task)
    frame = reading.completions
    assert frame["text"].tolist() == [NURSE, "", "NA"]
    assert frame["seed"].tolist() == [42, 0, 0]
    assert frame["method"].tolist() == ["m", "a", "a"]
    assert reading.remarks[0] == "Rows with neither a subject nor a text, left out: 1."


@pytest.mark.parametrize(
    "output",
    [
        {"outputs": ["A nurse.", "B nurse."]},
        {"completions": [{"text": "A nurse."}, {"text": "B nurse."}]},
        {"output": [{"generated_text": "A nurse."}, {"generated_text": "B nurse."}]},
        {"response": {"choices": [{"message": {"content": t}} for t in ("A nurse.", "B nurse.")]}},
        {
            "response": {
                "body": {
                    "model": "x",
                    "choices": [
                        {"message": {"role": "assistant", "content": [{"type": "text", "text": t}]}}
                        for t in ("A nurse.", "B nurse.")
                    ],
                }
            }
        },
    ],
)
def test_several_draws_of_a_record_are_several_rows(
    task: Task, write_csv: WriteCsv, output: dict[str, Any]
) -> None:
    path = write_csv(json.dumps({"job": "nurse", **output}) + "\n", "a.jsonl")
    frame = read_anything(path, task).completions
    assert frame[["subject", "run", "text"]].values.tolist() == [
        ["nurse", 0, "A nurse."],
        ["nurse", 1, "B nurse."],
    ]


def test_a_conversation_is_what_the_assistant_said_last(task: Task, write_csv: WriteCsv) -> None:
    said = [("system", "S."), ("user", "The nurse was"), ("assistant", NURSE), ("user", "Thanks.")]
    messages = [{"role": role, "content": content} for role, content in said]
    path = write_csv(json.dumps([{"job": "nurse", "messages": messages}]), "a.json")
    assert read_anything(path, task).completions["text"].tolist() == [NURSE]


@pytest.mark.parametrize("role", ["model", "ai", "ChatGPT"])
def test_a_conversation_may_call_the_model_anything(
    task: Task, write_csv: WriteCsv, role: str
) -> None:
    messages = [{"from": "human", "value": "The nurse was bold."}, {"from": role, "value": NURSE}]
    path = write_csv(json.dumps([{"job": "nurse", "conversations": messages}]), "a.json")
    frame = read_anything(path, task, text_column="conversations").completions
    assert frame["text"].tolist() == [NURSE]


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "thinking", "thinking": "Bold?"}, {"type": "text", "text": NURSE}],
        [{"type": "text", "text": NURSE[:10]}, {"type": "text", "text": NURSE[10:]}],
        [
            {"type": "reasoning", "summary": [{"text": "Bold?"}]},
            {"type": "message", "content": [{"type": "output_text", "text": NURSE}]},
        ],
    ],
)
def test_an_answer_in_parts_is_one_draw(
    task: Task, write_csv: WriteCsv, parts: list[dict[str, Any]]
) -> None:
    path = write_csv(json.dumps({"job": "nurse", "content": parts}) + "\n", "a.jsonl")
    assert read_anything(path, task).completions["text"].tolist() == [NURSE]


def test_the_subject_may_stand_in_the_prompt_alone(task: Task, write_csv: WriteCsv) -> None:
    records = [
        {"prompt": 'Complete the sentence: "The nurse was"', "completion": " bold."},
        {"prompt": "Tell me of the doctor.", "completion": "He was bold."},
    ]
    path = write_csv("\n".join(map(json.dumps, records)), "a.jsonl")
    reading = read_anything(path, task, prefix="add")
    assert reading.completions["subject"].tolist() == ["nurse", "doctor"]
    assert reading.completions["text"].tolist() == [
        "The nurse was bold.",
        "The doctor was He was bold.",
    ]
    assert reading.remarks == (
        "No column is the subject: it is read from what each prompt asks for.",
    )
    records.append({"prompt": "Say something.", "completion": "Something."})
    path.write_text(json.dumps(records))
    with pytest.raises(EquipoiseError, match="no column is the subject"):
        read_anything(path, task)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "a.jsonl", "empty"),
        ("\n \n", "a.json", "empty"),
        ("[]", "a.json", "holds no records"),
        ("{}", "a.json", "no column is the text"),
        ("[1, 2]", "a.json", "record 1: a single value, not an object"),
        ('["The nurse was bold."]', "a.json", "record 1: a text, not an object"),
        (LINES + '\n["x"]\n', "a.jsonl", "line 3: a list, not an object"),
        (LINES + '\n{"occupation": "nur', "a.jsonl", "The last line is cut off: delete it"),
        (LINES.replace("\n", "\n{nurse}\n"), "a.jsonl", "line 2: not valid JSON (Expecting"),
        ("[{},\n{,}]", "a.json", "line 2: not valid JSON (Expecting"),
        ("nurse,bold\n", "a.json", "line 1: not valid JSON (Expecting"),
        ("[" * 100_000, "a.json", "line 1: not valid JSON ("),
        ('[{"job": "nurse", "text": "x", "seed": "forty"}]', "a.json", "record 1: seed 'forty'"),
        (
            LINES + '\n{"occupation": "nurse", "completion": "x", "seed": 1.5}',
            "a.jsonl",
            "line 3: seed '1.5' is not a whole number",
        ),
        (
            "\n".join(f'{{"k{i}": 1}}' for i in range(1_100)),
            "a.jsonl",
            "line 1001: the records have 1,001 different fields",
        ),
    ],
)
def test_bad_json_is_named_with_its_place(
    task: Task, write_csv: WriteCsv, content: str, name: str, message: str
) -> None:
    path = write_csv(content, name)
    with pytest.raises(EquipoiseError) as caught:
        read_anything(path, task)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("start", "name", "message"),
    [
        (b"PK\x03\x04rest", "log.eval", "inspect log convert log.eval --to json --output-dir"),
        (b"PK\x03\x04rest", "a.xlsx", "is an Excel workbook. Save it as CSV in UTF-8."),
        (b"PK\x03\x04rest", "a.csv", "is a ZIP archive. Unpack it"),
        (b"\xd0\xcf\x11\xe0rest", "a.xls", "is an Excel workbook"),
        (b"\x1f\x8brest", "a.jsonl.gz", "is compressed with gzip. Unpack it: gunzip -k a.jsonl.gz"),
        (b"\x80\x04rest", "a.pkl", "is a pickle of Python, which could run code"),
        (b"<!DOCTYPE html>\n<html>", "a.csv", "is a web page. Download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a.jsonl", "is a pointer of Git LFS."),
        (b"PAR1rest", "a.parquet", "not valid Parquet ("),
    ],
)
def test_other_formats_are_refused_by_name(
    task: Task,
    write_csv: WriteCsv,
    monkeypatch: pytest.MonkeyPatch,
    start: bytes,
    name: str,
    message: str,
) -> None:
    monkeypatch.chdir(write_csv(start, name).parent)
    with pytest.raises(EquipoiseError) as caught:
        read_anything(name, task)
    assert str(caught.value).startswith(f"{name}: ")
    assert message in str(caught.value)


def test_parquet_is_read(task: Task, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "theirs.parquet"
    frame = pd.DataFrame(RECORDS).assign(seed=[42, None])
    frame.to_parquet(path)
    found = read_anything(path, task).completions
    assert found["text"].tolist() == [NURSE, "The doctor was tall and loud."]
    assert found[["method", "seed"]].values.tolist() == [["theirs", 42], ["theirs", 0]]
    nested = pd.DataFrame({"doc": [{"job": "nurse"}], "outputs": [["A nurse.", "B nurse."]]})
    nested.to_parquet(path)
    assert read_anything(path, task).completions["text"].tolist() == ["A nurse.", "B nurse."]


def test_without_pyarrow_it_says_what_to_install(
    task: Task, write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ImportError("no engine")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(EquipoiseError, match=r"needs the package pyarrow. Install it \(pip inst"):
        read_anything(write_csv(b"PAR1PAR1", "a.parquet"), task)


def test_frames_with_lists_are_read_as_json_is(task: Task) -> None:
    frame = pd.DataFrame({"job": ["nurse"], "outputs": [["A nurse.", "B nurse."]]})
    assert evaluate(frame, task).completions["text"].tolist() == ["A nurse.", "B nurse."]


CHAT = [{"role": "user", "content": "Of a nurse."}, {"role": "assistant", "content": NURSE}]
RECORD = {"occupation": "nurse", "text": NURSE}


@pytest.mark.parametrize(
    ("value", "method"),
    [
        ({"0": RECORD}, "a"),
        ({"nurse": NURSE}, "a"),
        ({"nurse": [{"text": NURSE, "n": 1}]}, "a"),
        ({"gpt-4o": {"nurse": [NURSE]}}, "gpt-4o"),
        ({"gpt-4o": {"nurse": NURSE}}, "gpt-4o"),
        ([["occupation", "text"], ["nurse", NURSE]], "a"),
        ([[RECORD]], "a"),
        ([{"occupation": "nurse", "response": json.dumps({"choices": [{"text": NURSE}]})}], "a"),
        ([{"occupation": "nurse", "response": json.dumps({"sentence": NURSE, "n": 5})}], "a"),
        ([{"occupation": "nurse", "response": json.dumps(CHAT)}], "a"),
        ([{"occupation": "nurse", "response": str([NURSE, NURSE])}], "a"),
    ],
)
def test_records_under_keys_in_lists_and_in_texts(
    task: Task, write_csv: WriteCsv, value: Any, method: str
) -> None:
    frame = read_anything(write_csv(json.dumps(value), "a.json"), task).completions
    assert frame[["method", "subject", "text"]].to_numpy().tolist() == [[method, "nurse", NURSE]]


def test_lists_of_records_under_models(task: Task, write_csv: WriteCsv) -> None:
    value = {"gpt-4o": [RECORD], "llama": [RECORD]}
    frame = read_anything(write_csv(json.dumps(value), "a.json"), task).completions
    assert frame["method"].tolist() == ["gpt-4o", "llama"]


@pytest.mark.parametrize("value", [{"name": "x", "version": "1"}, {"rate": 0.5, "nurse": NURSE}])
def test_objects_that_hold_other_things_are_no_records(
    task: Task, write_csv: WriteCsv, value: Any
) -> None:
    with pytest.raises(EquipoiseError, match="no column is the"):
        read_anything(write_csv(json.dumps(value), "a.json"), task)


def test_requests_are_no_answers(task: Task, write_csv: WriteCsv) -> None:
    messages = [{"role": "user", "content": "Complete: The nurse was bold."}]
    line = json.dumps({"custom_id": "nurse", "body": {"model": "m", "messages": messages}})
    with pytest.raises(EquipoiseError, match="every text is empty"):
        read_anything(write_csv(line, "a.jsonl"), task)


def test_a_request_that_failed_is_an_empty_answer_of_the_only_method(
    task: Task, write_csv: WriteCsv
) -> None:
    failed = {"occupation": "doctor", "model": None, "text": None, "error": "too many requests"}
    lines = "\n".join(map(json.dumps, [{**RECORD, "model": "m"}, failed]))
    frame = read_anything(write_csv(lines, "a.jsonl"), task).completions
    assert frame["method"].tolist() == ["m", "m"]
    assert frame["text"].tolist() == [NURSE, ""]
