"""Whom a row is about where no column says it, and what its text goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.completions.frame import read_anything
from equipoise.errors import EquipoiseError
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]

TEXTS = {"nurse": "The nurse was bold and caring.", "doctor": "The doctor was tall."}


def batch(subject: str, number: str) -> dict[str, Any]:
    """A line of what the batches of a hosted service give back."""
    message = {"role": "assistant", "content": TEXTS[subject], "refusal": None}
    body = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return {"custom_id": number, "response": {"status_code": 200, "body": body}, "error": None}


def candidates(subject: str) -> dict[str, Any]:
    """A line of another service's."""
    asked = {"role": "user", "parts": [{"text": f"Complete: The {subject} was"}]}
    parts = [{"text": "I think.", "thought": True}, {"text": TEXTS[subject]}]
    content = {"role": "model", "parts": parts}
    return {
        "request": {"contents": [asked]},
        "response": {"candidates": [{"content": content, "finishReason": "STOP"}]},
    }


def conversation(subject: str) -> dict[str, Any]:
    asked = {"role": "user", "content": f"Complete: The {subject} was"}
    return {"messages": [asked, {"role": "assistant", "content": TEXTS[subject]}]}


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (lambda s: batch(s, f"{s}_17"), "column 'custom_id'"),
        (lambda s: batch(s, "17"), "how each text in column 'response.body.choices' begins"),
        (candidates, "what each prompt asks for"),
        (conversation, "what each prompt asks for"),
        (
            lambda s: {"instruction": "Go on.", "input": f"The {s} was", "output": TEXTS[s]},
            "what each prompt asks for",
        ),
        (
            lambda s: {"context": "1, 2", "prompt": f"The {s} was", "response": TEXTS[s]},
            "what each prompt asks for",
        ),
    ],
)
def test_the_subject_is_found_elsewhere(
    task: Task, write_csv: WriteCsv, record: Callable[[str], dict[str, Any]], where: str
) -> None:
    lines = "\n".join(json.dumps(record(subject)) for subject in TEXTS)
    reading = read_anything(write_csv(lines, "a.jsonl"), task)
    assert reading.completions["subject"].tolist() == [*TEXTS]
    assert reading.completions["text"].tolist() == [*TEXTS.values()]
    assert f"No column is the subject: it is read from {where}." in reading.remarks


def test_one_text_of_nobody_leaves_the_subject_unknown(task: Task, write_csv: WriteCsv) -> None:
    with pytest.raises(EquipoiseError, match="no column is the subject"):
        read_anything(write_csv("text\nThe nurse was bold.\nShe was tall.\n"), task)


def test_who_speaks_is_not_who_is_described(task: Task, write_csv: WriteCsv) -> None:
    rows = "".join(f"{subject},assistant,{text}\n" for subject, text in TEXTS.items())
    reading = read_anything(write_csv("custom_id,role,content\n" + rows), task)
    assert reading.completions["subject"].tolist() == [*TEXTS]


@pytest.mark.parametrize(
    ("spelt", "subject"),
    [
        *((spelt, "nurse") for spelt in ("the nurse", "A Nurse", "Nurses", "NURSE.", "'nurse'")),
        *(("head_nurse", "head_nurse"), ("s", "s"), ("the", "the"), ("", "")),
    ],
)
def test_spellings_of_a_subject(task: Task, write_csv: WriteCsv, spelt: str, subject: str) -> None:
    path = write_csv(f"occupation,text\n{spelt},{TEXTS['nurse']}\ndoctor,{TEXTS['doctor']}\n")
    assert read_anything(path, task).completions["subject"].tolist() == [subject, "doctor"]


def test_numbers_of_subjects_are_no_subjects(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(f"occupation,text\n0,{TEXTS['nurse']}\n1,{TEXTS['doctor']}\n")
    assert read_anything(path, task).completions["subject"].tolist() == [*TEXTS]


@pytest.mark.parametrize("name", ["prompt", "Input", "prompt.text", "instance.input.text"])
def test_a_text_goes_on_from_the_prompt_in_any_file(
    task: Task, write_csv: WriteCsv, name: str
) -> None:
    path = write_csv(f"{name},completion\nThe nurse was, bold and caring.\n")
    assert read_anything(path, task).completions["text"].tolist() == [TEXTS["nurse"]]
