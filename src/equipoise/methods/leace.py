"""LEACE: least-squares concept erasure (Belrose et al. 2023, arXiv 2306.03819)."""

from __future__ import annotations

from typing import Any

from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.flow import LabelledStates
from equipoise.methods.erasure.least_squares import concept_by_part, fit_eraser
from equipoise.methods.erasure.method import Erasure
from equipoise.methods.erasure.sentences import FIT, STOP, SUBJECT
from equipoise.methods.erasure.words import subject_shares
from equipoise.model.projection import Projection
from equipoise.task.task import Task


class LEACESettings(ErasureSettings):
    """Settings of LEACE: those of erasure, and how covariances are estimated.

    Attributes:
        affine: Project around the mean state, which then stays what it is, as in the paper; not
            around zero.
        shrinkage: Estimate the covariance of the states with shrinkage.
        subjects: Erase the shares of the task's train subjects along its axis as well. The words
            of a pair say what gender is, say; what the model thinks of an occupation need not lie
            in the same directions.
    """

    affine: bool = True
    shrinkage: bool = True
    subjects: bool = False


class LEACE(Erasure[LEACESettings]):
    """The smallest change after which no linear classifier tells the poles of the axis apart."""

    name = "leace"
    summary = "the task's axis made linearly unreadable in hidden states, with the smallest change"
    settings_model = LEACESettings

    def subjects(self, task: Task) -> list[tuple[str, float]]:
        """See ``Erasure.subjects``."""
        return subject_shares(task) if self.settings.subjects else []

    def fit_projection(self, states: LabelledStates) -> tuple[Projection | None, dict[str, Any]]:
        """See ``Erasure.fit_projection``: closed form, on all words but those to probe with."""
        seen = states.of(FIT, STOP, SUBJECT)
        projection = fit_eraser(
            seen.states,
            concept_by_part(seen.values, seen.parts),
            affine=self.settings.affine,
            shrinkage=self.settings.shrinkage,
        )
        return (projection if projection.rank else None), {}
