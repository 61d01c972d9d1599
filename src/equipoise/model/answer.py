"""Answers of an endpoint: how they come, and what of them continues a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}
"""Opening quotation marks and what closes them."""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one request.

    Attributes:
        text: The answer, as it came.
        prompt_tokens: Tokens that the server counted in what was asked.
        completion_tokens: Tokens that it counted in the answer.
        ended: The answer ended by itself, not at the limit of tokens.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    ended: bool


def continuation(answer: str, prefix: str) -> str:
    """What a chat's ``answer`` says after ``prefix``.

    Models answer with the whole sentence, often in quotation marks, or with its end alone.

    >>> [continuation(text, "The nurse was") for text in ('"The nurse was kind."', "kind.")]
    [' kind.', ' kind.']
    """
    text = answer.strip()
    if text and (closing := QUOTES.get(text[0])) and text.find(closing, 1) in (-1, len(text) - 1):
        text = text[1:].removesuffix(closing).strip()
    text = text.removeprefix("...").removeprefix("…").lstrip()
    if text[: len(prefix)].casefold() == prefix.casefold():
        rest = text[len(prefix) :]
        if not rest or not rest[0].isalnum():
            return rest
    return f" {text}" if text else ""


def of_chat(response: Any) -> Answer:
    """The answer in a chat completion of the official client."""
    choice = response.choices[0]
    return _answer(choice.message.content, choice.finish_reason, response.usage)


def of_completion(response: Any) -> Answer:
    """The answer in a text completion, likewise."""
    choice = response.choices[0]
    return _answer(choice.text, choice.finish_reason, response.usage)


def _answer(text: str | None, reason: str | None, usage: Any) -> Answer:
    """An answer; a refusal has no text.

    Surrogates cannot be stored as UTF-8.
    """
    found = (text or "").encode("utf-8", "replace").decode("utf-8")
    return Answer(found, int(usage.prompt_tokens), int(usage.completion_tokens), reason != "length")
