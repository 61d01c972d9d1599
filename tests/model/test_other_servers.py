"""Drawing from servers that follow the protocol more or less: right, or one error that helps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import EquipoiseError
from equipoise.model.answer_log import AnswerLog
from equipoise.model.draws import Draw, Question, Sampling
from equipoise.model.endpoint import EndpointSettings, check_endpoint
from equipoise.model.remote import Endpoint
from stub_endpoint import NAME, Answers, Reply, Stub, asked_about, chat, completion, stub_of

SUBJECTS = ("nurse", "doctor", "pilot")
QUESTIONS = [Question(f"Complete: The {s} was", f"The {s} was", s) for s in SUBJECTS]
SAMPLING = Sampling(max_new_tokens=8)


def endpoint(stub: Stub, log: Path | None = None, **settings: Any) -> Endpoint:
    found = EndpointSettings.model_validate({"base_url": stub.url, "retries": 0, **settings})
    check_endpoint(NAME, found, top_k=0)
    return Endpoint(NAME, found, AnswerLog(log))


def drawn(answers: Answers, each: int = 1, **settings: Any) -> tuple[list[Draw], Endpoint]:
    """The draws of all questions, and the endpoint that counted them."""
    with stub_of(answers) as stub:
        model = endpoint(stub, **settings)
        draws = model.draw(QUESTIONS, [each] * len(QUESTIONS), SAMPLING, 1)
    return [draw for of_question in draws for draw in of_question], model


def refused(answers: Answers, **settings: Any) -> EquipoiseError:
    with pytest.raises(EquipoiseError) as caught:
        drawn(answers, **settings)
    return caught.value


def test_answers_that_say_nothing_are_no_completions() -> None:
    def answers(body: dict[str, Any]) -> Reply:
        if asked_about(body) == "nurse":
            return Reply(chat(None, reasoning_content="I need", reason="length"))
        return Reply(chat("<think>I need" if asked_about(body) == "doctor" else "bold."))

    draws, model = drawn(answers)
    assert [draw.answered for draw in draws] == [False, False, True]
    assert [draw.behind("The pilot was") for draw in draws] == ["", "", "The pilot was bold."]
    counts = model.spending()
    assert (counts["requests"], counts["silent_thinking"]) == (3, 2)
    assert (counts["prompt_tokens"], counts["completion_tokens"]) == (60, 18)  # they were paid for


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        ("bold", "The nurse was bold"),
        ("(so they say) bold", "The nurse was (so they say) bold"),
        (", as ever, bold", "The nurse was, as ever, bold"),
        ("n't late", "The nurse wasn't late"),
        ("The nurse was bold", "The nurse was bold"),
        ("Complete: The nurse was\nThe nurse was bold", "The nurse was bold"),
    ],
)
def test_a_space_that_a_server_drops_is_put_back(text: str, behind: str) -> None:
    draws, model = drawn(
        lambda body: Reply(completion(text if asked_about(body) == "nurse" else "kind")),
        api="completions",
    )
    assert [d.behind(q.prefix) for d, q in zip(draws, QUESTIONS, strict=True)] == [
        behind,
        "The doctor was kind",
        "The pilot was kind",
    ]
    whole = text.startswith(("bold", "("))
    assert model.spending()["respaced"] == 2 + whole


def test_a_server_that_keeps_spaces_may_go_on_inside_a_word() -> None:
    texts = {"nurse": "hed up", "doctor": " bold", "pilot": " kind"}
    draws, model = drawn(
        lambda body: Reply(completion(texts[asked_about(body)])), api="completions"
    )
    assert [draw.text for draw in draws] == ["hed up", " bold", " kind"]
    assert model.spending()["respaced"] == 0


def test_counts_that_a_server_leaves_out_are_not_known() -> None:
    def answers(body: dict[str, Any]) -> Reply:
        response = chat("bold.")
        if asked_about(body) == "doctor":
            del response["usage"]
        return Reply(response)

    draws, model = drawn(answers, price_in=1.0, price_out=2.0)
    assert [draw.tokens for draw in draws] == [6, None, 6]
    counts = model.spending()
    assert counts["requests"] == 3
    assert counts["prompt_tokens"] is counts["completion_tokens"] is counts["price"] is None


def test_an_ignored_limit_is_counted() -> None:
    def answers(body: dict[str, Any]) -> Reply:
        response = chat("bold.")
        response["usage"]["completion_tokens"] = 900 if asked_about(body) == "doctor" else 8
        return Reply(response)

    assert drawn(answers)[1].spending()["too_long"] == 1
    assert drawn(answers, leave_out=["max_tokens"])[1].spending()["too_long"] == 0


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "x"])
def test_json_of_a_wrong_type_is_read(content_type: str) -> None:
    draws, _ = drawn(lambda body: Reply(chat("bold."), content_type=content_type))
    assert [draw.text for draw in draws] == [" bold."] * 3


def picky(*names: str) -> Answers:
    """A server that refuses parameters as OpenAI's does."""

    def answers(body: dict[str, Any]) -> Reply:
        for name in names:
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return Reply({"error": {"message": message, "param": name}}, 400)
        return Reply(chat("bold."))

    return answers


