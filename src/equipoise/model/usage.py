"""What an endpoint's answers have cost, and how they came: counts for a cell's record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from equipoise.model.answer import SILENCES, Answer, Silence


@dataclass
class Usage:
    """Counts of answers and of their tokens, as the server counts those.

    Attributes:
        requests: Requests answered.
        prompt_tokens: Tokens of what was asked; None once an answer has come without a count.
        completion_tokens: Tokens of the answers, likewise.
        too_long: Answers with more tokens than were allowed.
        respaced: Continuations whose first space the server had dropped.
        silent: Answers that say nothing, by the reason.
    """

    requests: int = 0
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    too_long: int = 0
    respaced: int = 0
    silent: Counter[Silence] = field(default_factory=Counter)

    def add(self, answer: Answer, silence: Silence | None, most_tokens: int | None) -> None:
        """Count one answer.

        Args:
            answer: It.
            silence: Why it says nothing; None where it says something.
            most_tokens: Tokens that it may have; None where the server was told no limit.
        """
        self.requests += 1
        self.prompt_tokens = _sum(self.prompt_tokens, answer.prompt_tokens)
        self.completion_tokens = _sum(self.completion_tokens, answer.completion_tokens)
        self.too_long += most_tokens is not None and (answer.completion_tokens or 0) > most_tokens
        if silence is not None:
            self.silent[silence] += 1

    def counts(self) -> dict[str, int | None]:
        """All of it, by the columns of the table of costs."""
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "too_long": self.too_long,
            "respaced": self.respaced,
            **{f"silent_{reason}": self.silent[reason] for reason in SILENCES},
        }


def _sum(known: int | None, more: int | None) -> int | None:
    return None if known is None or more is None else known + more
