"""Policy optimisation as an objective: completions with advantages, clipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from equipoise.model.prefix_tree import TokenSequence, sequence_log_probabilities
from equipoise.training.losses import clipped_policy_losses
from equipoise.training.objective import Loss, MicroBatch, Objective


@dataclass(frozen=True)
class Rollout:
    """One completion drawn from the policy, and what came of it.

    Attributes:
        sequence: Context and the tokens drawn.
        old: Its log-probability under the policy that drew it, in nats.
        reference: The same under the reference policy.
        reward: Without the KL penalty.
        advantage: What its reward, KL penalty included, is above that of its siblings.
        balanced: Whether the constraint's terms are as wanted.
    """

    sequence: TokenSequence
    old: float
    reference: float
    reward: float
    advantage: float
    balanced: bool

    @property
    def tokens(self) -> int:
        """Number of tokens drawn."""
        return len(self.sequence.tokens) - self.sequence.start


Collect = Callable[[Any, int], list[Rollout]]
"""Draws the rollouts of an iteration (its number, from 0) from a model."""


@dataclass
class PolicyObjective(Objective[Rollout]):
    """Clipped policy gradient on fresh rollouts, see `clipped_policy_losses`.

    Metrics, all of the rollouts when they were drawn: ``reward``, ``kl`` (to the reference policy,
    nats a completion: mean of log p - log p_ref), ``entropy`` (nats a token: mean of -log p of the
    tokens drawn), ``length`` (tokens), ``balanced`` (rate); and ``clipped``, the share of
    completions whose ratio has left the clipping range.

    Attributes:
        collect: Draws rollouts.
        updates: Updates made on the same rollouts.
        clip: See `clipped_policy_losses`.
    """

    unit: ClassVar[str] = "completions"

    collect: Collect
    updates: int = 1
    clip: float = 0.2
    _rollouts: list[Rollout] = field(default_factory=list, init=False, repr=False)

    def prepare(self, examples: Sequence[Any], model: Any, step: int) -> Sequence[Rollout]:
        """See ``Objective``: new rollouts every ``updates`` updates."""
        if step % self.updates == 0 or not self._rollouts:
            self._rollouts = self.collect(model, step // self.updates)
        return self._rollouts

    def sequences(self, example: Rollout) -> tuple[TokenSequence, ...]:
        """See ``Objective``: a rollout is one sequence."""
        return (example.sequence,)

    def counts(self, examples: Sequence[Rollout]) -> tuple[int, ...]:
        """See ``Objective``: completions, and their tokens."""
        return len(examples), sum(rollout.tokens for rollout in examples)

    def loss(self, model: Any, batch: MicroBatch[Rollout], counts: Sequence[float]) -> Loss:
        """See ``Objective``."""
        n, n_tokens = counts
        now = sequence_log_probabilities(model, batch.tree)
        old = torch.tensor([r.old for r in batch.examples], device=now.device)
        advantages = torch.tensor([r.advantage for r in batch.examples], device=now.device)
        losses = clipped_policy_losses(now, old, advantages, self.clip)
        ratios = torch.exp(now.detach() - old)
        rollouts = batch.examples
        metrics = {
            "reward": sum(r.reward for r in rollouts) / n,
            "kl": sum(r.old - r.reference for r in rollouts) / n,
            "entropy": -sum(r.old for r in rollouts) / n_tokens,
            "length": sum(r.tokens for r in rollouts) / n,
            "balanced": sum(r.balanced for r in rollouts) / n,
            "clipped": float(((ratios - 1).abs() > self.clip).sum()) / n,
        }
        return Loss(losses.sum() / n, metrics)
