"""KTO as an objective: each side of a pair is good or bad by itself.

What an answer's log-ratio is compared with is the same for a whole update: an estimate of how far
the policy is from the reference, made of answers to other questions (mismatched pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import log_probabilities
from equipoise.training.losses import kto_losses
from equipoise.training.preference import PairExample, PairObjective, Sides, with_reference
from equipoise.training.processes import mean_over_processes


@dataclass(frozen=True, kw_only=True)
class UnpairedExample(PairExample):
    """A desirable and an undesirable answer, and both of another example after this one's context.

    Attributes:
        mismatched: The answers of another example after this one's context.
        mismatched_reference: Mean of their log-probabilities under the reference policy, in nats.
        kl: Reference point of the update that the example is in, see `kto_losses`.
    """

    mismatched: tuple[TokenSequence, TokenSequence]
    mismatched_reference: float
    kl: float = 0.0


def unpaired_examples(lm: LanguageModel, examples: Sequence[PairExample]) -> list[UnpairedExample]:
    """``examples``, each with the answers of the one before; the first with those of the last.

    ``lm`` as it is is the reference.
    """
    others = [
        (_after(one.chosen, other.chosen), _after(one.rejected, other.rejected))
        for one, other in zip(examples, [*examples[-1:], *examples[:-1]], strict=True)
    ]
    scores = log_probabilities(lm, [side for sides in others for side in sides])
    return [
        UnpairedExample(
            example.chosen,
            example.rejected,
            example.reference,
            mismatched=sides,
            mismatched_reference=mean,
        )
        for example, sides, mean in zip(
            examples, others, scores.reshape(len(others), 2).mean(1).tolist(), strict=True
        )
    ]


def _after(one: TokenSequence, other: TokenSequence) -> TokenSequence:
    """The answer of ``other`` after the context of ``one``."""
    return TokenSequence((*one.tokens[: one.start], *other.tokens[other.start :]), one.start)


Scorer = Callable[[Any, Sequence[TokenSequence]], Tensor]
"""Log-probabilities [B] of sequences under a model in training, without gradients."""


def scorer(lm: LanguageModel) -> Scorer:
    """What scores with the model that ``lm`` becomes in training."""
    return lambda model, sequences: log_probabilities(replace(lm, model=model), sequences)


@dataclass
class KTO(PairObjective):
    """Kahneman–Tversky optimisation; see `kto_losses`.

    The loss of a pair is the mean of its two answers' losses, so that the whole is a mean over
    answers. The margin is beta times the difference of the log-ratios.

    Attributes:
        beta: See `kto_losses`.
        desirable_weight: Of the chosen answers.
        undesirable_weight: Of the rejected answers.
        score: Finds how likely mismatched answers have become.
    """

    beta: float
    desirable_weight: float
    undesirable_weight: float
    score: Scorer

    @classmethod
    def scorings(cls, passes: float) -> float:
        """See ``PairObjective``: two references, and the mismatched answers in every update."""
        return 2 + passes

    def refer(self, lm: LanguageModel, examples: Sequence[PairExample]) -> list[PairExample]:
        """See ``PairObjective``."""
        return list(unpaired_examples(lm, with_reference(lm, examples)))

    def prepare(self, examples: Sequence[Any], model: Any, step: int) -> Sequence[UnpairedExample]:
        """See ``Objective``: the reference point of the update, over all devices, is found.

        It is the mean log-ratio of the mismatched answers, and at least 0 (section 4.1).
        """
        now = self.score(model, [s for e in examples for s in e.mismatched])
        before = torch.tensor([e.mismatched_reference for e in examples])
        kl = max(0.0, mean_over_processes(float(now.mean() - before.mean())))
        return [replace(example, kl=kl) for example in examples]

    def pair_losses(self, sides: Sides, examples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """See ``PairObjective``."""
        up, down = sides.ratios
        desirable = torch.tensor([True, False], device=up.device)
        weights = self.desirable_weight, self.undesirable_weight
        ratios = torch.stack([up, down], 1)
        losses = kto_losses(ratios, desirable, self.beta, examples[0].kl, weights)
        return losses.mean(1), self.beta * (up - down)
