"""Bodies of servers, read as answers: what is right is taken, what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.model.answer import Answer
from equipoise.model.response import answer_in
from stub_endpoint import chat, completion

PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
    {"type": "text", "text": "The nurse "},
    {"type": "output_text", "text": "was bold."},
    {"type": "image_url", "image_url": "x"},
]


def read(response: Any, api: str = "chat", most: int = 10) -> Answer:
    body = response if isinstance(response, str) else json.dumps(response)
    return answer_in(body, api, most)


def without(response: dict[str, Any], *names: str) -> dict[str, Any]:
    """A response without these of its fields and those of its choice."""
    kept = {name: value for name, value in response.items() if name not in names}
    choices = [{n: v for n, v in one.items() if n not in names} for one in response["choices"]]
    return {**kept, "choices": choices}


def test_an_answer_as_the_protocol_has_it() -> None:
    assert read(chat("bold.")) == Answer("bold.", 20, 6, True)
    assert read(completion(" bold."), "completions") == Answer(" bold.", 20, 6, True)
    assert not read(chat("bold", reason="length")).ended


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (chat(PARTS), "The nurse was bold."),
        (chat([{"text": "bold."}]), "bold."),
        (chat({"type": "text", "text": "bold."}), "bold."),
        (chat("bold.", reasoning_content="hm"), "bold."),
        (chat("b\ud800"), "b?"),
        (without(chat("bold."), "id", "object", "index"), "bold."),
    ],
)
def test_text_is_found_wherever_it_stands(response: dict[str, Any], text: str) -> None:
    assert read(response) == Answer(text, 20, 6, True)


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "max_new_tokens"])
def test_the_limit_has_several_names(reason: str) -> None:
    assert not read(chat("bold", reason=reason)).ended
    assert read(chat("bold", reason="eos")).ended


@pytest.mark.parametrize("reason", [None, ""])
def test_without_a_reason_an_answer_as_long_as_it_may_be_is_cut_off(reason: str | None) -> None:
    assert not read(chat("bold", reason=reason), most=6).ended
    assert read(chat("bold", reason=reason), most=7).ended


def test_a_byte_order_mark_is_no_text() -> None:
    assert read("\ufeff" + json.dumps(chat("bold."))).text == "bold."


def test_what_servers_do_not_count_is_not_known() -> None:
    for usage in (None, {}, [], {"prompt_tokens": None, "completion_tokens": "6"}):
        assert read({**chat("bold."), "usage": usage}) == Answer("bold.", None, None, True)
    assert read(without(chat("bold."), "usage")).completion_tokens is None


def test_without_a_reason_the_limit_says_whether_it_was_cut() -> None:
    bare = without(chat("bold"), "finish_reason")
    assert read(bare, most=7).ended
    assert not read(bare, most=6).ended
    assert read(without(bare, "usage"), most=1).ended


@pytest.mark.parametrize(
    ("response", "silence"),
    [
        (chat(None, reasoning_content="I need", reason="length"), "thinking"),
        (chat("", reasoning="I need"), "thinking"),
        (chat(None, reasoning_details=[{"text": "I need"}]), "thinking"),
        (chat(PARTS[:1]), "thinking"),
        (chat("\n", reason="length"), "limit"),
        (chat(None, refusal="I cannot help with that."), "refused"),
        (chat("", reason="content_filter"), "refused"),
        (chat([{"type": "refusal", "refusal": "no"}]), "refused"),
        (chat(None, tool_calls=[{"id": "1"}], reason="tool_calls"), "tools"),
        (chat(None), "unsaid"),
        (without(chat(None), "finish_reason"), "unsaid"),
        ({"choices": [{"message": {}}]}, "unsaid"),
    ],
)
def test_silence_has_a_reason(response: dict[str, Any], silence: str) -> None:
    found = read(response)
    assert (found.text.strip(), found.silence) == ("", silence)


PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in\n to Acme</title></head></html>"
STREAM = (
    ": keep-alive\n\n"
    'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n'
    'data: {"choices": [{"delta": {"content": "bo"}, "finish_reason": null}]}\n\n'
    'data: {"choices": [{"delta": {"content": "ld."}, "finish_reason": "stop"}]}\n\n'
    'data: {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 6}}\n\n'
    "data: [DONE]\n\n"
)
WRONG = {
    "login page": (PAGE, "answers with a web page ('Sign in to Acme') instead of JSON", "base_url"),
    "bare page": ("\n<html>", "answers with a web page instead of JSON", "base_url"),
    "nothing": ("  ", "answers with nothing at all", "log"),
    "text": (
        "upstream connect error",
        "text instead of JSON: 'upstream connect error'",
        "base_url",
    ),
    "truncated": (json.dumps(chat("bold"))[:-9], "JSON that breaks off or is damaged", "again"),
    "deep": ("[" * 100_000, "breaks off or is damaged", "again"),
    "a list": ("[]", "JSON that is no object", "base_url"),
    "a string": ('"<html>"', "JSON that is no object", "base_url"),
    "an error": (
        '{"error": {"message": "model is loading.", "code": 503}}',
        "answers with an error: model is loading",
        "Do what the server says",
    ),
    "a bare error": ('{"error": "out of memory"}', "an error: out of memory", "server says"),
    "an old error": (
        '{"object": "error", "message": "too long", "code": 40301}',
        "an error: too long",
        "server says",
    ),
    "an error in the choice": (
        '{"choices": [{"error": {"message": "provider down"}, "finish_reason": "error"}]}',
        "an error: provider down",
        "server says",
    ),
    "no choices": ('{"choices": []}', "answers without choices", "base_url"),
    "null choices": (
        '{"choices": null, "detail": "Not Found"}',
        "choices: 'Not Found'",
        "base_url",
    ),
    "no choice": ('{"choices": [null]}', "answers without choices", "base_url"),
    "another protocol": ('{"message": {"content": "x"}}', "without choices", "/v1"),
    "no message": ('{"choices": [{"text": "bold"}]}', "no message", 'api = "completions"'),
    "content of numbers": ('{"choices": [{"message": {"content": [1]}}]}', "no text: '1'", "log"),
    "a stream that breaks off": (STREAM[: STREAM.index("ld.")], "text instead of JSON", "base_url"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_answer_is_named(name: str) -> None:
    body, problem, hint = WRONG[name]
    with pytest.raises(EquipoiseError) as caught:
        read(body)
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_a_chat_in_the_place_of_a_completion_is_named() -> None:
    with pytest.raises(EquipoiseError, match=r'as if it were a chat.*api = "chat"'):
        read(chat("bold."), "completions")


def test_a_stream_that_nobody_asked_for_is_joined() -> None:
    assert read(STREAM) == Answer("bold.", 20, 6, True)
    text = 'data: {"choices": [{"text": " bo"}]}\n\ndata: {"choices": [{"text": "ld"}]}\n\n'
    assert read(f"{text}data: [DONE]", "completions").text == " bold"
    thought = (
        'data: {"choices": [{"delta": {"reasoning_content": "I"}, "finish_reason": "length"}]}'
    )
    assert read(thought).silence == "thinking"
    with pytest.raises(EquipoiseError, match="an error: overloaded"):
        read('data: {"error": {"message": "overloaded"}}')


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "message", "content", "text", "type", "usage", "error", "finish_reason",
             "completion_tokens", "refusal", "reasoning", "delta"]
        ),
        inner,
        max_size=4,
    ),
)  # fmt: skip


@given(values, st.sampled_from(["chat", "completions"]))
def test_anything_is_an_answer_or_one_error(value: Any, api: str) -> None:
    try:
        found = read(value, api)
    except EquipoiseError:
        return
    assert (found.silence is None) is bool(found.text.strip())
