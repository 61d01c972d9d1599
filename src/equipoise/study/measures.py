"""What models say of a study's completions: each sentence is judged once, and remembered.

The answers lie in ``measures/`` of the run, beside the question they answer: which model, which
task. A question that has changed is asked anew, cells that are added later ask only for what is not
known yet. The cells themselves need not be computed again for another judge.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.files.manifest import sha256
from equipoise.measures import ByModel
from equipoise.measures.by_model import agency_of_all, score_all
from equipoise.measures.judging import Context
from equipoise.measures.model_answers import BASE, INDEPENDENT, AgencyScores, FluencyScores
from equipoise.model.embedded import fetch
from equipoise.model.endpoint import is_endpoint
from equipoise.model.registry import EMBEDDED, model_digest, model_label
from equipoise.runs.identity import task_digest
from equipoise.runs.model_answers import keep_agency, keep_scores, known_agency, known_scores
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Specification

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel

FORMAT = 1
"""Raised when the meaning of stored answers changes; older ones are then asked for anew."""

KEY = ["subject", "text"]


def ask_models(
    specification: Specification,
    completions: pd.DataFrame,
    folder: Path,
    progress: StudyProgress,
    further: pd.DataFrame | None = None,
) -> ByModel:
    """What the models of the ``[measures]`` table say of ``completions``; loads what it must.

    Args:
        specification: Names the models and the task.
        completions: Completions frames of all cells.
        folder: Where answers are kept.
        progress: Shows how it goes.
        further: Other texts, in a column ``text``, of which agency alone is asked for.
    """
    measures = specification.measures
    fluency: dict[str, FluencyScores] = {}
    agency: AgencyScores | None = None
    reference = _reference(specification)
    if scores := judge_fluency(specification, BASE, completions, folder, progress, reference):
        fluency[BASE] = scores
    if measures.lac is not None:
        texts = pd.concat([frame["text"] for frame in (completions, further) if frame is not None])
        agency = _agency(reference, measures.lac, texts, folder, progress)
    reference.forget()
    if scores := judge_fluency(specification, INDEPENDENT, completions, folder, progress):
        fluency[INDEPENDENT] = scores
    return ByModel(fluency, agency)


def judge_fluency(
    specification: Specification,
    label: str,
    completions: pd.DataFrame,
    folder: Path,
    progress: StudyProgress,
    judge: _Judge | None = None,
) -> FluencyScores | None:
    """What one judge of the study thinks of all sentences; None where the study has none such.

    Args:
        specification: Names the judges.
        label: Which: `BASE`, after the prompt, or `INDEPENDENT`, as plain text.
        completions: Completions frames of all cells.
        folder: Where answers are kept.
        progress: Shows how it goes.
        judge: The reference model, where it may be loaded already.
    """
    measures = specification.measures
    if label == BASE:
        judge = judge or _reference(specification)
        if not measures.fluency or is_endpoint(judge.name):
            return None
        return _fluency(judge, BASE, "prompt", completions, folder, progress)
    if measures.independent_model is None:
        return None
    judge = _Judge(measures.independent_model, specification)
    return _fluency(judge, INDEPENDENT, "plain", completions, folder, progress)


def _reference(specification: Specification) -> _Judge:
    """The untuned model, or the one that the study names in its place."""
    name = specification.measures.reference_model or specification.study.model
    return _Judge(name, specification)


def fetch_judges(specification: Specification, progress: StudyProgress) -> None:
    """Fetch the embedded models that will judge, which may fail, before cells take hours.

    Raises:
        EquipoiseError: One cannot be had.
    """
    measures = specification.measures
    for name in (measures.reference_model, measures.independent_model):
        if name in EMBEDDED:
            with progress.paused():
                fetch(name, progress=not progress.quiet)


class _Judge:
    """A model that is loaded when it is first asked."""

    def __init__(self, name: str, specification: Specification) -> None:
        self.name, self.task, self._study = name, specification.task, specification.study
        self._lm: LanguageModel | None = None

    def identity(self) -> dict[str, Any]:
        """What decides its answers."""
        return {
            "format": FORMAT,
            "model": model_label(self.name),
            "model_sha256": model_digest(self.name),
            "task_sha256": task_digest(self.task),
        }

    def load(self, progress: StudyProgress) -> LanguageModel:
        """The model, weights in its compute type."""
        if self._lm is None:
            from equipoise.model.loading import load_model

            device, dtype = self._study.device, self._study.dtype
            with progress.paused():
                self._lm = load_model(
                    self.name, device=device, dtype=dtype, progress=not progress.quiet
                )
            self._lm.use_compute_type()
        return self._lm

    def forget(self) -> None:
        """Free its memory."""
        self._lm = None


def _fluency(
    judge: _Judge,
    label: str,
    context: Context,
    completions: pd.DataFrame,
    folder: Path,
    progress: StudyProgress,
) -> FluencyScores:
    """The scores of all sentences: those on the disk, and the missing ones."""
    question = {**judge.identity(), "context": context}
    known = known_scores(folder, label, question)
    wanted = completions[KEY].drop_duplicates()
    there = pd.MultiIndex.from_frame(known[KEY])
    missing = wanted[~pd.MultiIndex.from_frame(wanted).isin(there)]
    if len(missing):
        with progress.measuring(f"fluency under {model_label(judge.name)}", len(missing)):
            lm = judge.load(progress)
            scores = score_all(lm, missing, judge.task, context)
        known = pd.concat([known, scores], ignore_index=True) if len(known) else scores
        keep_scores(folder, label, question, known)
    return FluencyScores(model_label(judge.name), known)


def _agency(
    judge: _Judge, lac: str, texts: pd.Series[str], folder: Path, progress: StudyProgress
) -> AgencyScores:
    """The probability of agentic language of each text, by a classifier that is kept."""
    files = [sha256(Path(lac) / name) for name in ("train.csv", "validation.csv")]
    question = {**judge.identity(), "lac_sha256": files}
    classifier, known = known_agency(folder, question)
    missing = [text for text in texts.drop_duplicates() if text not in known]
    if missing or classifier is None:
        with progress.measuring("agency", len(missing)):
            classifier, said = agency_of_all(judge.load(progress), missing, lac, classifier)
        known |= said
        keep_agency(folder, question, classifier, known)
    return AgencyScores(known, classifier.accuracy, classifier.sentences)