@pytest.mark.parametrize("name", ["temperature", "top_p", "seed"])
def test_a_refused_parameter_can_be_left_out(name: str) -> None:
    error = refused(picky(name))
    assert f"'{name}' is not supported" in error.problem
    assert f'leave_out = ["{name}"]' in error.hint
    draws, model = drawn(picky(name), each=2, leave_out=[name])
    assert len(draws) == 6
    assert name in model.precision
    assert model.settings.remarks == [
        f"The server was not sent {name} (leave_out): it took its own, whatever is set."
    ]


def test_several_parameters_are_refused_one_by_one() -> None:
    server = picky("temperature", "top_p")
    assert 'leave_out = ["temperature"]' in refused(server).hint
    error = refused(server, leave_out=["temperature"])
    assert 'leave_out = ["temperature", "top_p"]' in error.hint
    assert len(drawn(server, leave_out=["temperature", "top_p"])[0]) == 3


def test_the_limit_of_tokens_has_two_names_and_can_be_left_out() -> None:
    error = refused(picky("max_completion_tokens"))
    assert 'limit_name = "max_tokens"' in error.hint
    assert len(drawn(picky("max_completion_tokens"), limit_name="max_tokens")[0]) == 3
    none = picky("max_completion_tokens", "max_tokens")
    assert len(drawn(none, leave_out=["max_tokens"])[0]) == 3
    texts = drawn(lambda body: Reply(completion(" bold")), api="completions")
    assert len(texts[0]) == 3
    hint = refused(picky("max_tokens"), api="completions").hint
    assert 'leave_out = ["max_tokens"]' in hint


def test_a_refusal_in_the_words_of_another_framework_is_understood() -> None:
    detail = [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]
    assert 'leave_out = ["seed"]' in refused(lambda body: Reply({"detail": detail}, 422)).hint


def test_without_its_seed_each_answer_is_still_one_of_its_own(tmp_path: Path) -> None:
    with stub_of(picky("seed")) as stub:
        log = tmp_path / "answers.jsonl"
        model = endpoint(stub, log, leave_out=["seed"])
        model.draw(QUESTIONS, [4, 0, 0], SAMPLING, 1)
        assert len(stub.bodies) == 4
        assert all("seed" not in body for body in stub.bodies)
        endpoint(stub, log, leave_out=["seed"]).draw(QUESTIONS, [4, 0, 0], SAMPLING, 1)
        assert len(stub.bodies) == 4
        endpoint(stub, log, leave_out=["seed", "top_p"]).draw(QUESTIONS, [1, 0, 0], SAMPLING, 1)
        assert len(stub.bodies) == 5


PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>x</body></html>"
TROUBLE: dict[str, tuple[Callable[[], Reply], str, str]] = {
    "a page": (lambda: Reply(PAGE, 200, "text/html"), "a web page ('Log in')", "base_url"),
    "a page as JSON": (lambda: Reply(PAGE), "a web page ('Log in')", "base_url"),
    "a bad gateway": (
        lambda: Reply(PAGE, 502, "text/html"),
        "status 502: a web page ('Log in')",
        "is kept",
    ),
    "an error": (lambda: Reply({"error": {"message": "loading"}}), "an error: loading", "is kept"),
    "a busy server": (
        lambda: Reply({"error": "slow down"}, 429, headers=(("retry-after", "120"),)),
        "429",
        "asks to wait 120 seconds. Set requests_per_minute",
    ),
    "broken JSON": (lambda: Reply(b'{"choices": [{"mess'), "breaks off", "again"),
    "no such path": (lambda: Reply({"detail": "Not Found"}, 404), "404", "base_url"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_one_error_that_helps(name: str) -> None:
    reply, problem, hint = TROUBLE[name]
    error = refused(lambda body: reply())
    assert error.problem.startswith(f"{NAME} at http://127.0.0.1:")
    assert problem in error.problem
    assert hint in error.hint
    assert "\n" not in str(error)


def test_no_error_of_a_server_repeats_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    for status in (200, 400):
        with stub_of(lambda body: Reply({"error": "no sk-of-a-test"}, status)) as stub:  # noqa: B023
            monkeypatch.setenv("OPENAI_BASE_URL", stub.url)
            with pytest.raises(EquipoiseError, match=r"no \*\*\*") as caught:
                endpoint(stub).draw(QUESTIONS, [1, 0, 0], SAMPLING, 1)
        assert "sk-of" not in str(caught.value)


def test_answers_before_the_trouble_are_kept(tmp_path: Path) -> None:
    late = [True]

    def answers(body: dict[str, Any]) -> Reply:
        trouble = late[0] and asked_about(body) == "pilot"
        return Reply(PAGE, content_type="text/html") if trouble else Reply(chat(None))

    with stub_of(answers) as stub:
        log = tmp_path / "answers.jsonl"
        with pytest.raises(EquipoiseError, match="a web page"):
            endpoint(stub, log, concurrency=1).draw(QUESTIONS, [1, 1, 1], SAMPLING, 1)
        late[0] = False
        model = endpoint(stub, log)
        model.draw(QUESTIONS, [1, 1, 1], SAMPLING, 1)
        assert len(stub.bodies) == 4
        assert model.spending()["silent_unsaid"] == 3  # two of them from the log


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"base_url": "http://x/v1/chat/completions"}, "goes too far"),
        ({"base_url": "http://x/v1/completions/"}, "goes too far"),
    ],
)
def test_an_address_that_goes_too_far_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(EquipoiseError, match=expected) as caught:
        check_endpoint(NAME, EndpointSettings.model_validate(settings), top_k=0)
    assert "http://localhost:8000/v1" in caught.value.hint
