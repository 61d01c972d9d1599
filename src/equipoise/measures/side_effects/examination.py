"""An examination: the same questions to a base model and to every model made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from equipoise.measures.side_effects.empty import empty_items
from equipoise.measures.side_effects.instruments import Instrument
from equipoise.measures.side_effects.leakage import leakage_items
from equipoise.measures.side_effects.quantities import PERPLEXITY
from equipoise.measures.side_effects.requests import TOKENS, Request, requests_for
from equipoise.measures.side_effects.stories import story_items
from equipoise.model.draws import Sampling
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel

ANSWER_TYPES: Mapping[str, type] = {"ended": bool}
ITEM_TYPES: Mapping[str, type] = {"value": float}
"""Types of the columns that are no text."""

Ask = Callable[["LanguageModel"], pd.DataFrame]
"""Asks a model something, and writes down what it says."""


class Examined(Protocol):
    """A model that is loaded when it is first asked."""

    def load(self) -> LanguageModel:
        """The model, weights in its compute type."""

    def part(
        self, name: str, question: Mapping[str, Any], types: Mapping[str, type], ask: Ask
    ) -> pd.DataFrame:
        """What it says to one part of an examination; asked, or known from before.

        Args:
            name: Of the part.
            question: Everything beside the model that decides the answer.
            types: Of the columns that are no text: bool or float.
            ask: Asks the model.
        """


@dataclass(frozen=True)
class Examination:
    """What every model is asked.

    Attributes:
        task: Gives terms, subjects of stories, and its axis.
        sampling: How answers are drawn.
        instruments: What the user names.
    """

    task: Task
    sampling: Sampling
    instruments: Sequence[Instrument] = ()

    def items(self, model: Examined, base: Examined | None = None) -> pd.DataFrame:
        """Items of all quantities of one model.

        Args:
            model: Who is examined.
            base: What it was made of; None for the base model itself, or where nobody says.
        """
        answers = self._answers(model)
        parts = [empty_items(answers), leakage_items(answers, self.task)]
        parts.append(story_items(answers, self.task))
        parts += [self._of(one, model) for one in self.instruments]
        if base is not None:
            parts += self._against(model, base)
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def requests(self) -> list[Request]:
        """What every model is asked to answer."""
        return requests_for(self.task)

    def _answers(self, model: Examined) -> pd.DataFrame:
        question = {
            "sampling": self.sampling.model_dump(mode="json"),
            "tokens": dict(TOKENS),
            "requests": [one.text for one in self.requests],
        }

        def ask(lm: LanguageModel) -> pd.DataFrame:
            from equipoise.measures.side_effects.answers import draw_answers

            return draw_answers(lm, self.requests, self.sampling)

        return model.part("answers", question, ANSWER_TYPES, ask)

    def _of(self, one: Instrument, model: Examined) -> pd.DataFrame:
        return model.part(one.name, one.question, ITEM_TYPES, one.items)

    def _against(self, model: Examined, base: Examined) -> list[pd.DataFrame]:
        """What only two models can say: retention, and ratios of perplexity."""
        from equipoise.measures.side_effects.perplexity import ratio_items
        from equipoise.measures.side_effects.retention import retention_items

        answers = self._answers(base)
        parts = [
            model.part(
                "retention",
                {"answers_sha256": _digest(answers)},
                ITEM_TYPES,
                lambda lm: retention_items(base.load(), lm, answers),
            )
        ]
        for one in self.instruments:
            if one.name.startswith(PERPLEXITY.name):
                parts.append(ratio_items(self._of(one, model), self._of(one, base)))
        return parts


def _digest(answers: pd.DataFrame) -> str:
    return hashlib.sha256(answers.to_csv(index=False).encode()).hexdigest()
