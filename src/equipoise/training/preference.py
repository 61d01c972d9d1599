"""Direct preference optimisation (DPO) as an objective: two sequences an example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence, sequence_log_probabilities
from equipoise.model.scoring import log_probabilities
from equipoise.task.preference_file import TextPair
from equipoise.training.losses import PreferenceLoss, preference_losses
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
class PreferenceObjective(Objective[PairExample]):
    """DPO, IPO or SLiC on pairs, with an SFT term on the chosen answers where its weight says so.

    The loss is the mean over pairs, and for the SFT term the mean over all target tokens of the
    chosen answers (RPO, Pang et al. 2024, arXiv 2404.19733). Metrics, all means over pairs:
    ``margin`` (beta times the difference of log-ratios; the implicit reward), ``accuracy`` (share
    of pairs with a positive margin), ``chosen`` and ``rejected`` (log-probability of the whole
    answer, in nats), ``chosen_change`` and ``rejected_change`` (those minus the reference's): where
    both fall, probability leaves both sides (likelihood displacement, arXiv 2410.08847).

    Attributes:
        beta: See `preference_losses`.
        kind: Which loss.
        label_smoothing: See `preference_losses`.
        sft_weight: Weight of the SFT term; 0 for none.
    """

    unit: ClassVar[str] = "pairs"

    beta: float = 0.1
    kind: PreferenceLoss = "sigmoid"
    label_smoothing: float = 0.0
    sft_weight: float = 0.0

    def sequences(self, example: PairExample) -> tuple[TokenSequence, ...]:
        """See ``Objective``: chosen, then rejected."""
        return example.chosen, example.rejected

    def counts(self, examples: Sequence[PairExample]) -> tuple[int, ...]:
        """See ``Objective``: pairs, and target tokens of their chosen answers."""
        return len(examples), sum(len(e.chosen.tokens) - e.chosen.start for e in examples)

    def loss(self, model: Any, batch: MicroBatch[PairExample], counts: Sequence[float]) -> Loss:
        """See ``Objective``."""
        n_pairs, n_tokens = counts
        answers = sequence_log_probabilities(model, batch.tree)
        reference = torch.tensor([e.reference for e in batch.examples], device=answers.device)
        chosen, rejected = answers[0::2], answers[1::2]
        up, down = chosen - reference[:, 0], rejected - reference[:, 1]
        lengths = batch.tree.lengths
        losses = preference_losses(
            up, down, self.beta, self.kind, self.label_smoothing, (lengths[0::2], lengths[1::2])
        )
        value = losses.sum() / n_pairs
        if self.sft_weight:
            value = value - self.sft_weight * chosen.sum() / n_tokens
        margin = (self.beta * (up - down)).detach()
        metrics = {
            "margin": margin,
            "accuracy": (margin > 0).float(),
            "chosen": chosen.detach(),
            "rejected": rejected.detach(),
            "chosen_change": up.detach(),
            "rejected_change": down.detach(),
        }
        return Loss(value, {name: float(v.sum()) / n_pairs for name, v in metrics.items()})
