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


class Question(NamedTuple):
    """What a model is asked, in words.

    Attributes:
        prompt: The user's turn.
        prefix: How the judged sentence starts.
        subject: Who is described; sentences in other forms are recognised by it.
    """

    prompt: str
    prefix: str
    subject: str = ""


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
    """

    text: str
    tokens: int | None
    ended: bool
    ids: tuple[int, ...] = field(default=(), compare=False, repr=False)
    whole: bool = False
    cut: tuple[Cut, ...] = ()
    answered: bool = True

    def behind(self, prefix: str) -> str:
        """The text of the completion, with the prefix where that begins it."""
        return self.text if self.whole or not self.answered else prefix + self.text
