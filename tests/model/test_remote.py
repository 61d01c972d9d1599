"""Drawing from a real server of the OpenAI protocol: what is asked, kept, repeated and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from endpoint_server import Proxy
from equipoise.errors import EquipoiseError
from equipoise.model.answer import Answer, said_in_chat
from equipoise.model.answer_log import AnswerLog
from equipoise.model.draws import Exchange, Question, Sampling
from equipoise.model.endpoint import EndpointSettings, check_endpoint
from equipoise.model.remote import Endpoint

QUESTIONS = [Question(f"Complete: The {name} was", f"The {name} was") for name in ("doctor", "cat")]
SAMPLING = Sampling(temperature=0.9, top_p=0.8, max_new_tokens=7)
KEY = "sk-secret-of-a-test"


def endpoint(
    proxy: Proxy, server: tuple[str, str], log: Path | None = None, **settings: object
) -> Endpoint:
    checked = EndpointSettings.model_validate({"base_url": proxy.url, **settings})
    check_endpoint(server[1], checked, top_k=0)
    return Endpoint(server[1], checked, AnswerLog(log))


def test_a_chat_is_asked_with_the_settings_and_counted(
    proxy: Proxy, server: tuple[str, str]
) -> None:
    model = endpoint(proxy, server, price_in=2.0, price_out=10.0, concurrency=1)
    seen: list[int] = []
    draws = model.draw(QUESTIONS, [2, 1], SAMPLING, 1, seen.append)
    assert [len(of_question) for of_question in draws] == [2, 1]
    assert sum(seen) == 3
    body = proxy.bodies[0]
    assert body["messages"] == [{"role": "user", "content": QUESTIONS[0].prompt}]
    assert (body["temperature"], body["top_p"], body["max_completion_tokens"]) == (0.9, 0.8, 7)
    assert len({body["seed"] for body in proxy.bodies[:2]}) == 2
    assert all(0 < draw.tokens <= 7 for of_question in draws for draw in of_question)
    usage = model.usage
    assert usage.requests == 3
    assert usage.completion_tokens == sum(d.tokens for found in draws for d in found)
    # The tiny tokenizer's own count of the chat template around the prompt: some 10 to 40.
    assert 30 <= usage.prompt_tokens <= 120
    assert model.price == pytest.approx(
        (2 * usage.prompt_tokens + 10 * usage.completion_tokens) / 1e6
    )


def test_completions_continue_prompt_and_prefix_as_plain_text(
    proxy: Proxy, server: tuple[str, str]
) -> None:
    draws = endpoint(proxy, server, api="completions").draw(QUESTIONS, [1, 0], SAMPLING, 1)
    assert proxy.bodies[0]["prompt"] == "Complete: The doctor was\nThe doctor was"
    assert proxy.bodies[0]["max_tokens"] == 7
    assert draws[0][0].text
    assert draws[1] == []


def test_what_was_said_before_is_sent_as_turns_or_as_text(
    proxy: Proxy, server: tuple[str, str]
) -> None:
    earlier = (Exchange("First?", "The pilot was kind."),)
    asked = QUESTIONS[0]._replace(earlier=earlier)
    endpoint(proxy, server).draw([asked], [1], SAMPLING, 1)
    assert proxy.bodies[0]["messages"] == [
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "The pilot was kind."},
        {"role": "user", "content": QUESTIONS[0].prompt},
    ]
    endpoint(proxy, server, api="completions").draw([asked], [1], SAMPLING, 1)
    assert proxy.bodies[1]["prompt"] == (
        "First?\nThe pilot was kind.\n\nComplete: The doctor was\nThe doctor was"
    )


def test_the_same_seed_gives_the_same_draws_and_another_one_others(
    proxy: Proxy, server: tuple[str, str]
) -> None:
    def texts(seed: int) -> list[str]:
        draws = endpoint(proxy, server, concurrency=1).draw(QUESTIONS, [3, 3], SAMPLING, seed)
        return [draw.text for of_question in draws for draw in of_question]

    first = texts(1)
    assert texts(1) == first
    assert texts(2) != first
    assert len(set(first)) > 1  # the server does sample


def test_answers_that_are_kept_are_not_asked_for_again(
    proxy: Proxy, server: tuple[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "answers.jsonl"
    first = endpoint(proxy, server, log)
    first.draw(QUESTIONS, [3, 2], SAMPLING, 1)
    assert len(proxy.bodies) == 5
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5
    log.write_bytes(b"".join(lines[:3]) + lines[3][:20])  # killed while writing the fourth
    again = endpoint(proxy, server, log)
    repeated = again.draw(QUESTIONS, [3, 2], SAMPLING, 1)
    assert len(proxy.bodies) == 7
    assert log.read_bytes().startswith(b"".join(lines[:3]))
    assert again.usage.requests == 5
    assert endpoint(proxy, server, log).draw(QUESTIONS, [3, 2], SAMPLING, 1) == repeated
    assert len(proxy.bodies) == 7


def test_a_busy_or_failing_server_is_asked_again(proxy: Proxy, server: tuple[str, str]) -> None:
    faults = {
        0: (429, {"retry-after": "1"}, b'{"error": {"message": "slow down"}}'),
        1: (500, {"retry-after-ms": "1"}, b"oops"),
        2: (503, {"retry-after-ms": "1"}, b"oops"),
    }
    proxy.fault = faults.get
    [[draw]] = endpoint(proxy, server).draw(QUESTIONS[:1], [1], SAMPLING, 1)
    assert draw.tokens > 0
    assert len(proxy.bodies) == 4
    assert proxy.times[1] - proxy.times[0] >= 0.95  # as long as the server asked for
    assert len({body["seed"] for body in proxy.bodies}) == 1


def test_requests_are_spaced_as_the_limit_says(proxy: Proxy, server: tuple[str, str]) -> None:
    endpoint(proxy, server, requests_per_minute=240).draw(QUESTIONS, [2, 2], SAMPLING, 1)
    times = sorted(proxy.times)
    assert times[3] - times[0] >= 3 * 0.25 - 0.05


FAILURES = {
    "refused": ((401, b'{"error": {"message": "no such key: KEY"}}'), "Set OPENAI_API_KEY"),
    "unknown model": ((404, b'{"error": {"message": "no such model"}}'), "Check the model's name"),
    "limit": ((429, b'{"error": {"message": "slow down"}}'), "requests_per_minute"),
    "bad request": ((400, b'{"error": {"message": "max_tokens?"}}'), "limit_name"),
    "no choices": ((200, b'{"choices": [], "usage": {}}'), "answers without choices"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_say_what_to_do_and_never_the_key(
    name: str, proxy: Proxy, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
    (status, body), expected = FAILURES[name]
    proxy.fault = lambda number: (status, {}, body.replace(b"KEY", KEY.encode()))
    with pytest.raises(EquipoiseError, match=expected) as caught:
        endpoint(proxy, server, retries=0).draw(QUESTIONS, [1, 1], SAMPLING, 1)
    assert KEY not in str(caught.value)
    assert proxy.headers[0]["authorization"] == f"Bearer {KEY}"


def test_nobody_listens(server: tuple[str, str]) -> None:
    model = Endpoint(server[1], EndpointSettings(base_url="http://127.0.0.1:9/v1", retries=0))
    with pytest.raises(EquipoiseError, match="Connection error"):
        model.draw(QUESTIONS, [1, 1], SAMPLING, 1)


def test_the_key_goes_to_addresses_of_the_user_alone(
    proxy: Proxy, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study file of somebody else cannot have it sent to a server of theirs."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, f"{KEY}-{name}")
    endpoint(proxy, server).draw(QUESTIONS[:1], [1], SAMPLING, 1)
    assert KEY not in json.dumps(proxy.headers)
    assert EndpointSettings().key == KEY
    monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
    assert endpoint(proxy, server).settings.key == KEY
    assert EndpointSettings(base_url=f"{proxy.url}.evil.example").key is None


@pytest.mark.parametrize(
    ("settings", "name", "expected"),
    [
        ({}, "openai:gpt", "OPENAI_API_KEY is not set"),
        ({"base_url": "ftp://x/v1"}, "openai:gpt", "no address of a server"),
        ({"base_url": "http://user:secret@x/v1"}, "openai:gpt", "holds a name or password"),
        ({"base_url": "http://x/v1?a=b"}, "openai:gpt", "more than scheme"),
        ({"base_url": "http://x:99999/v1"}, "openai:gpt", "is no address"),
        ({"base_url": "http://x/v1", "price_in": 1.0}, "openai:gpt", "one of price_in"),
        ({"base_url": "http://x/v1"}, "openai: ", "names no model"),
        ({"base_url": "http://x/v1"}, "openai:a\nb", "names no model"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_sent(
    settings: dict[str, object], name: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(EquipoiseError, match=expected) as caught:
        check_endpoint(name, EndpointSettings.model_validate(settings), top_k=0)
    assert "secret" not in str(caught.value)


def test_headers_of_the_environment_go_to_addresses_of_the_user_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-secret: 1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    settings = EndpointSettings(base_url="http://x/v1")
    with pytest.raises(EquipoiseError, match="would be sent to http://x/v1"):
        check_endpoint("openai:x", settings, top_k=0)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://x/v1/")
    check_endpoint("openai:x", settings, top_k=0)


def test_no_endpoint_has_top_k() -> None:
    with pytest.raises(EquipoiseError, match="knows no top_k"):
        check_endpoint("openai:x", EndpointSettings(base_url="http://x/v1"), top_k=5)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The nurse was kind.", " kind."),
        ("  the NURSE was kind.\n", " kind."),
        ('"The nurse was kind."', " kind."),
        ("“The nurse was kind.”", " kind."),
        ('"The nurse was kind.', " kind."),
        ("kind and bold.", " kind and bold."),
        ("...kind and bold.", " kind and bold."),
        ('"kind" is the word.', ' "kind" is the word.'),
        ("The nurse wasn't late.", " The nurse wasn't late."),
        ("The nurse was, all said, kind.", ", all said, kind."),
        ("The nurse wash", " The nurse wash"),
        ("", ""),
        ('"', ""),
        ("The nurse was", ""),
    ],
)
def test_what_a_chat_says_after_the_prefix(answer: str, expected: str) -> None:
    said = said_in_chat(Answer(answer, None, None, True), "The nurse was")
    assert (said.text, said.silence is None) == (expected, bool(answer.strip('"')))


def test_only_whole_answers_of_the_right_kind_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    log = AnswerLog(path)
    log.put("a", Answer("😀 é \u2028", 1, 2, True))
    good = path.read_text()
    bad = ['{"key": "b"}', "[]", "null", "[" * 10_000, '{"key": 1, "text": "x"}', "\x00\xff"]
    fine = {"key": "c", **vars(Answer("", None, None, True, "refused"))}
    wrong = ({"ended": 1}, {"silence": "shy"}, {"prompt_tokens": "1"}, {"text": None})
    bad += [json.dumps({**fine, **one}) for one in wrong]
    path.write_text("\n".join([*bad, good, good[:-10]]))
    found = AnswerLog(path)
    assert found.get("a") == Answer("😀 é \u2028", 1, 2, True)
    assert found.get("b") is found.get("c") is None
    found.put("c", Answer("", None, None, True, "refused"))
    found.put("d", Answer("y", 3, 4, False))
    again = AnswerLog(path)
    assert again.get("d") == Answer("y", 3, 4, False)
    assert again.get("c") == Answer("", None, None, True, "refused")
    assert [p.name for p in tmp_path.iterdir()] == ["answers.jsonl"]
