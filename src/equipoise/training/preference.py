"""Preference pairs as objectives: two sequences an example, with a reference policy or without."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence, sequence_log_probabilities
from equipoise.model.scoring import log_probabilities
from equipoise.task.preference_file import TextPair
from equipoise.training.losses import (
    RatioLoss,
    log_odds,
    odds_ratio_losses,
    preference_losses,
    simpo_losses,
)
from equipoise.training.objective import Loss, MicroBatch, Objective


@dataclass(frozen=True)
class PairExample:
    """A preference pair as tokens.

    Attributes:
        chosen: Context and better answer.
        rejected: Context and worse answer.
        reference: Log-probability of each under the reference policy, in nats.
    """

    chosen: TokenSequence
    rejected: TokenSequence
    reference: tuple[float, float] = (0.0, 0.0)


def pair_examples(lm: LanguageModel | ModelSize, pairs: Iterable[TextPair]) -> list[PairExample]:
    """``pairs`` as tokens of ``lm``; every answer ends with the end of the turn."""
    examples = []
    for pair in pairs:
        chosen = lm.answer(pair.prompt, pair.prefix, pair.chosen)
        examples.append(PairExample(chosen, lm.answer(pair.prompt, pair.prefix, pair.rejected)))
    return examples


def with_reference(lm: LanguageModel, examples: Sequence[PairExample]) -> list[PairExample]:
    """``examples`` with their log-probabilities under ``lm`` as it is: the reference policy.

    Computed once, on prefix trees, so that no second model is held while training.
    """
    sequences = [side for e in examples for side in (e.chosen, e.rejected)]
    scores = log_probabilities(lm, sequences).tolist()
    return [
        replace(example, reference=(scores[2 * i], scores[2 * i + 1]))
        for i, example in enumerate(examples)
    ]


@dataclass
class PairObjective(Objective[PairExample]):
    """A loss on pairs: the mean over all pairs of what `pair_losses` says of each.

    Metrics, all means over pairs: ``margin`` (difference of the two sides' implicit rewards),
    ``accuracy`` (share of pairs with a positive margin), ``chosen`` and ``rejected``
    (log-probability of the whole answer, in nats). Where there is a reference,
    ``chosen_change`` and ``rejected_change`` are those minus the reference's: where both fall,
    probability leaves both sides (likelihood displacement, arXiv 2410.08847).

    Attributes:
        sft_weight: Weight of an SFT term on the chosen answers, the mean over all their target
            tokens (RPO, Pang et al. 2024, arXiv 2404.19733); 0 for none.
        needs_reference: Whether the loss is about a reference policy.
    """

    unit: ClassVar[str] = "pairs"
    needs_reference: ClassVar[bool] = True

    sft_weight: float = field(default=0.0, kw_only=True)

    @classmethod
    def scorings(cls, passes: float) -> float:
        """Times that all examples are computed without gradients, in ``passes`` over them."""
        return 1.0 if cls.needs_reference else 0.0

    def refer(self, lm: LanguageModel, examples: Sequence[PairExample]) -> list[PairExample]:
        """``examples`` with what is needed of the reference policy, which ``lm`` as it is is."""
        return with_reference(lm, examples) if self.needs_reference else list(examples)

    @abstractmethod
    def pair_losses(self, sides: Sides, examples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """Losses [B], differentiable, and margins [B] of ``examples``."""

    def sequences(self, example: PairExample) -> tuple[TokenSequence, ...]:
        """See ``Objective``: chosen, then rejected."""
        return example.chosen, example.rejected

    def counts(self, examples: Sequence[PairExample]) -> tuple[int, ...]:
        """See ``Objective``: pairs, and target tokens of their chosen answers."""
        return len(examples), sum(len(e.chosen.tokens) - e.chosen.start for e in examples)

    def loss(self, model: Any, batch: MicroBatch[PairExample], counts: Sequence[float]) -> Loss:
        """See ``Objective``."""
        n_pairs, n_tokens = counts
        sides = Sides.of(sequence_log_probabilities(model, batch.tree), batch)
        losses, margin = self.pair_losses(sides, batch.examples)
        value = losses.sum() / n_pairs
        if self.sft_weight:
            value = value - self.sft_weight * sides.chosen.sum() / n_tokens
        metrics = {
            "margin": margin,
            "accuracy": (margin > 0).float(),
            "chosen": sides.chosen,
            "rejected": sides.rejected,
        }
        if self.needs_reference:
            metrics["chosen_change"], metrics["rejected_change"] = sides.ratios
        return Loss(value, {name: float(v.detach().sum()) / n_pairs for name, v in metrics.items()})


@dataclass(frozen=True)
class Sides:
    """Both sides of a batch of B pairs, in nats.

    Attributes:
        chosen: [B] log-probability of the chosen answers, differentiable.
        rejected: [B] that of the rejected ones.
        reference: [B, 2] both under the reference policy.
        lengths: [B] tokens of the chosen and of the rejected answers.
    """

    chosen: Tensor
    rejected: Tensor
    reference: Tensor
    lengths: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, answers: Tensor, batch: MicroBatch[PairExample]) -> Sides:
        """The sides of ``batch``, whose sequences have log-probabilities ``answers`` [2 B]."""
        reference = torch.tensor([e.reference for e in batch.examples], device=answers.device)
        lengths = batch.tree.lengths
        return cls(answers[0::2], answers[1::2], reference, (lengths[0::2], lengths[1::2]))

    @property
    def ratios(self) -> tuple[Tensor, Tensor]:
        """[B] each: ``log p - log p_ref`` of chosen and of rejected answers."""
        return self.chosen - self.reference[:, 0], self.rejected - self.reference[:, 1]

    @property
    def per_token(self) -> tuple[Tensor, Tensor]:
        """[B] each: log-probability a token."""
        return self.chosen / self.lengths[0], self.rejected / self.lengths[1]


@dataclass
class PreferenceObjective(PairObjective):
    """DPO, IPO or SLiC; the margin is beta times the difference of the log-ratios.

    Attributes:
        beta: See `preference_losses`.
        kind: Which loss.
        label_smoothing: See `preference_losses`.
    """

    beta: float = 0.1
    kind: RatioLoss = "sigmoid"
    label_smoothing: float = 0.0

    def pair_losses(self, sides: Sides, examples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """See ``PairObjective``."""
        up, down = sides.ratios
        losses = preference_losses(
            up, down, self.beta, self.kind, self.label_smoothing, sides.lengths
        )
        return losses, self.beta * (up - down)


@dataclass
class SimPO(PairObjective):
    """Log-probabilities a token as rewards, with a margin and no reference; see `simpo_losses`.

    Attributes:
        beta: Scale of the rewards.
        gamma: Margin that is wanted.
    """

    needs_reference: ClassVar[bool] = False

    beta: float
    gamma: float

    def pair_losses(self, sides: Sides, examples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """See ``PairObjective``."""
        up, down = sides.per_token
        return simpo_losses(up, down, self.beta, self.gamma), self.beta * (up - down)


@dataclass
class ORPO(PairObjective):
    """SFT on the chosen answers and the ratio of the odds; see `odds_ratio_losses`.

    The margin is the logarithm of that ratio. The SFT term has weight 1 unless said.

    Attributes:
        odds_weight: Weight of the odds ratio's loss: the paper's lambda.
    """

    needs_reference: ClassVar[bool] = False

    odds_weight: float
    sft_weight: float = field(default=1.0, kw_only=True)

    def pair_losses(self, sides: Sides, examples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """See ``PairObjective``."""
        up, down = sides.per_token
        return self.odds_weight * odds_ratio_losses(up, down), log_odds(up) - log_odds(down)
