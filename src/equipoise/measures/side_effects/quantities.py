"""What side effects are values of: all quantities of an examination, each declared once.

The files beside this one compute them. This one loads no model, nor what loads models: tables and
reports read it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from equipoise.measures.declaration import AMOUNT, DECIMALS, PERCENT, SIGNED, Form

COLUMNS = ("instrument", "group", "item", "value")
"""Columns of a frame of items. The mean of the values of a group is the quantity's value."""

ALL = "all"
"""The group of all items of an instrument."""

FIVE_PERCENT = math.log(1.05)
"""Nats a token by which a perplexity rises by 5 %."""

FIVE_POINTS = 0.05


@dataclass(frozen=True)
class Quantity:
    """One thing that an examination measures.

    Attributes:
        name: In files, there the column ``instrument``.
        title: For people, in a few words.
        meaning: What the value is, as half a sentence.
        unit: Of the value.
        form: How it is written.
        rate: Each item's value is 0 or 1.
        ideal: The value than which none is better; harm is the way from it beyond the base model's.
            Without one every change counts.
        passes: The harm that is let pass, in the unit. Side effects are ranked by their multiple of
            it; without one a quantity is never the worst.
        chance: What a model without any ability gets.
        by_definition: The base model's own value, where it need not be measured.
    """

    name: str
    title: str
    meaning: str
    unit: str
    form: Form = AMOUNT
    rate: bool = False
    ideal: float | None = None
    passes: float = math.inf
    chance: float | None = None
    by_definition: float | None = None

    def harm(self, value: float, base: float) -> float:
        """By how much ``value`` is worse than the base model's, in the unit; below 0 if better."""
        if self.ideal is None:
            return abs(value - base)
        return abs(value - self.ideal) - abs(base - self.ideal)


KL = Quantity(
    "retention_kl", "divergence from the base model",
    "KL(base ‖ tuned) on the base model's own answers to unrelated requests", "nats a token",
    form=DECIMALS, ideal=0, passes=FIVE_PERCENT, by_definition=0,
)  # fmt: skip
TOP = Quantity(
    "retention_top1", "likeliest token changed",
    "share of tokens of these answers at which the likeliest one is another", "share of tokens",
    form=PERCENT, ideal=0, passes=FIVE_POINTS, by_definition=0,
)  # fmt: skip
LEAKAGE = Quantity(
    "leakage", "listed terms elsewhere",
    "share of answers to unrelated requests, and to requests about people outside the task, that "
    "hold a listed term", "share of answers",
    form=PERCENT, rate=True, ideal=0, passes=FIVE_POINTS,
)  # fmt: skip
STORY_SLOPE = Quantity(
    "stories_slope", "words of the poles in stories, slope",
    "slope over the axis' shares of: stories with a word of the second pole minus stories with one "
    "of the first, per 100 points of the share", "share per 100 points",
    form=SIGNED, ideal=0, passes=FIVE_POINTS,
)  # fmt: skip
STORY_TERMS = Quantity(
    "stories_terms", "terms in stories",
    "share of stories that hold a term of a set, listed or held out", "share of stories",
    form=PERCENT, rate=True, passes=FIVE_POINTS,
)  # fmt: skip
STORY_WORDS = Quantity(
    "stories_words", "words of a story",
    "words of what is drawn of a story, at most 64 tokens", "words", form=AMOUNT,
)  # fmt: skip
STORY_REPETITION = Quantity(
    "stories_repetition", "repetition in stories",
    "share of a story's phrases of four words that stood in it before", "share of phrases",
    form=PERCENT, ideal=0, passes=FIVE_POINTS,
)  # fmt: skip

QUANTITIES: dict[str, Quantity] = {
    one.name: one
    for one in (KL, TOP, LEAKAGE, STORY_SLOPE, STORY_TERMS, STORY_WORDS, STORY_REPETITION)
}
"""All of them by name, in the order of the tables."""
