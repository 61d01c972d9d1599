"""INLP: iterative nullspace projection (Ravfogel et al. 2020, arXiv 2004.07667).

Unlike the protocol's code, which took states after the final norm and projected before it, every
projection here is fitted on the very states that it is applied to.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.flow import LabelledStates
from equipoise.methods.erasure.method import Erasure
from equipoise.methods.erasure.nullspace import StoppingRule, find_nullspace, nullspace_projection
from equipoise.methods.erasure.probe import Classifier
from equipoise.methods.erasure.sentences import FIT, STOP
from equipoise.model.projection import Projection


class INLPSettings(ErasureSettings):
    """Settings of INLP: those of erasure, its classifier, and when it stops.

    Attributes:
        classifier: ``logistic`` regression, or a linear support vector machine (``svm``).
        strength: Inverse of its regularisation, on states of mean squared length 1.
        max_directions: Most directions projected out at a site.
        margin: No further direction is looked for at a site once a classifier, on words that it
            was not trained on, is right no more than this above chance (0-1).
    """

    classifier: Classifier = "logistic"
    strength: Annotated[float, Field(gt=0)] = 1.0
    max_directions: Annotated[int, Field(ge=1)] = 8
    margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.05


class INLP(Erasure[INLPSettings]):
    """Directions by which classifiers tell the poles apart are projected out, one by one."""

    name = "inlp"
    summary = "directions of the task's axis projected out of hidden states, found by classifiers"
    settings_model = INLPSettings

    def fit_projection(self, states: LabelledStates) -> tuple[Projection | None, dict[str, Any]]:
        """See ``Erasure.fit_projection``: classifiers learn on some words, others stop them."""
        settings, seen, others = self.settings, states.of(FIT), states.of(STOP)
        found = find_nullspace(
            seen.states,
            seen.labels,
            others.states,
            others.labels,
            StoppingRule(settings.max_directions, settings.margin),
            settings.classifier,
            settings.strength,
        )
        details = {"accuracies": list(found.accuracies), "stopped": found.stopped}
        if not found.basis.shape[1]:
            return None, details
        mean = states.of(FIT, STOP).states.mean(axis=0)
        centre = mean if settings.affine else np.zeros_like(mean)
        return nullspace_projection(found.basis, centre), details
