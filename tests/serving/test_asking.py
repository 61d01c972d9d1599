"""Requests read, and refused by the name of what is wrong; no model is needed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from equipoise.model.draws import Exchange, Question, Sampling
from equipoise.serving.asking import Asked, chat, completion
from equipoise.serving.fields import REFUSED, ChatFields, CompletionFields, read_fields
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError

LIMITS = Limits(answers=4, answer_tokens=50)
STUDY = Sampling(temperature=0.7, max_new_tokens=12, batch_size=3)
TURN = {"role": "user", "content": "Hello?"}


def spell(tokens: Sequence[int]) -> str:
    return " ".join(map(str, tokens))


def of_chat(**fields: object) -> Asked:
    body = json.dumps({"model": "m", "messages": [TURN], **fields}).encode()
    return chat(read_fields(ChatFields, body), STUDY, LIMITS)


def of_completion(prompt: object, **fields: object) -> Asked:
    body = json.dumps({"model": "m", "prompt": prompt, **fields}).encode()
    return completion(read_fields(CompletionFields, body), STUDY, LIMITS, spell)


def refusal(**fields: object) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        of_chat(**fields)
    assert 400 <= caught.value.status < 500
    return caught.value


def test_what_is_not_said_is_the_studys() -> None:
    asked = of_chat()
    assert asked.questions == (Question("Hello?", ""),)
    assert (asked.n, asked.sampling, asked.stop) == (1, STUDY, ())
    assert of_chat().seed != of_chat().seed  # drawn anew, once in four billion the same


def test_what_is_said_counts() -> None:
    asked = of_chat(
        temperature=0, top_p=0.5, top_k=7, max_completion_tokens=20, n=2, seed=3, stop="x", user="u"
    )
    wanted = Sampling(temperature=0, top_p=0.5, top_k=7, max_new_tokens=20, batch_size=3)
    assert asked == Asked((Question("Hello?", ""),), 2, wanted, 3, ("x",))


def test_a_conversation_is_system_earlier_turns_and_the_last() -> None:
    messages = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}],
        },
        {"role": "user", "content": "1?", "type": "text"},  # as lm-evaluation-harness sends it
        {"role": "assistant", "content": "2.", "tool_calls": None},
        {"role": "user", "content": "3?"},
    ]
    wanted = Question("3?", "", earlier=(Exchange("1?", "2."),), system="Be kind.")
    assert of_chat(messages=messages).questions == (wanted,)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "x"}],
        [TURN, TURN],
        [TURN, {"role": "assistant", "content": "The"}],
        [TURN, {"role": "system", "content": "x"}],
        [{"role": "system", "content": "x"}, {"role": "system", "content": "y"}, TURN],
        [{"role": "tool", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
        [{"role": "user", "content": "x", "name": "Eve"}],
        [{"role": "user", "content": "\ud800"}],
        ["x"],
    ],
)
def test_other_conversations_are_refused(messages: list[object]) -> None:
    assert str(refusal(messages=messages).param).startswith("messages")


@pytest.mark.parametrize("name", REFUSED)
def test_each_refused_field_is_refused_by_name_unless_it_asks_for_nothing(name: str) -> None:
    for nothing in REFUSED[name][0]:
        assert of_chat(**{name: nothing}).n == 1
    error = refusal(**{name: {"some": "thing"}})
    assert (error.param, error.code) == (name, "unsupported")
    assert f"'{name}'" in error.message


def test_zero_is_not_false() -> None:
    assert refusal(logprobs=0).param == "logprobs"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 5}, "n"),
        ({"n": 0}, "n"),
        ({"max_tokens": 51}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"seed": -1}, "seed"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"temprature": 1}, "temprature"),
        ({"model": 3}, "model"),
    ],
)
def test_wrong_values_are_named(fields: dict[str, object], param: str) -> None:
    assert refusal(**fields).param == param


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"[" * 100_000, b'{"n": 1' + b"0" * 5000])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(RefusalError):
        read_fields(ChatFields, body)


def test_prompts_are_texts_or_tokens() -> None:
    bare = Question("a", "", bare=True)
    assert of_completion("a").questions == (bare,)
    assert of_completion(["a", "a"]).questions == (bare, bare)
    assert [one.prompt for one in of_completion([1, 2]).questions] == ["1 2"]
    assert [one.prompt for one in of_completion([[1, 2], [3]]).questions] == ["1 2", "3"]
    for wrong in ("", [], [[]], [True], [1.5], [["a"]], ["a"] * 5):
        with pytest.raises(RefusalError):
            of_completion(wrong)


def test_a_prompt_may_be_repeated_and_nothing_drawn() -> None:
    asked = of_completion([[1, 2], "a"], max_tokens=0, echo=True, logprobs=0)
    assert (asked.tokens, asked.draw, asked.echo, asked.logprobs) == (
        ((1, 2), None),
        False,
        True,
        0,
    )
    assert asked.sampling == STUDY
    plain = of_completion("a")
    assert (plain.draw, plain.echo, plain.logprobs) == (True, False, None)
    with pytest.raises(RefusalError, match="Nothing is asked for"):
        of_completion("a", max_tokens=0)
    assert refusal(max_tokens=0).param == "max_tokens"
    for wrong in (-1, 21, "1", True):
        with pytest.raises(RefusalError, match="logprobs"):
            of_completion("a", logprobs=wrong)


def test_the_protocols_form_of_an_error() -> None:
    error = RefusalError("Full.", status=429, code="queue_full", retry_after=3)
    assert error.headers == {"Retry-After": "3"}
    assert error.body["error"] == {
        "message": "Full.",
        "type": "rate_limit_error",
        "param": None,
        "code": "queue_full",
    }
