"""What models say of anybody's completions: how fluent they are, and how agentic.

Torch and the models are loaded when a model is asked, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from equipoise.evaluation.fluency_table import FluencyScores
from equipoise.evaluation.overview import BASE, INDEPENDENT
from equipoise.evaluation.result import ByModel
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.evaluation.fluency import Context
    from equipoise.model.language_model import LanguageModel

OnProgress = Callable[[str, int, int], None]


def _silent(stage: str, done: int, total: int) -> None:
    """For callers that show nothing."""


def ask_models(
    completions: pd.DataFrame,
    task: Task,
    *,
    reference_model: str | None = None,
    independent_model: str | None = None,
    lac: str | Path | None = None,
    on_progress: OnProgress = _silent,
) -> ByModel:
    """Fluency under one or two models, and agency, of all completions.

    Args:
        completions: A completions frame.
        task: Gives the prompt that the reference model reads first.
        reference_model: The untuned model of the comparison, which judges fluency after the task's
            neutral prompt, and from whose states agency is read (by default the embedded model).
        independent_model: A model of another family, which judges fluency as plain text.
        lac: Folder of the LAC data, for agency.
        on_progress: Receives what is being done, how much of it is done, and how much it is.

    Raises:
        EquipoiseError: A model or the LAC data cannot be had; both are checked first.
    """
    from equipoise.evaluation.agency import check_lac
    from equipoise.model.language_model import load_model
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
    agency: Mapping[str, float] | None = None
    if reference_model is not None or lac is not None:
        lm = load_model(reference_model or DEFAULT_MODEL, progress=False)
        lm.use_compute_type()
        if reference_model is not None:
            scores = score_all(lm, completions, task, "prompt", on_progress)
            fluency[BASE] = FluencyScores(lm.name, scores)
        if lac is not None:
            agency = agency_of_all(lm, completions, lac, on_progress)
        del lm
    if independent_model is not None:
        lm = load_model(independent_model, progress=False)
        lm.use_compute_type()
        scores = score_all(lm, completions, task, "plain", on_progress)
        fluency[INDEPENDENT] = FluencyScores(lm.name, scores)
    return ByModel(fluency, agency)


def score_all(
    lm: LanguageModel,
    completions: pd.DataFrame,
    task: Task,
    context: Context,
    on_progress: OnProgress = _silent,
) -> pd.DataFrame:
    """``score_fluency`` of each distinct sentence about a subject."""
    from equipoise.evaluation.fluency import score_fluency

    distinct = completions[["subject", "text"]].drop_duplicates()
    pairs = list(distinct.itertuples(index=False, name=None))
    done = 0

    def on_scored(count: int) -> None:
        nonlocal done
        done += count
        on_progress(f"fluency under {lm.name}", done, len(pairs))

    return score_fluency(lm, task, pairs, context, on_scored)


def agency_of_all(
    lm: LanguageModel,
    completions: pd.DataFrame,
    lac: str | Path,
    on_progress: OnProgress = _silent,
) -> dict[str, float]:
    """For each distinct text the probability that its language is agentic."""
    from equipoise.evaluation.agency import sentence_states, train_classifier

    classifier = train_classifier(lm, lac, lambda done, n: on_progress("reading LAC", done, n))
    texts = completions["text"].drop_duplicates().tolist()
    states = sentence_states(
        lm, texts, classifier.layers, lambda done, n: on_progress("agency", done, n)
    )
    return dict(zip(texts, classifier(states).tolist(), strict=True))
