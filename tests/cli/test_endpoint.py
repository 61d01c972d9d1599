"""``--model openai:NAME --base-url URL`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


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
    assert [path.name for path in Path().iterdir()] == ["theirs.csv"]
    assert "sk-of" not in done.out + done.err


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("generate --out x.csv --base-url http://x/v1", "need --model openai:NAME"),
        ("generate --out x.csv --model openai:x --base-url x", "base_url: 'x' is no address"),
        ("generate --out x.csv --model openai:x --endpoint api=talk", "--endpoint.api: "),
        ("generate --out x.csv --model openai:x --top-k 3 --base-url http://x/v1", "--top-k"),
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
