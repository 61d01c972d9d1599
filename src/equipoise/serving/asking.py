"""A request as what is asked of the policy."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from equipoise.model.draws import Exchange, Question, Sampling
from equipoise.serving.fields import ChatFields, CompletionFields
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError, unsupported

Spell = Callable[[Sequence[int]], str]
"""The text of some tokens."""

_SYSTEM = ("system", "developer")
_NOTHING = {"type": "text", "tool_calls": None, "refusal": None, "function_call": None}
"""Fields of a message that say nothing with these values."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the policy.

    Attributes:
        questions: One a prompt.
        n: Answers of each.
        sampling: How they are drawn.
        seed: Fixes them.
        stop: An answer is cut before the first of these.
        tokens: Of each prompt the tokens that it was sent as, if it was.
        draw: Whether anything is drawn at all.
        echo: The prompt is repeated before its answer.
        logprobs: How many of the likeliest tokens are told at each place, beside the
            log-probability of each token; None tells of none.
    """

    questions: tuple[Question, ...]
    n: int
    sampling: Sampling
    seed: int
    stop: tuple[str, ...]
    tokens: tuple[tuple[int, ...] | None, ...] = ()
    draw: bool = True
    echo: bool = False
    logprobs: int | None = None


def chat(fields: ChatFields, sampling: Sampling, limits: Limits) -> Asked:
    """What a request to ``/v1/chat/completions`` asks.

    Args:
        fields: The request.
        sampling: The study's, where the request says nothing else.
        limits: Of the server.

    Raises:
        RefusalError: The messages are no conversation that ends with the user, or a limit is
            passed.
    """
    if None not in (fields.max_tokens, fields.max_completion_tokens):
        raise RefusalError("Give max_tokens or max_completion_tokens.", param="max_tokens")
    longest = fields.max_completion_tokens or fields.max_tokens
    return _asked(fields, (conversation(fields.messages),), longest, sampling, limits)


def completion(fields: CompletionFields, sampling: Sampling, limits: Limits, spell: Spell) -> Asked:
    """What a request to ``/v1/completions`` asks; arguments and errors are those of `chat`.

    Args:
        fields: The request.
        sampling: The study's, where the request says nothing else.
        limits: Of the server.
        spell: Reads prompts that are tokens.
    """
    draw, echo = fields.max_tokens != 0, bool(fields.echo)
    if not (draw or echo):
        raise RefusalError("Nothing is asked for. Set echo, or raise it.", param="max_tokens")
    prompts = _prompts(fields.prompt)
    questions = tuple(Question(_text(one, spell), "", bare=True) for one in prompts)
    asked = _asked(fields, questions, fields.max_tokens or None, sampling, limits)
    tokens = tuple(None if isinstance(one, str) else one for one in prompts)
    return replace(asked, tokens=tokens, draw=draw, echo=echo, logprobs=fields.logprobs)


def _asked(
    fields: ChatFields | CompletionFields,
    questions: tuple[Question, ...],
    longest: int | None,
    sampling: Sampling,
    limits: Limits,
) -> Asked:
    n = fields.n or 1
    if n * len(questions) > limits.answers:
        raise RefusalError(
            f"{n * len(questions)} answers are more than the {limits.answers} of a request.",
            param="n",
        )
    if longest is not None and longest > limits.answer_tokens:
        raise RefusalError(
            f"{longest} tokens are more than the {limits.answer_tokens} of an answer.",
            param="max_tokens",
        )
    chosen = {
        "temperature": fields.temperature,
        "top_p": fields.top_p,
        "top_k": fields.top_k,
        "max_new_tokens": longest,
    }
    update = {name: value for name, value in chosen.items() if value is not None}
    seed = secrets.randbelow(2**32) if fields.seed is None else fields.seed
    return Asked(questions, n, sampling.model_copy(update=update), seed, fields.stops)


def conversation(messages: Sequence[Any]) -> Question:
    """The messages of a chat as a question.

    Raises:
        RefusalError: Turns do not alternate and end with the user's, or hold more than text.
    """
    turns = [_turn(message, number) for number, message in enumerate(messages)]
    system = turns.pop(0)[1] if turns and turns[0][0] in _SYSTEM else ""
    roles = [role for role, _ in turns]
    if roles != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        raise RefusalError(
            "Behind a system message that may head them, turns of 'user' and 'assistant' must "
            "alternate, and the last one must be the user's.",
            param="messages",
        )
    texts = [text for _, text in turns]
    earlier = tuple(map(Exchange, texts[:-1:2], texts[1::2]))
    return Question(texts[-1], "", earlier=earlier, system=system)


def _turn(message: Any, number: int) -> tuple[str, str]:
    """Role and text of a message."""
    where = f"messages.{number}"
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise RefusalError("A message is an object with role and content.", param=where)
    for name in message.keys() - {"role", "content"}:
        if name not in _NOTHING or message[name] != _NOTHING[name]:
            raise unsupported(f"{where}.{name[:40]}", "messages have role and content")
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            raise unsupported(f"{where}.content", "it reads text, and no images, files or sound")
        texts.append(_encodable(text, where))
    return message["role"], "".join(texts)


def _prompts(prompt: str | list[Any]) -> list[str | tuple[int, ...]]:
    """The prompts of a request, each a text or tokens."""
    if isinstance(prompt, str):
        given: list[Any] = [prompt]
    else:
        given = [prompt] if all(type(one) is int for one in prompt) else prompt
    prompts: list[str | tuple[int, ...]] = []
    for one in given:
        if isinstance(one, list) and one and all(type(token) is int for token in one):
            prompts.append(tuple(one))
        elif isinstance(one, str) and one:
            prompts.append(_encodable(one, "prompt"))
        else:
            raise RefusalError(
                "A prompt is a text or a list of tokens, and not empty.", param="prompt"
            )
    return prompts


def _text(prompt: str | tuple[int, ...], spell: Spell) -> str:
    return prompt if isinstance(prompt, str) else _encodable(spell(prompt), "prompt")


def _encodable(text: str, where: str) -> str:
    """``text``, if it is Unicode: JSON can hold halves of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusalError("The text holds half a character.", param=where) from None
    return text
