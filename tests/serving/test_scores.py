"""Log-probabilities of completions: those of the model, told as the protocol does, or refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from openai import BadRequestError, OpenAI
from openai.types import Completion

from equipoise.serving.controlled import Controlled
from equipoise.task.sentence import EMPHASIS

pytestmark = pytest.mark.slow

Load = Callable[[str], Controlled]
Address = Callable[..., str]
TEXT = "The pilot was bold. The nurse"


def complete(address: str, method: str, **fields: Any) -> Completion:
    client = OpenAI(base_url=address, api_key="none", max_retries=0)
    made: Completion = client.completions.create(model=f"{method}-seed1", seed=3, **fields)
    return made


def plain_scores(controlled: Controlled, tokens: list[int]) -> torch.Tensor:
    """[T - 1, V] log-probabilities, by one call of the model."""
    with torch.no_grad():
        logits = controlled.lm.model(torch.tensor([tokens])).logits[0, :-1]
    return logits.float().log_softmax(dim=-1)


@pytest.mark.parametrize("method", ["prompt", "sft"])
def test_a_prompt_is_scored_without_anything_drawn(
    load: Load, address: Address, method: str
) -> None:
    where, controlled = address(method), load(method)
    tokens = controlled.lm.encoder.plain(TEXT)
    expected = plain_scores(controlled, tokens)
    own = [row[token].item() for row, token in zip(expected, tokens[1:], strict=True)]
    for prompt in (TEXT, tokens):
        made = complete(where, method, prompt=prompt, max_tokens=0, echo=True, logprobs=2)
        [choice] = made.choices
        assert (choice.text, choice.finish_reason) == (TEXT, "length")
        scores = choice.logprobs
        assert scores is not None
        assert "".join(scores.tokens) == TEXT
        starts = [sum(map(len, scores.tokens[:at])) for at in range(len(tokens))]
        assert scores.text_offset == starts
        assert scores.token_logprobs[0] is None
        assert scores.token_logprobs[1:] == pytest.approx(own, abs=1e-4)
        assert scores.top_logprobs[0] is None
        likeliest = [max(told.values()) for told in scores.top_logprobs[1:]]
        assert likeliest == pytest.approx(expected.max(dim=-1).values.tolist(), abs=1e-4)
        assert all(
            told[token] == value
            for told, token, value in zip(
                scores.top_logprobs[1:], scores.tokens[1:], scores.token_logprobs[1:], strict=True
            )
        )
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (len(tokens), 0)


def test_an_answer_is_scored_and_is_the_same_as_without(load: Load, address: Address) -> None:
    """Of a text of anybody's, and of the study's own, which ends with its first sentence.

    What is scored is what was drawn, Markdown that judging takes away included.
    """
    unmarked = str.maketrans("", "", EMPHASIS)
    where, policy = address("sft"), load("sft").policy
    [asked] = policy.questions(["pilot"])
    encoder = load("sft").lm.encoder
    for prompt in (TEXT, encoder.text(asked.prompt, asked.prefix)):
        drawn = {"prompt": prompt, "max_tokens": 12, "n": 2}
        without = complete(where, "sft", **drawn)
        scored = complete(where, "sft", logprobs=1, **drawn)
        assert [one.text.translate(unmarked) for one in scored.choices] == [
            one.text.translate(unmarked) for one in without.choices
        ]
        assert [one.finish_reason for one in scored.choices] == [
            one.finish_reason for one in without.choices
        ]
        assert scored.usage == without.usage
        for choice in scored.choices:
            assert choice.logprobs is not None
            assert choice.logprobs.text_offset[0] == 0
            assert len(choice.logprobs.tokens) <= 12
    greedy = complete(where, "sft", prompt=TEXT, max_tokens=5, temperature=0, logprobs=1)
    scores = greedy.choices[0].logprobs
    assert scores is not None
    assert [max(told.values()) for told in scores.top_logprobs] == scores.token_logprobs
    echoed = complete(where, "sft", prompt=TEXT, max_tokens=5, temperature=0, echo=True)
    assert echoed.choices[0].text == TEXT + greedy.choices[0].text
    assert echoed.choices[0].logprobs is None


def test_a_stream_says_the_same_scores(address: Address) -> None:
    where = address("sft")
    asked: dict[str, Any] = {"prompt": TEXT, "max_tokens": 4, "logprobs": 1, "echo": True}
    whole = complete(where, "sft", **asked).choices[0].logprobs
    parts = list(complete(where, "sft", stream=True, **asked))  # type: ignore[call-overload]
    told = [part.choices[0].logprobs for part in parts if part.choices[0].logprobs]
    assert told == [whole]


@pytest.mark.parametrize("method", ["few-shot", "prompt-balanced", "filter", "best-of", "ctrlg"])
def test_methods_that_add_to_their_model_have_no_scores(address: Address, method: str) -> None:
    where = address(method)
    with pytest.raises(BadRequestError, match="does not leave everything") as caught:
        complete(where, method, prompt=TEXT, max_tokens=0, echo=True, logprobs=1)
    assert (caught.value.param, caught.value.code) == ("logprobs", "unsupported")


def test_tokens_that_the_model_has_not_are_refused(address: Address) -> None:
    with pytest.raises(BadRequestError, match="no such token"):
        complete(address("sft"), "sft", prompt=[1, 10**6], max_tokens=0, echo=True, logprobs=1)


def test_lm_evaluation_harness_scores_through_the_server_as_on_the_model(
    load: Load, address: Address, tiny_model_folder: Path
) -> None:
    """Its ``local-completions`` against its own runner on the weights."""
    reason = "lm-evaluation-harness is not installed"
    pytest.importorskip("lm_eval", reason=reason)
    pytest.importorskip("tenacity", reason=reason)
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    lm = load("sft").lm
    pairs = [("The pilot was", " bold."), ("The nurse", " was kind to me."), ("", "It was.")]
    asked = [
        Instance("loglikelihood", {}, pair, number, task_name="t", doc_id=number, repeats=1)
        for number, pair in enumerate(pairs)
    ]
    remote = LocalCompletionsAPI(
        base_url=f"{address('sft')}/completions",
        model="sft-seed1",
        tokenizer_backend="huggingface",
        tokenizer=str(tiny_model_folder),
        batch_size=2,
        max_length=100,
    )
    local = HFLM(pretrained=lm.model, tokenizer=copy.deepcopy(lm.tokenizer), batch_size=2)
    found, expected = remote.loglikelihood(asked), local.loglikelihood(asked)
    assert [value for value, _ in found] == pytest.approx(
        [value for value, _ in expected], abs=1e-4
    )
    assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]
