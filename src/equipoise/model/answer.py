"""Answers of an endpoint, and what of them continues a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.completions.cuts import Cut
from equipoise.completions.judged_sentence import judge
from equipoise.completions.prefix import prefix_pattern

Silence = Literal["thinking", "limit", "refused", "tools", "unsaid"]

SILENCES: dict[Silence, str] = {
    "thinking": "only the model's reasoning came",
    "limit": "cut off at the limit of tokens",
    "refused": "the model or the server's filter refused",
    "tools": "the model called a tool",
    "unsaid": "the server does not say why",
}
"""Why answers are empty."""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one request.

    Attributes:
        text: The answer, as it came.
        prompt_tokens: Tokens that the server counted in what was asked; None where it says nothing.
        completion_tokens: Tokens that it counted in the answer, likewise.
        ended: The answer ended by itself, not at the limit of tokens.
        silence: Why it has no text; None where it has.
    """

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    ended: bool
    silence: Silence | None = None


@dataclass(frozen=True)
class Said:
    """What an answer says about a subject.

    Attributes:
        text: What continues the prefix; or the whole sentence, where it has another form.
        whole: Whether it is the whole sentence ("The nurse is kind.").
        cut: What was taken away around it.
        silence: Why nothing is said; None where something is.
    """

    text: str
    whole: bool = False
    cut: tuple[Cut, ...] = ()
    silence: Silence | None = None


def said_in_chat(answer: Answer, prefix: str, subject: str = "") -> Said:
    """What a chat's ``answer`` says, by the rule that is everybody's (``judge``).

    Models answer with the whole sentence, often in quotation marks or behind a greeting, or with
    its end alone. Reasoning that stands in the text and has no end leaves nothing to judge.
    """
    judged = judge(answer.text, prefix, subject, add=True)
    if not judged.text:
        reasons = {"reasoning", "unended reasoning"} & set(judged.cut)
        return Said("", cut=judged.cut, silence="thinking" if reasons else _silence(answer))
    match = prefix_pattern(prefix).match(judged.text)
    if match is None:
        return Said(judged.text, True, judged.cut)
    return Said(judged.text[match.end() :], cut=judged.cut)


def said_in_completion(answer: Answer, prompt: str, prefix: str) -> Said:
    """What a text completion says.

    A server that repeats what was asked, or its end, is understood.

    Args:
        answer: It.
        prompt: All that was asked, the prefix at its end.
        prefix: The beginning of the judged sentence.
    """
    text = answer.text.removeprefix(prompt)
    if match := prefix_pattern(prefix).match(text.lstrip()):
        text = text.lstrip()[match.end() :]
    return Said(text, silence=None if text.strip() else _silence(answer))


def _silence(answer: Answer) -> Silence:
    """Why an answer in which nothing is said says nothing."""
    return answer.silence or ("unsaid" if answer.ended else "limit")
