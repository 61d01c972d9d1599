"""The server itself: streams, other harnesses' requests, limits, load, and the command."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from openai import APIStatusError, NotFoundError, OpenAI

from equipoise.progress import tell
from equipoise.serving.app import Service, is_loopback
from equipoise.serving.controlled import Controlled
from equipoise.serving.limits import Limits
from serving_process import listening, serving

pytestmark = pytest.mark.slow

Load = Callable[[str], Controlled]
Address = Callable[..., str]
OTHER = "Tell me what you did on Sunday."
TURN: list[Any] = [{"role": "user", "content": OTHER}]


def client_of(address: str) -> OpenAI:
    return OpenAI(base_url=address, api_key="none", max_retries=0)


def post(address: str, path: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
    response = httpx.post(f"{address}{path}", json=body, timeout=60)
    return response.status_code, response.json()


def test_models(address: Address) -> None:
    client = client_of(address("sft"))
    assert [model.id for model in client.models.list()] == ["sft-seed1"]
    assert client.models.retrieve("sft-seed1").owned_by == "equipoise"
    with pytest.raises(NotFoundError, match="It is called 'sft-seed1'"):
        client.models.retrieve("gpt")
    with pytest.raises(NotFoundError, match="It is called 'sft-seed1'"):
        client.chat.completions.create(model="gpt", messages=TURN)


def test_a_stream_says_what_the_whole_says(address: Address) -> None:
    client = client_of(address("sft"))
    asked: dict[str, Any] = {"model": "sft-seed1", "n": 2, "seed": 4, "max_tokens": 9}
    whole = client.chat.completions.create(messages=TURN, **asked)
    options: Any = {"include_usage": True}
    parts = list(
        client.chat.completions.create(messages=TURN, stream=True, stream_options=options, **asked)
    )
    said = ["", ""]
    ends = ["", ""]
    for part in parts:
        for choice in part.choices:
            said[choice.index] += choice.delta.content or ""
            ends[choice.index] += choice.finish_reason or ""
    assert said == [choice.message.content for choice in whole.choices]
    assert ends == [choice.finish_reason for choice in whole.choices]
    assert parts[-1].usage == whole.usage
    raw = client.completions.create(prompt="Once", **asked)
    pieces = list(client.completions.create(prompt="Once", stream=True, **asked))
    for number, choice in enumerate(raw.choices):
        mine = [one for part in pieces for one in part.choices if one.index == number]
        assert "".join(one.text for one in mine) == choice.text


def test_the_requests_of_lm_evaluation_harness(load: Load, address: Address) -> None:
    """As ``local-completions`` and ``local-chat-completions`` make them (lm_eval 0.4.9).

    The harness is not installed here: these are the payloads of its ``_create_payload``.
    """
    where, tokenizer = address("sft"), load("sft").lm.tokenizer
    tokens = tokenizer("The pilot was", add_special_tokens=False)["input_ids"]
    drawn = {"model": "sft-seed1", "max_tokens": 8, "temperature": 0, "seed": 1234}
    stop = ["\n\n", tokenizer.eos_token]
    status, by_tokens = post(where, "/completions", {"prompt": [tokens], "stop": stop, **drawn})
    assert status == 200
    texts = {"prompt": ["The pilot was"], "stop": stop, **drawn}
    assert by_tokens["choices"] == post(where, "/completions", texts)[1]["choices"]
    tokens_and_more = {"prompt": [[*tokens, 10**6]], **drawn}
    assert post(where, "/completions", tokens_and_more)[0] == 400
    scored = {"prompt": [tokens], "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}
    status, made = post(where, "/completions", {"model": "sft-seed1", "seed": 1, **scored})
    assert status == 200
    [choice] = made["choices"]
    assert len(choice["logprobs"]["token_logprobs"]) == len(tokens) + 1, "it drops the last one"
    chat = {"messages": [{**TURN[0], "type": "text"}], "stop": stop[:4], **drawn}
    assert post(where, "/chat/completions", chat)[0] == 200


def test_stop_cuts_before_the_first(address: Address) -> None:
    client = client_of(address("sft"))
    asked: dict[str, Any] = {"model": "sft-seed1", "messages": TURN, "seed": 4, "max_tokens": 30}
    text = client.chat.completions.create(**asked).choices[0].message.content
    assert text
    made = client.chat.completions.create(stop=[text[9:12], "never there"], **asked).choices[0]
    assert made.message.content == text[: text.find(text[9:12])]
    assert made.finish_reason == "stop"


def test_too_few_tokens_for_the_constraint_are_refused(address: Address) -> None:
    with pytest.raises(APIStatusError, match="needs at least") as caught:
        client_of(address("ctrlg")).chat.completions.create(
            model="ctrlg-seed1", messages=TURN, max_tokens=1
        )
    assert caught.value.status_code == 400


def test_limits_of_size(address: Address) -> None:
    where = address("sft", body_bytes=2000, prompt_tokens=40)
    asked = {"model": "sft-seed1", "messages": TURN}
    assert post(where, "/chat/completions", {**asked, "user": "x" * 3000})[0] == 413
    long = [{"role": "user", "content": "word " * 50}]
    status, body = post(where, "/chat/completions", {**asked, "messages": long})
    assert (status, body["error"]["code"]) == (400, "context_length_exceeded")
    assert post(where, "/embeddings", {})[0] == 404


def test_pages_of_the_web_are_refused(address: Address) -> None:
    """They can send text unasked, and lead a browser here by a name of their own."""
    where = address("sft")
    content = json.dumps({"model": "sft-seed1", "messages": TURN})
    sent = httpx.post(
        f"{where}/chat/completions", content=content, headers={"content-type": "text/plain"}
    )
    assert sent.status_code == 415
    assert httpx.get(f"{where}/models", headers={"host": "evil.example"}).status_code == 403


def test_fifty_clients_lose_nothing(address: Address) -> None:
    """Each gets the answer of its own seed, whoever else asks."""
    where = address("sft", waiting=50)

    def ask(seed: int) -> str | None:
        made = client_of(where).chat.completions.create(
            model="sft-seed1", messages=TURN, seed=seed, max_tokens=5
        )
        return made.choices[0].message.content

    alone = {seed: ask(seed) for seed in (0, 49)}
    with ThreadPoolExecutor(50) as clients:
        found = list(clients.map(ask, range(50)))
    assert len(found) == 50
    assert all(found[seed] == text for seed, text in alone.items())


def test_a_full_queue_says_so_and_when_to_come_again(address: Address) -> None:
    where = address("sft", waiting=2)

    def ask(seed: int) -> tuple[int, str, str | None]:
        asked = {"model": "sft-seed1", "messages": TURN, "seed": seed, "max_tokens": 5}
        response = httpx.post(f"{where}/chat/completions", json=asked, timeout=60)
        code = response.json().get("error", {}).get("code")
        return response.status_code, response.headers.get("retry-after", ""), code

    with ThreadPoolExecutor(50) as clients:
        found = list(clients.map(ask, range(50)))
    assert {(status, code) for status, _, code in found} == {(200, None), (429, "queue_full")}
    assert all(1 <= int(after) <= 30 for status, after, _ in found if status == 429)
    assert ask(50)[0] == 200  # the queue is free again


class _Slow:
    """A policy that draws for ever, and tells how far it is."""

    def __init__(self, policy: Any) -> None:
        self._policy, self.ended = policy, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def reply(self, *_: object) -> None:
        try:
            while True:
                time.sleep(0.01)
                tell("drawing", 0, 1)
        finally:
            self.ended.set()


@pytest.fixture
def slow(load: Load) -> Controlled:
    found = load("sft")
    policy: Any = _Slow(found.policy)
    return Controlled(found.name, found.lm, policy, found.sampling)


def test_what_takes_too_long_ends(slow: Controlled) -> None:
    with listening(Service(slow, Limits(seconds=0.5))) as where:
        status, body = post(where, "/chat/completions", {"model": "sft-seed1", "messages": TURN})
        assert (status, body["error"]["code"]) == (504, "timeout")
        assert slow.policy.ended.wait(10)  # type: ignore[attr-defined]
        prompt = slow.policy.task.prompt("pilot")
        asked = {"model": "sft-seed1", "messages": [{"role": "user", "content": prompt}]}
        assert post(where, "/chat/completions", asked)[0] == 200


def test_nothing_is_computed_for_a_client_that_has_gone(slow: Controlled) -> None:
    with listening(Service(slow)) as where:
        host = where.split("/")[2]
        connection = http.client.HTTPConnection(host)
        body = json.dumps({"model": "sft-seed1", "messages": TURN})
        headers = {"content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        time.sleep(0.5)
        connection.close()
        assert slow.policy.ended.wait(10)  # type: ignore[attr-defined]


def test_what_fails_says_nothing_of_the_inside(
    slow: Controlled, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the server's")

    monkeypatch.setattr(slow.policy, "reply", fail)
    with listening(Service(slow)) as where:
        status, body = post(where, "/chat/completions", {"model": "sft-seed1", "messages": TURN})
    assert status == 500
    assert "secret" not in json.dumps(body)
    assert "a secret of the server's" in caplog.text


def test_the_command(run: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    task, model = str(run.parent / "small.toml"), str(tiny_model_folder)
    log = tmp_path / "log"
    flags = ["--method", "prompt", "--seed", "1", "--task", task, "--model", model]
    with serving(log, str(run), *flags, "--max-tokens", "9") as where:
        client = client_of(where)
        assert [one.id for one in client.models.list()] == ["prompt-seed1"]
        made = client.chat.completions.create(
            model="prompt-seed1", messages=TURN, max_tokens=9, seed=1, n=5
        )
        assert any(choice.message.content for choice in made.choices)
        with pytest.raises(APIStatusError, match="more than the 9 of an answer"):
            client.chat.completions.create(model="prompt-seed1", messages=TURN, max_tokens=10)
    assert "Warning" not in log.read_text()
    assert "The run was only read" in log.read_text()


def test_which_addresses_are_this_machine_alone() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))  # noqa: S104
