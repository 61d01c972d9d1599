"""Answers of an endpoint: how they come, and what of them continues a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.completions.cuts import Cut
from equipoise.completions.judged_sentence import judge
from equipoise.completions.prefix import prefix_pattern


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


@dataclass(frozen=True)
class Said:
    """What an answer says about a subject.

    Attributes:
        text: What continues the prefix; or the whole sentence, where it has another form.
        whole: Whether it is the whole sentence ("The nurse is kind.").
        cut: What was taken away around it.
    """

    text: str
    whole: bool = False
    cut: tuple[Cut, ...] = ()


def said_in_chat(answer: str, prefix: str, subject: str = "") -> Said:
    """What a chat's ``answer`` says, by the rule that is everybody's (``judge``).

    Models answer with the whole sentence, often in quotation marks or behind a greeting, or with
    its end alone.

    >>> [said_in_chat(text, "The nurse was").text for text in ('"The nurse was kind."', "kind.")]
    [' kind.', ' kind.']
    """
    judged = judge(answer, prefix, subject, add=True)
    match = prefix_pattern(prefix).match(judged.text)
    if match is None:
        return Said(judged.text, bool(judged.text), judged.cut)
    return Said(judged.text[match.end() :], cut=judged.cut)


def said_in_completion(text: str, prefix: str) -> Said:
    """What a text completion says: the text, behind a space if the server dropped it.

    A server that repeats the prompt's end is understood, too.
    """
    if match := prefix_pattern(prefix).match(text.lstrip()):
        return Said(text.lstrip()[match.end() :])
    dropped = text[:1].isalnum() and not text.casefold().startswith(("n't", "n’t"))
    return Said(f" {text}" if dropped and not prefix[-1:].isspace() else text)


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
