"""Logs of lm-evaluation-harness and of inspect_ai."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from equipoise.completions.frame import read_anything
from equipoise.errors import EquipoiseError
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]

HARNESS = "Read as a log of lm-evaluation-harness."
INSPECT = "Read as a log of inspect_ai."


def asked(prompt: str) -> dict[str, Any]:
    return {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": ["\n"], "do_sample": True}}}


def document(number: int, subject: str, *texts: str, **more: Any) -> dict[str, Any]:
    """A record of a log, as the harness writes it today."""
    prompt = f"The {subject} was"
    return {
        "doc_id": number,
        "doc": {"occupation": subject, "prompt": prompt, "text": "of the data set"},
        "target": "",
        "arguments": asked(prompt),
        "resps": [list(texts)],
        "filtered_resps": [texts[0]],
        "filter": "none",
        "metrics": ["bypass"],
        "doc_hash": "a",
        "bypass": 999,
        **more,
    }


def lines(*records: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, records)) + "\n"


def rows(path: Path, task: Task, **options: Any) -> list[list[Any]]:
    frame = read_anything(path, task, **options).completions
    return frame[["subject", "run", "text"]].values.tolist()


BOLD, CARING = " bold and caring.", " caring."
WHOLE = [["nurse", 0, "The nurse was bold and caring."]]


@pytest.mark.parametrize(
    "record",
    [
        document(0, "nurse", BOLD),
        document(0, "nurse", BOLD, filtered_resps=[[BOLD]]),
        document(0, "nurse", BOLD, resps=[BOLD]),
        document(0, "nurse", BOLD, resps=BOLD, filtered_resps=BOLD),
        document(0, "nurse", BOLD, arguments=[["The nurse was", {"until": []}]]),
        document(0, "nurse", BOLD, arguments=[["Q: The doctor was bold.\n\nThe nurse was "]]),
        document(0, "nurse", BOLD, doc={"job": "Nurse"}),
        document(0, "nurse", BOLD, doc={"data": {"profession": "nurse"}}),
        document(0, "nurse", BOLD, doc={"query": "The nurse was"}),  # the prompt alone says it
        document(0, "nurse", BOLD, filter="strip"),
        document(0, "nurse", BOLD, filter="strict-match", filtered_resps=["[invalid]"]),
        document(0, "nurse", BOLD, filter="flexible", filtered_resps=["bold"]),
        {k: v for k, v in document(0, "nurse", BOLD).items() if k != "filtered_resps"},
        {k: v for k, v in document(0, "nurse", BOLD).items() if k != "resps"},
        {
            "doc_id": 0,
            "doc.occupation": "nurse",
            "arguments.gen_args_0.arg_0": "The nurse was",
            "arguments.gen_args_0.arg_1.until": ["\n"],
            "resps.0.0": BOLD,
            "filtered_resps.0": BOLD,
        },
        {"doc_id": 0, "doc": {"occupation": "nurse"}, "arguments": "The nurse was", "resps": BOLD},
    ],
)
def test_harness_records_of_every_age(
    task: Task, write_csv: WriteCsv, record: dict[str, Any]
) -> None:
    path = write_csv(lines(record), "samples_occupations.jsonl")
    assert rows(path, task) == WHOLE
    assert read_anything(path, task).remarks[0] == HARNESS
    path.write_text(json.dumps([record], indent=2))  # as older versions wrote it
    assert rows(path, task) == WHOLE


def test_all_repeats_are_draws(task: Task, write_csv: WriteCsv) -> None:
    path = write_csv(lines(document(0, "nurse", BOLD, CARING), document(1, "doctor", CARING)))
    assert rows(path, task) == [
        *WHOLE,
        ["nurse", 1, "The nurse was caring."],
        ["doctor", 0, "The doctor was caring."],
    ]
    flat = document(0, "nurse", BOLD, resps=[BOLD, CARING], filtered_resps=[BOLD])
    path.write_text(lines(flat))
    assert rows(path, task) == [*WHOLE, ["nurse", 1, "The nurse was caring."]]


def test_one_filter_of_several_is_read(task: Task, write_csv: WriteCsv) -> None:
    extracted = document(0, "nurse", BOLD, filter="strict", filtered_resps=["bold"])
    path = write_csv(lines(extracted, document(0, "nurse", BOLD)), "a.jsonl")
    assert rows(path, task) == WHOLE
    assert read_anything(path, task).remarks == (
        HARNESS,
        "The log has every answer once for each filter: those of 'none' are read, those of "
        "'strict' are not.",
    )


@pytest.mark.parametrize(
    ("prompt", "text", "judged"),
    [
        ("The nurse was", " bold.", "The nurse was bold."),
        ("The nurse was", "bold.", "The nurse was bold."),
        ("The nurse was", "The nurse was bold.", "The nurse was bold."),
        ("The nurse was", '"The nurse was bold."', "The nurse was bold."),
        ("The nurse was", "She was bold.", "She was bold."),
        ('Complete: "The nurse was"', "bold.", "The nurse was bold."),
        ("Write of the nurse.", " bold.", "bold."),
    ],
)
def test_the_prefix_is_added_where_the_answer_continues_it(
    task: Task, write_csv: WriteCsv, prompt: str, text: str, judged: str
) -> None:
    answers = [document(0, "nurse", one, arguments=asked(prompt)) for one in (text, "")]
    path = write_csv(lines(*answers), "a.jsonl")
    assert rows(path, task) == [["nurse", 0, judged], ["nurse", 0, ""]]


def test_likelihoods_are_no_texts(task: Task, write_csv: WriteCsv) -> None:
    record = document(0, "nurse", "", resps=[[["-3.5", "False"]], [["-1.5", "True"]]])
    with pytest.raises(EquipoiseError, match="line 1: holds likelihoods of given texts, no texts"):
        read_anything(write_csv(lines(record), "a.jsonl"), task)


def test_a_harness_log_in_a_frame(task: Task) -> None:
    frame = pd.DataFrame([document(0, "nurse", BOLD)])
    found = read_anything(frame, task, method="m").completions
    assert found["text"].tolist() == [WHOLE[0][2]]


def sample(subject: str, epoch: int, text: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "source": "generate"}
    return {
        "id": subject,
        "epoch": epoch,
        "input": [
            {"role": "system", "content": "You complete sentences."},
            {"role": "user", "content": f'Complete the sentence: "The {subject} was"'},
        ],
        "target": "",
        "messages": [],
        "output": {
            "model": "m",
            "choices": [{"message": message, "stop_reason": "stop"}],
            "completion": text if isinstance(text, str) else "",
        },
        "metadata": {"occupation": subject},
        "scores": {},
        **more,
    }


def log(*samples: dict[str, Any], **more: Any) -> str:
    spec = {"task": "occupations", "model": "openai/gpt-4o", "created": "2026-01-01"}
    return json.dumps({"version": 2, "status": "success", "eval": spec, "samples": samples, **more})


def test_an_inspect_log(task: Task, write_csv: WriteCsv) -> None:
    parts = [
        {"type": "reasoning", "reasoning": "Hm. The nurse."},
        {"type": "text", "text": "The nurse was "},
        {"type": "text", "text": "caring."},
    ]
    path = write_csv(
        log(
            sample("nurse", 1, "The nurse was bold."),
            sample("nurse", 2, parts),
            sample("doctor", 1, "tall."),
            sample("doctor", 2, "", output={"choices": [], "completion": ""}, error={}),
        ),
        "2026-01-01_occupations.json",
    )
    reading = read_anything(path, task)
    assert rows(path, task) == [
        ["nurse", 1, "The nurse was bold."],
        ["nurse", 2, "The nurse was caring."],
        ["doctor", 1, "The doctor was tall."],
        ["doctor", 2, ""],
    ]
    assert set(reading.completions["method"]) == {"openai/gpt-4o"}
    assert reading.remarks == (INSPECT, "Samples of the log without an answer: 1 of 4.")


def test_an_inspect_log_of_several_choices_without_metadata(
    task: Task, write_csv: WriteCsv
) -> None:
    choices = [{"message": {"role": "assistant", "content": text}} for text in ("bold.", "tall.")]
    more = {"input": "The nurse was", "metadata": None, "output": {"choices": choices}}
    path = write_csv(log(sample("x1", 1, "", **more), status="cancelled"), "log.json")
    assert [row[::2] for row in rows(path, task)] == [
        ["nurse", "The nurse was bold."],
        ["nurse", "The nurse was tall."],
    ]
    assert "The log's status is 'cancelled': it may lack samples." in (
        read_anything(path, task).remarks
    )


def test_inspect_logs_without_samples_are_refused(task: Task, write_csv: WriteCsv) -> None:
    for content in (log(), json.dumps({"version": 2, "eval": {"model": "m"}})):
        with pytest.raises(
            EquipoiseError, match=r"without samples\. Convert the whole log: inspect"
        ):
            read_anything(write_csv(content, "log.json"), task)
    with pytest.raises(EquipoiseError, match="sample 1: a text, not an object"):
        read_anything(write_csv(log("x"), "log.json"), task)  # type: ignore[arg-type]
