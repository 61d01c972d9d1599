from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from training.runs import Run, Weights
from training.twins import (
    difference,
    make_examples,
    negative_log_likelihoods,
    same,
    train_by_hand,
)


def test_training_is_what_a_loop_by_hand_does(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], start: Weights
) -> None:
    examples = make_examples(16)
    trained = run(examples, epochs=4, batch_size=4, grad_accum_steps=4, warmup_ratio=0.5)
    # 4 updates, each of all 16 examples. Warm-up over 2: rates 0, 1/2, then down: 1, 1/2.
    rates = [0.0, 5e-4, 1e-3, 5e-4]
    batch = [examples[i : i + 4] for i in range(0, 16, 4)]
    expected = train_by_hand(fresh_tiny_lm().model, [batch] * 4, rates, weight_decay=0.01)
    moved = difference(start, expected)
    assert moved > 0.1
    assert difference(trained, expected) < 1e-4 * moved
    # The control: the two differ in what is averaged, and that the test would notice.
    batch = [sorted(examples, key=lambda e: len(e.tokens))[i : i + 4] for i in range(0, 16, 4)]
    naive = train_by_hand(
        fresh_tiny_lm().model, [batch] * 4, rates, weight_decay=0.01, mean_of_means=True
    )
    assert difference(naive, expected) > 0.05 * moved


@pytest.mark.parametrize("n_examples", [32, 37], ids=["whole batches", "incomplete last batch"])
def test_only_the_effective_batch_matters(run: Run, start: Weights, n_examples: int) -> None:
    examples = make_examples(n_examples)
    # Gradients are not cut to a norm, which would hide a wrong scale.
    options = {"epochs": 2, "max_grad_norm": 1e6}
    one = run(examples, batch_size=16, grad_accum_steps=1, **options)
    assert run.record is not None
    assert run.record.steps == 2 * math.ceil(n_examples / 16)
    moved = difference(start, one)
    assert moved > 0.1
    for batch_size, grad_accum_steps in [(4, 4), (1, 16)]:
        other = run(examples, batch_size=batch_size, grad_accum_steps=grad_accum_steps, **options)
        for name in one:
            torch.testing.assert_close(other[name], one[name], rtol=0, atol=2e-6)
    smaller = run(examples, batch_size=4, grad_accum_steps=2, **options)
    assert difference(smaller, one) > 0.05 * moved


def test_seed_decides_the_order(run: Run, examples: list[TokenSequence]) -> None:
    first, again, other = (run(examples, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


def test_max_steps_and_weight_decay(run: Run, examples: list[TokenSequence]) -> None:
    short = run(examples, max_steps=3, weight_decay=0.0)
    assert run.record is not None
    assert run.record.steps == 3
    assert run.steps[0] == (0, 3)
    assert run.steps[-1] == (3, 3)
    assert not same(short, run(examples, max_steps=3, weight_decay=0.5))


def test_losses_are_means_over_tokens(run: Run, fresh_tiny_lm: Callable[[], LanguageModel]) -> None:
    examples, unseen = make_examples(7), make_examples(5, seed=9)
    run(examples, eval_examples=unseen, max_steps=1, batch_size=3, grad_accum_steps=3)
    record = run.record
    assert record is not None
    with torch.no_grad():
        before = torch.cat([negative_log_likelihoods(fresh_tiny_lm().model, s) for s in examples])
        after = torch.cat([negative_log_likelihoods(run.lm.model, s) for s in unseen])
    by_sentence = [values.mean() for values in after.split([len(s.tokens) - 4 for s in unseen])]
    assert abs(torch.stack(by_sentence).mean() - after.mean()) > 0.01, "another mean is another"
    assert record.train_loss == pytest.approx(before.mean().item(), rel=1e-5)
    assert record.final_train_loss == pytest.approx(before.mean().item(), rel=1e-5)
    assert record.eval_loss == pytest.approx(after.mean().item(), rel=1e-5)
    assert record.trainable_parameters == sum(p.numel() for p in run.lm.model.parameters())
    assert record.seconds > 0


def test_without_validation_examples_there_is_no_eval_loss(
    run: Run, examples: list[TokenSequence]
) -> None:
    run(examples, max_steps=1)
    assert run.record is not None
    assert run.record.eval_loss is None


def test_tensorboard_holds_train_and_eval_loss(run: Run, tmp_path: Path) -> None:
    examples, unseen = make_examples(10), make_examples(3, seed=9)
    run(
        examples,
        eval_examples=unseen,
        folder=tmp_path / "logged",
        epochs=3,
        batch_size=5,
        grad_accum_steps=1,
    )
    record = run.record
    assert record is not None
    events = EventAccumulator(str(tmp_path / "logged" / "logs"))
    events.Reload()
    scalars = {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    losses = [(row["step"], row["loss"]) for row in record.history if "loss" in row]
    eval_losses = [(row["step"], row["eval_loss"]) for row in record.history if "eval_loss" in row]
    assert [step for step, _ in losses] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in eval_losses] == [2, 4, 6]
    assert scalars["train/loss"] == [(s, pytest.approx(v, rel=1e-5)) for s, v in losses]
    assert scalars["eval/loss"] == [(s, pytest.approx(v, rel=1e-5)) for s, v in eval_losses]
    assert eval_losses[-1][1] == record.eval_loss
    assert losses[-1][1] < losses[0][1], "it learns"


@pytest.mark.parametrize("batch_size", [20, 3])
def test_a_loss_that_is_no_number_ends_training(
    run: Run,
    fresh_tiny_lm: Callable[[], LanguageModel],
    examples: list[TokenSequence],
    batch_size: int,
) -> None:
    lm = fresh_tiny_lm()
    with torch.no_grad():
        lm.model.model.norm.weight[3] = math.nan
    with pytest.raises(EquipoiseError, match=r"training loss became nan at update 1\b") as caught:
        run(examples, lm=lm, batch_size=batch_size, grad_accum_steps=1)
    assert "learning_rate" in str(caught.value)


def test_bfloat16_compute_keeps_float32_weights(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], examples: list[TokenSequence]
) -> None:
    exact = run(examples, epochs=2)
    exact_loss = run.record.final_train_loss if run.record else 0.0
    lm = fresh_tiny_lm()
    lm.dtype = torch.bfloat16
    trained = run(examples, lm=lm, epochs=2)
    assert {value.dtype for value in trained.values()} == {torch.float32}
    assert not same(trained, exact), "the matrix products were in bfloat16"
    assert run.record is not None
    assert run.record.final_train_loss == pytest.approx(exact_loss, rel=0.02)
    with torch.no_grad():  # no wrapper is left around the forward pass
        assert run.lm.model(torch.tensor([[1, 2, 3]])).logits.dtype == torch.float32
    assert not run.lm.model.training


def test_a_model_trained_twice_computes_in_its_type_both_times(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel]
) -> None:
    """Accelerate passes over a model it has prepared before, and would leave autocast out."""
    lm = fresh_tiny_lm()
    lm.dtype = torch.bfloat16
    for _ in range(2):
        seen: list[torch.dtype] = []
        hook = lm.model.get_output_embeddings().register_forward_hook(
            lambda module, args, output, seen=seen: seen.append(output.dtype)
        )
        run(make_examples(4), lm=lm, epochs=1)
        hook.remove()
        assert set(seen) == {torch.bfloat16}


def test_all_weights_are_not_trained_in_16_bits(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel]
) -> None:
    lm = fresh_tiny_lm()
    lm.model.to(torch.bfloat16)
    with pytest.raises(EquipoiseError, match=r"lora: the weights .* small updates .* rounded away"):
        run(make_examples(4), lm=lm)
