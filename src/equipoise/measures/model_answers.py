"""What models have said of completions, or of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

BASE, INDEPENDENT = "base", "independent"
"""Labels of the two judges of fluency: the untuned model, and one of another family."""


@dataclass(frozen=True)
class FluencyScores:
    """What one judge said.

    Attributes:
        model: The judge's name.
        scores: What ``judging.score_fluency`` gave.
    """

    model: str
    scores: pd.DataFrame


@dataclass(frozen=True)
class AgencyScores:
    """What the classifier of language agency said.

    Attributes:
        values: For each text the probability that its language is agentic, 0-1; NaN for a text
            that is empty or of one token.
        accuracy: Share of LAC's validation sentences that the classifier gets right, 0-1.
        sentences: How many those are.
    """

    values: Mapping[str, float]
    accuracy: float
    sentences: int


@dataclass(frozen=True)
class ByModel:
    """What only a model can say of completions, or of itself.

    Attributes:
        fluency: Scores of all sentences by each judge; see ``fluency.fluency_table``.
        agency: Of all texts, if it was asked for.
        associations: What each cell's model associates, with ``method`` and ``seed``, if the models
            that made the completions are at hand; see ``association``.
        own: What tuned models say of their own sentences, likewise; see ``divergence``.
        side_effects: Items of an examination of the base model and of tuned ones, with ``method``
            and ``seed``; see ``side_effects.table``.
        without_listed: What each cell's model says without the listed terms, with ``method`` and
            ``seed``; see ``without_listed``.
        preferences: How likely each cell's model finds balanced and one-sided sentences of words
            that it was never given, likewise; see ``held_out_preference``.
    """

    fluency: Mapping[str, FluencyScores] = field(default_factory=dict)
    agency: AgencyScores | None = None
    associations: pd.DataFrame | None = None
    own: pd.DataFrame | None = None
    side_effects: pd.DataFrame | None = None
    without_listed: pd.DataFrame | None = None
    preferences: pd.DataFrame | None = None
