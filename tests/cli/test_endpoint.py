"""``--model openai:NAME --base-url URL`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from stub_endpoint import NAME, Reply, asked_about, chat, stub_of


@pytest.fixture(autouse=True)
def _users_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("OPENAI_BASE_URL", "")  # what --base-url sets is taken back


def test_generate_goes_on_where_it_stopped(equipoise, proxy, server):
    arguments = (
        "generate",
        "--model",
        server[1],
        "--base-url",
        proxy.url,
        "-n",
        "2",
        "--subjects",
        "doctor,nurse",
        "--max-new-tokens",
        "6",
        "--out",
        "theirs.csv",
        "--endpoint",
        "api=completions",
        "--endpoint",
        "retries=0",
        "--endpoint",
        "concurrency=1",
    )
    proxy.fault = lambda number: (500, {}, b"down") if number == 3 else None
    stopped = equipoise(*arguments)
    assert stopped.code == 1
    assert "What was answered is kept" in stopped.err
    assert not Path("theirs.csv").exists()
    proxy.fault = lambda number: None
    done = equipoise(*arguments)
    assert done.code == 0, done.err
    assert len(proxy.bodies) == 5  # three answers, the failure, and the fourth answer
    assert {headers["authorization"] for headers in proxy.headers} == {"Bearer sk-of-the-user"}
    frame = pd.read_csv("theirs.csv")
    assert frame["subject"].tolist() == ["doctor", "doctor", "nurse", "nurse"]
    names = ["theirs.csv", "theirs.record.json"]
    assert sorted(path.name for path in Path().iterdir()) == names
    record = json.loads(Path("theirs.record.json").read_text())
    assert record["answers"]["requests"] == 4
    assert proxy.url in record["precision"]
    assert "sk-of" not in done.out + done.err


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("generate --out x.csv --base-url http://x/v1", "need --model openai:NAME"),
        ("generate --out x.csv --model openai:x --base-url x", "base_url: 'x' is no address"),
        ("generate --out x.csv --model openai:x --endpoint api=talk", "--endpoint.api: "),
        ("generate --out x.csv --model openai:x --top-k 3 --base-url http://x/v1", "--top-k"),
        (
            "generate --out x.csv --model openai:x --base-url http://x/v1 --day 2026-01-02",
            "a server writes its own date",
        ),
        ("train sft --model openai:x", "is an endpoint, whose weights are not at hand"),
        ("evaluate x.csv --reference-model openai:x", "is an endpoint"),
        ("distill --model openai:x --out x", "is an endpoint"),
        ("complete --model openai:x --prompt a --all-of b", "is an endpoint"),
    ],
)
def test_what_cannot_be_asked_of_an_endpoint(command, expected, equipoise, no_model, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    Path("x.csv").write_text("subject,text\ndoctor,x\n") if "evaluate" in command else None
    found = equipoise(*command.split())
    assert found.code != 0
    assert expected in " ".join(found.err.split())


def replying(equipoise, answers, *more):
    """``generate`` of two subjects from a made-up server."""
    with stub_of(answers) as stub:
        arguments = ("--model", NAME, "--base-url", stub.url, "-n", "3", "--out", "theirs.csv")
        return equipoise("generate", *arguments, "--subjects", "doctor,nurse", *more)


def test_empty_answers_are_not_written_and_said(equipoise):
    def answers(body):
        empty = asked_about(body) == "nurse"
        return Reply(chat(None, refusal="no") if empty else chat("bold."))

    left_out = ("--endpoint", 'leave_out=["seed", "top_p"]')
    done = replying(equipoise, answers, *left_out)
    assert done.code == 0, done.err
    assert pd.read_csv("theirs.csv")["subject"].tolist() == ["doctor"] * 3
    assert "theirs: 3 of 6 answers are empty and are not delivered" in done.err
    assert "The server was not sent seed and top_p (leave_out)" in done.err
    record = json.loads(Path("theirs.record.json").read_text())
    assert record["answers"]["silent_refused"] == 3
    assert "without seed and top_p" in record["precision"]


def test_nothing_is_written_where_every_answer_is_empty(equipoise):
    done = replying(equipoise, lambda body: Reply(chat(None, reasoning="hm", reason="length")))
    assert done.code == 1
    assert "every answer of openai:stub is empty" in done.err
    assert "Raise max_new_tokens, or turn thinking off" in done.err
    assert [path.name for path in Path().iterdir()] == [".theirs.csv.answers.jsonl"]


def test_a_record_of_the_users_own_is_not_replaced(equipoise):
    Path("theirs.record.json").write_text("mine")
    done = replying(equipoise, lambda body: Reply(chat("bold.")))
    assert done.code == 1
    assert "theirs.record.json: exists already" in done.err
    assert Path("theirs.record.json").read_text() == "mine"
