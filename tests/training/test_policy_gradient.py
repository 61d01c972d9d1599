"""The policy objective: when rollouts are drawn, its gradient, and what it logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import log_probabilities
from equipoise.training.checkpoint import CheckpointClock
from equipoise.training.drawing_copy import DrawingCopy
from equipoise.training.lora import add_adapters
from equipoise.training.objective import TreeCollator
from equipoise.training.policy_gradient import PolicyObjective, Rollout
from equipoise.training.train import train
from equipoise.training.training_settings import TrainingSettings
from training.twins import make_examples, negative_log_likelihoods


def rollouts(lm: LanguageModel, sequences: list[TokenSequence]) -> list[Rollout]:
    """Rollouts drawn just now, with rewards 0, 1, 2, ... and advantages -2, 1, -2, 1, ..."""
    old = log_probabilities(lm, sequences).tolist()
    return [
        Rollout(s, old[i], old[i] - 0.5, float(i), -2.0 if i % 2 == 0 else 1.0, i == 0)
        for i, s in enumerate(sequences)
    ]


def test_on_policy_it_is_reinforce(fresh_tiny_lm: Callable[[], LanguageModel]) -> None:
    """With ratios of 1 the gradient is that of the mean of -A log p, one completion a row."""
    lm, plain = fresh_tiny_lm(), fresh_tiny_lm().model
    drawn = rollouts(lm, make_examples(6))
    objective = PolicyObjective(lambda model, iteration: drawn)
    batch = TreeCollator(objective, micro_batch=6).batch(drawn)
    objective.loss(lm.model, batch, objective.counts(drawn)).value.backward()
    surrogate = torch.stack(
        [r.advantage * negative_log_likelihoods(plain, r.sequence).sum() for r in drawn]
    ).mean()
    surrogate.backward()
    for one, other in zip(lm.model.parameters(), plain.parameters(), strict=True):
        assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()


def test_metrics_by_hand(tiny_lm: LanguageModel) -> None:
    drawn = rollouts(tiny_lm, make_examples(4))
    tokens = sum(len(r.sequence.tokens) - r.sequence.start for r in drawn)
    objective = PolicyObjective(lambda model, iteration: drawn)
    parts = TreeCollator(objective, micro_batch=3).pack(drawn)
    with torch.no_grad():
        losses = [objective.loss(tiny_lm.model, p, objective.counts(drawn)) for p in parts]
    total = {name: sum(loss.metrics[name] for loss in losses) for name in losses[0].metrics}
    assert total["reward"] == pytest.approx((0 + 1 + 2 + 3) / 4)
    assert total["kl"] == pytest.approx(0.5, abs=1e-5)
    assert total["length"] == tokens / 4
    assert total["balanced"] == 0.25
    assert total["entropy"] == pytest.approx(-sum(r.old for r in drawn) / tokens)
    assert total["clipped"] == 0


def test_rollouts_are_drawn_once_for_several_updates(
    fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    """Two updates an iteration: the second is off the policy, and clipped where it must be."""
    lm = fresh_tiny_lm()
    asked: list[int] = []

    def collect(model: Any, iteration: int) -> list[Rollout]:
        asked.append(iteration)
        return rollouts(lm, make_examples(8, seed=iteration))

    objective = PolicyObjective(collect, updates=2, clip=0.01)
    record = train(
        lm,
        [0, 1],
        [],
        TrainingSettings(learning_rate=1e-3, max_steps=6, warmup_ratio=0.0),
        1,
        objective=objective,
        update_size=2,
        clock=CheckpointClock(5, every=2),
        checkpoints=tmp_path / "checkpoints",
        logs=tmp_path / "logs",
    )
    assert asked == [0, 1, 2]
    clipped = [row["clipped"] for row in record.history if "clipped" in row]
    assert clipped[0::2] == [0, 0, 0]
    assert all(share > 0 for share in clipped[1::2])


@pytest.mark.parametrize("adapters", [False, True])
def test_the_drawing_copy_follows_the_model(
    fresh_tiny_lm: Callable[[], LanguageModel], adapters: bool
) -> None:
    """In bfloat16, with adapters merged: as near to the model as its type allows."""
    lm = fresh_tiny_lm()
    lm.dtype = torch.bfloat16
    copies = DrawingCopy(lm, adapters=adapters)
    model: Any = add_adapters(lm.model, TrainingSettings(lora=True)) if adapters else lm.model
    tokens = torch.tensor([make_examples(1)[0].tokens])
    before = copies.of(model).model(tokens).logits.float()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05)
        expected = model(tokens).logits
    drawn = copies.of(model)
    assert drawn.model.dtype == torch.bfloat16
    found = drawn.model(tokens).logits.float()
    off, moved = (found - expected).norm(), (before - expected).norm()
    assert moved > 0.2
    assert off < 0.2 * moved
    # The model that learns is as it was: it can be trained on.
    assert any(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())


def test_weights_in_the_compute_type_are_not_copied(tiny_lm: LanguageModel) -> None:
    assert DrawingCopy(tiny_lm, adapters=False).of(tiny_lm.model).model is tiny_lm.model
