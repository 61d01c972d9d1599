"""Which objective a loss on preference pairs is."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.model.language_model import LanguageModel
from equipoise.training.losses import PreferenceLoss
from equipoise.training.preference import ORPO, PairObjective, PreferenceObjective, SimPO
from equipoise.training.unpaired import KTO, scorer

OBJECTIVES: Mapping[PreferenceLoss, type[PairObjective]] = {
    "sigmoid": PreferenceObjective,
    "ipo": PreferenceObjective,
    "hinge": PreferenceObjective,
    "simpo": SimPO,
    "orpo": ORPO,
    "kto": KTO,
}


def preference_objective(
    loss: PreferenceLoss, settings: Mapping[str, float], lm: LanguageModel
) -> PairObjective:
    """The objective of ``loss`` for training ``lm``.

    Args:
        loss: Its name.
        settings: All that the loss has, by the names of the objective's attributes.
        lm: The model before training.
    """
    kind = OBJECTIVES[loss]
    if kind is PreferenceObjective:
        return PreferenceObjective(kind=loss, **settings)  # type: ignore[arg-type]
    if kind is KTO:
        return KTO(score=scorer(lm), **settings)
    return kind(**settings)
