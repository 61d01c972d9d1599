"""What models say of anybody's completions: how fluent they are, and how agentic.

Torch and the models are loaded when a model is asked, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from equipoise.measures.model_answers import (
    BASE,
    INDEPENDENT,
    AgencyScores,
    ByModel,
    FluencyScores,
)
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.measures.agency_classifier import AgencyClassifier
    from equipoise.measures.judging import Context
    from equipoise.model.language_model import LanguageModel


def ask_models(
    completions: pd.DataFrame,
    task: Task,
    *,
    reference_model: str | None = None,
    independent_model: str | None = None,
    lac: str | Path | None = None,
) -> ByModel:
    """Fluency under one or two models, and agency, of all completions; nothing is loaded unasked.

    Args:
        completions: A completions frame.
        task: Gives the prompt that the reference model reads first.
        reference_model: The untuned model of the comparison, which judges fluency after the task's
            neutral prompt, and from whose states agency is read (by default the embedded model).
        independent_model: A model of another family, which judges fluency as plain text.
        lac: Folder of the LAC data, for agency.

    Raises:
        EquipoiseError: A model or the LAC data cannot be had; both are checked first.
    """
    if reference_model is None and independent_model is None and lac is None:
        return ByModel()
    from equipoise.measures.agency_classifier import check_lac
    from equipoise.model.loading import load_model
    from equipoise.model.registry import DEFAULT_MODEL, check_model_name

    for name, field in (
        (reference_model, "reference_model"),
        (independent_model, "independent_model"),
    ):
        if name is not None:
            check_model_name(name, field=field)
    if lac is not None:
        check_lac(lac)
    fluency: dict[str, FluencyScores] = {}
    agency: AgencyScores | None = None
    if reference_model is not None or lac is not None:
        lm = load_model(reference_model or DEFAULT_MODEL, progress=False)
        lm.use_compute_type()
        if reference_model is not None:
            scores = score_all(lm, completions, task, "prompt")
            fluency[BASE] = FluencyScores(lm.name, scores)
        if lac is not None:
            texts = completions["text"].drop_duplicates().tolist()
            classifier, values = agency_of_all(lm, texts, lac)
            agency = AgencyScores(values, classifier.accuracy, classifier.sentences)
        del lm
    if independent_model is not None:
        lm = load_model(independent_model, progress=False)
        lm.use_compute_type()
        scores = score_all(lm, completions, task, "plain")
        fluency[INDEPENDENT] = FluencyScores(lm.name, scores)
    return ByModel(fluency, agency)


def score_all(
    lm: LanguageModel,
    completions: pd.DataFrame,
    task: Task,
    context: Context,
) -> pd.DataFrame:
    """``score_fluency`` of each distinct sentence about a subject."""
    from equipoise.measures.judging import score_fluency

    distinct = completions[["subject", "text"]].drop_duplicates()
    pairs = list(distinct.itertuples(index=False, name=None))
    return score_fluency(lm, task, pairs, context)


def agency_of_all(
    lm: LanguageModel,
    texts: Sequence[str],
    lac: str | Path,
    classifier: AgencyClassifier | None = None,
) -> tuple[AgencyClassifier, dict[str, float]]:
    """For each of ``texts`` the probability that its language is agentic, to six decimals.

    Args:
        lm: The base model, untuned.
        texts: Each should stand there once.
        lac: Folder of the LAC data.
        classifier: One that was learnt from it before; by default it is learnt now.

    Returns:
        The classifier, and what it says: NaN of texts that are empty or of one token.
    """
    from equipoise.measures.agency_classifier import sentence_states, train_classifier

    if classifier is None:
        classifier = train_classifier(lm, lac)
    states = sentence_states(lm, texts, classifier.layers, "agency")
    return classifier, dict(zip(texts, classifier(states).round(6).tolist(), strict=True))
