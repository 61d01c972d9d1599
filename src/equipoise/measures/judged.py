"""What models have said of completions, and its columns beside each completion's own judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from equipoise.measures.fluency_table import FluencyScores, log_probability_per_token
from equipoise.measures.overview import BASE, INDEPENDENT

SCORES = (f"log_probability_{BASE}", f"log_probability_{INDEPENDENT}", "agency")
"""Columns that ``with_scores`` adds: the scores on which methods are compared."""


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
        fluency: Scores of all sentences by each judge; see ``fluency_table``.
        agency: Of all texts, if it was asked for.
        associations: ``association_table`` of each cell, with ``method`` and ``seed``, if the
            models that made the completions are at hand.
        own: What tuned models say of their own sentences, likewise; see ``divergence_table``.
    """

    fluency: Mapping[str, FluencyScores] = field(default_factory=dict)
    agency: AgencyScores | None = None
    associations: pd.DataFrame | None = None
    own: pd.DataFrame | None = None


def with_scores(scored: pd.DataFrame, by_model: ByModel) -> pd.DataFrame:
    """``scored`` with a column for each score that was asked for, one row per completion.

    - ``log_probability_base``, ``log_probability_independent``: per token of the judged sentence,
      in nats, at most 0, by either judge; missing where nothing follows the prefix.
    - ``agency``: probability that the language is agentic, 0-1; missing where the text is empty or
      of one token.

    Raises:
        EquipoiseError: A judge has not scored all of the texts.
    """
    columns = {
        f"log_probability_{judge}": log_probability_per_token(scored, judge, said)
        for judge, said in by_model.fluency.items()
    }
    if by_model.agency is not None:
        columns["agency"] = scored["text"].map(by_model.agency.values).astype("float64")
    return scored.assign(**columns) if columns else scored


def agency_remarks(scored: pd.DataFrame, agency: AgencyScores) -> list[str]:
    """How good the classifier of agency is, and how many completions it says nothing of.

    Args:
        scored: What ``with_scores`` returned.
        agency: What the classifier said.
    """
    found = [
        f"Language agency: its classifier is right on {100 * agency.accuracy:.1f} % of LAC's "
        f"{agency.sentences:,} validation sentences."
    ]
    if missing := int(scored["agency"].isna().sum()):
        found.append(
            f"Texts that are empty or of one token, without an agency: {missing:,} of "
            f"{len(scored):,}."
        )
    return found
