"""What is asked of a model, and what comes back: how to draw, what to continue, one completion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from pydantic import Field

from equipoise.completions.cuts import Cut
from equipoise.settings import Settings


class Sampling(Settings):
    """How completions are drawn; the defaults are the protocol's (arXiv 2510.22084).

    Attributes:
        temperature: Logits are divided by it; 0 is greedy decoding.
        top_p: Mass of the nucleus, in (0, 1].
        top_k: Most probable tokens kept; 0 keeps all.
        max_new_tokens: A completion that has no end by then is cut there.
        batch_size: Completions decoded at a time. It bounds memory; with another one the seed
            gives other completions of the same distribution.
    """

    temperature: Annotated[float, Field(ge=0)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Field(ge=0)] = 0
    max_new_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 250


OnDrawn = Callable[[int], None]
"""Receives the number of completions that were finished since the last call."""


class Exchange(NamedTuple):
    """A turn of the user's and the answer to it.

    Attributes:
        prompt: The user's turn.
        answer: What the model answered, or is to take for its answer.
    """

    prompt: str
    answer: str


class Question(NamedTuple):
    """What a model is asked, in words.

    Attributes:
        prompt: The user's turn.
        prefix: How the judged sentence starts.
        subject: Who is described; sentences in other forms are recognised by it.
        earlier: What was said before that turn, the oldest first.
        system: What a chat is headed with, before all turns; often nothing.
        bare: The prompt is no turn but a text to be continued as it stands.
    """

    prompt: str
    prefix: str
    subject: str = ""
    earlier: tuple[Exchange, ...] = ()
    system: str = ""
    bare: bool = False

    @property
    def turns(self) -> list[dict[str, str]]:
        """All turns as messages of a chat: behind the head, the user's and the assistant's.

        Some chat templates refuse two turns of one role in a row, and there are never any.
        """
        spoken = [
            {"role": role, "content": text}
            for exchange in self.earlier
            for role, text in zip(("user", "assistant"), exchange, strict=True)
        ]
        headed = [{"role": "system", "content": self.system}] if self.system else []
        return [*headed, *spoken, {"role": "user", "content": self.prompt}]

    @property
    def plain(self) -> str:
        """All turns as plain text for a model without a chat template; its answer is the rest."""
        before = "".join(f"{asked}\n{answer}\n\n" for asked, answer in self.earlier)
        head = f"{self.system}\n\n" if self.system else ""
        return f"{head}{before}{self.prompt}\n"


@dataclass(frozen=True)
class Prompt:
    """What a completion continues, in tokens.

    Attributes:
        context: Token ids, at least one.
        prefix: Text at the end of the context that belongs to the judged sentence.
    """

    context: tuple[int, ...]
    prefix: str


@dataclass(frozen=True)
class Draw:
    """One completion.

    Attributes:
        text: What was drawn, without the prefix, up to where decoding stopped.
        tokens: Number of tokens drawn, the one that ended it included; None where a server does not
            count them.
        ended: It ended by itself: at the end of a sentence, a turn or a sequence.
        ids: The tokens drawn.
        whole: The text is a sentence of its own, which the prefix does not begin ("The nurse is").
        cut: What was taken away around it.
        answered: Whether there is a completion at all; an endpoint's answer may say nothing.
        earlier: Answers that it took the place of, the oldest first; they cost tokens too.
    """

    text: str
    tokens: int | None
    ended: bool
    ids: tuple[int, ...] = field(default=(), compare=False, repr=False)
    whole: bool = False
    cut: tuple[Cut, ...] = ()
    answered: bool = True
    earlier: tuple[Draw, ...] = field(default=(), compare=False, repr=False)

    def behind(self, prefix: str) -> str:
        """The text of the completion, with the prefix where that begins it."""
        return self.text if self.whole or not self.answered else prefix + self.text
