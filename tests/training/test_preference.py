"""The preference objective: its reference, its metrics, and its twin of one sequence a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.progress import listening
from equipoise.training.objective import TreeCollator
from equipoise.training.preference import PairExample, PreferenceObjective, with_reference
from equipoise.training.train import TrainingRecord, train
from equipoise.training.training_settings import TrainingSettings
from heard import Heard
from training.twins import difference, make_pairs, negative_log_likelihoods, same


def answer(model: Any, pair: PairExample) -> tuple[Tensor, Tensor]:
    """Log-probability of chosen and rejected, each a row by itself."""
    sides = (pair.chosen, pair.rejected)
    chosen, rejected = (-negative_log_likelihoods(model, side).sum() for side in sides)
    return chosen, rejected


def plain_loss(model: Any, pairs: list[PairExample], beta: float, weight: float) -> Tensor:
    """DPO with an SFT term as its papers write it."""
    losses, tokens = [], 0
    likelihood = torch.zeros(())
    for pair in pairs:
        chosen, rejected = answer(model, pair)
        margin = beta * ((chosen - pair.reference[0]) - (rejected - pair.reference[1]))
        losses.append(-torch.log(1 / (1 + torch.exp(-margin))))
        likelihood = likelihood + chosen
        tokens += len(pair.chosen.tokens) - pair.chosen.start
    return torch.stack(losses).mean() - weight * likelihood / tokens


def test_reference_is_the_log_probability_of_each_side(tiny_lm: LanguageModel) -> None:
    for pair in with_reference(tiny_lm, make_pairs(9)):
        expected = [value.item() for value in answer(tiny_lm.model, pair)]
        assert list(pair.reference) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.6])
def test_loss_and_gradients_equal_the_plain_path(
    fresh_tiny_lm: Callable[[], LanguageModel], weight: float
) -> None:
    fast, slow = fresh_tiny_lm().model, fresh_tiny_lm().model
    pairs = [
        PairExample(pair.chosen, pair.rejected, (-30.0 + i, -29.0))
        for i, pair in enumerate(make_pairs(5))
    ]
    objective = PreferenceObjective(beta=0.2, sft_weight=weight)
    found = objective.loss(
        fast, TreeCollator(objective, micro_batch=5).batch(pairs), objective.counts(pairs)
    )
    expected = plain_loss(slow, pairs, 0.2, weight)
    torch.testing.assert_close(found.value, expected, rtol=1e-5, atol=1e-6)
    found.value.backward()
    expected.backward()
    for one, other in zip(fast.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)


def test_metrics_by_hand(tiny_lm: LanguageModel) -> None:
    pairs = with_reference(tiny_lm, make_pairs(4))
    shifted = [  # log-ratios of 2 and -1 nats for three pairs, of -1 and 2 for the last
        PairExample(p.chosen, p.rejected, (p.reference[0] - up, p.reference[1] - down))
        for p, (up, down) in zip(pairs, [(2, -1)] * 3 + [(-1, 2)], strict=True)
    ]
    objective = PreferenceObjective(beta=0.5)
    batch = TreeCollator(objective, micro_batch=4).batch(shifted)
    with torch.no_grad():
        loss = objective.loss(tiny_lm.model, batch, objective.counts(shifted))
    assert loss.metrics["accuracy"] == 0.75
    assert loss.metrics["margin"] == pytest.approx(0.5 * (3 * 3 - 3) / 4, abs=1e-4)
    assert loss.metrics["chosen_change"] == pytest.approx((3 * 2 - 1) / 4, abs=1e-4)
    assert loss.metrics["rejected_change"] == pytest.approx((-3 + 2) / 4, abs=1e-4)
    assert loss.metrics["chosen"] == pytest.approx(sum(p.reference[0] for p in pairs) / 4, rel=1e-4)
    win, lose = 1 / (1 + math.exp(-1.5)), 1 / (1 + math.exp(1.5))
    assert float(loss.value) == pytest.approx(-(3 * math.log(win) + math.log(lose)) / 4, rel=1e-4)


Trained = tuple[dict[str, Tensor], TrainingRecord, list[str]]


def trained(
    lm: LanguageModel, pairs: list[PairExample], folder: Path, **settings: object
) -> Trained:
    ear = Heard()
    with listening(ear):
        record = train(
            lm,
            pairs,
            pairs[:3],
            TrainingSettings(**{"learning_rate": 1e-3, "max_steps": 4, **settings}),  # type: ignore[arg-type]
            1,
            objective=PreferenceObjective(beta=0.3, sft_weight=0.5),
            checkpoints=folder / "checkpoints",
            logs=folder / "logs",
        )
    return {k: v.clone() for k, v in lm.model.state_dict().items()}, record, ear.said


def test_micro_batches_make_no_difference(
    fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    """Batch 4 x accumulation 4 is batch 16, although SFT terms are means over tokens."""
    pairs = with_reference(fresh_tiny_lm(), make_pairs(37))
    runs = [
        trained(fresh_tiny_lm(), pairs, tmp_path / str(size), batch_size=size, grad_accum_steps=n)
        for size, n in ((16, 1), (4, 4), (1, 16))
    ]
    start = fresh_tiny_lm().model.state_dict()
    assert difference(start, runs[0][0]) > 0.1
    for weights, record, _ in runs[1:]:
        for name in weights:
            torch.testing.assert_close(weights[name], runs[0][0][name], rtol=0, atol=5e-6)
        assert record.train_loss == pytest.approx(runs[0][1].train_loss, rel=1e-5)


def test_same_seed_same_bytes(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> None:
    pairs = with_reference(fresh_tiny_lm(), make_pairs(20))
    first, second = (trained(fresh_tiny_lm(), pairs, tmp_path / name) for name in ("a", "b"))
    assert same(first[0], second[0])
    assert [r for r in first[1].history if "margin" in r] == [
        r for r in second[1].history if "margin" in r
    ]


def test_learning_is_logged(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> None:
    """Step by step in the record and in TensorBoard, where displacement would be seen."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    pairs = with_reference(fresh_tiny_lm(), make_pairs(16))
    _, record, _ = trained(fresh_tiny_lm(), pairs, tmp_path, max_steps=12)
    rows = [row for row in record.history if "loss" in row]
    assert len(rows) == 12
    assert rows[0]["margin"] == pytest.approx(0, abs=1e-4), "the policy starts as the reference"
    assert rows[0]["chosen_change"] == pytest.approx(0, abs=1e-4)
    assert rows[-1]["margin"] > rows[0]["margin"] + 0.5
    for row in rows:
        change = row["chosen_change"] - row["rejected_change"]
        assert row["margin"] == pytest.approx(0.3 * change, abs=1e-4)
    assert "eval_accuracy" in [*record.history[-1], *record.history[-2]]
    events = EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    for name in ("margin", "accuracy", "chosen", "rejected"):
        assert len(events.Scalars(f"train/{name}")) == 12


def test_memory_runs_out(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> None:
    pairs = with_reference(fresh_tiny_lm(), make_pairs(16))
    options = {"batch_size": 16, "grad_accum_steps": 1}
    expected, _, _ = trained(fresh_tiny_lm(), pairs, tmp_path / "a", **options)
    lm = fresh_tiny_lm()

    def check(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if int(((kwargs["input_ids"] == 100) | (kwargs["input_ids"] == 101)).sum()) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    lm.model.register_forward_pre_hook(check, with_kwargs=True)
    found, _, said = trained(lm, pairs, tmp_path / "b", **options)
    assert said == [
        "Out of memory with 16 pairs at a time: going on with at most 8; the effective batch "
        "stays the same."
    ]
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=5e-6)
