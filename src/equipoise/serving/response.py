"""Answers in the words of the OpenAI protocol, whole or as a stream of events.

A stream holds each answer in one piece: a filter or the best of several must be known as a whole
before a word of it may be said, and all methods are served alike.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from equipoise.serving.answering import Answer, Answered

Kind = Literal["chat.completion", "text_completion"]


@dataclass(frozen=True)
class Response:
    """The answer to a request.

    Attributes:
        kind: Of which address.
        model: The served name.
        answered: What was answered.
        id: Of this response.
        created: When, in seconds of the epoch.
    """

    kind: Kind
    model: str
    answered: Answered
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self) -> dict[str, Any]:
        """The response as one object."""
        choices = [
            {**self._said(answer, "message"), **_ending(index, answer), **_scores(answer)}
            for index, answer in enumerate(self.answered.answers)
        ]
        return {**self._head(self.kind), "choices": choices, "usage": self._usage()}

    def events(self, *, usage: bool) -> Iterator[str]:
        """The response as server-sent events; ``usage`` asks for one of the tokens, too."""
        kind = "chat.completion.chunk" if self.kind == "chat.completion" else self.kind
        nothing = {"usage": None} if usage else {}
        for index, answer in enumerate(self.answered.answers):
            said = {**self._said(answer, "delta"), **_ending(index, answer), "finish_reason": None}
            said |= _scores(answer)
            silent = {**self._said(None, "delta"), **_ending(index, answer)}
            for choice in (said, silent):
                yield _event({**self._head(kind), "choices": [choice], **nothing})
        if usage:
            yield _event({**self._head(kind), "choices": [], "usage": self._usage()})
        yield "data: [DONE]\n\n"

    def _said(self, answer: Answer | None, place: str) -> dict[str, Any]:
        """What a choice says; nothing more, where there is no answer."""
        if self.kind == "text_completion":
            return {"text": answer.text if answer else ""}
        return {place: {"role": "assistant", "content": answer.text} if answer else {}}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _usage(self) -> dict[str, int]:
        asked = self.answered.prompt_tokens
        drawn = sum(answer.tokens for answer in self.answered.answers)
        return {
            "prompt_tokens": asked,
            "completion_tokens": drawn,
            "total_tokens": asked + drawn,
        }


def _ending(index: int, answer: Answer) -> dict[str, Any]:
    reason = "length" if answer.cut else "stop"
    return {"index": index, "logprobs": None, "finish_reason": reason}


def _scores(answer: Answer) -> dict[str, Any]:
    return {} if answer.scores is None else {"logprobs": answer.scores.said()}


def _event(said: dict[str, Any]) -> str:
    return f"data: {json.dumps(said)}\n\n"
