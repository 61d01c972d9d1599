"""The loss is that of TRL's SFTTrainer (TRL 1.16) on the same batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, target_log_probabilities
from equipoise.training.losses import cross_entropy_sum
from training.runs import Run
from training.twins import make_examples

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that TRL imports
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig, SFTTrainer

# TRL 1.16 and peft 0.21 use names that transformers 5.23 has changed.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.gradient_checkpointing(_kwargs)?. is deprecated:FutureWarning",
    "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning",
)


def sft_trainer(lm: LanguageModel, folder: Path) -> tuple[SFTTrainer, dict[str, torch.Tensor]]:
    """TRL's trainer, and a batch of all its examples made by its own collator."""
    disable_progress_bars()
    rows = [
        {
            "input_ids": list(tokens),
            "completion_mask": [0] * start + [1] * (len(tokens) - start),
        }
        for tokens, start in make_examples(13)
    ]
    config = SFTConfig(
        output_dir=str(folder),
        completion_only_loss=True,
        bf16=False,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = SFTTrainer(
        lm.model, args=config, train_dataset=Dataset.from_list(rows), processing_class=lm.tokenizer
    )
    return trainer, trainer.data_collator([dict(row) for row in trainer.train_dataset])


def test_loss_and_gradients_equal_those_of_sft_trainer(
    fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    examples = make_examples(13)
    theirs = fresh_tiny_lm()
    trainer, batch = sft_trainer(theirs, tmp_path)
    n_targets = sum(len(tokens) - start for tokens, start in examples)
    assert int((batch["labels"] != -100).sum()) == n_targets, "completion-only"
    theirs.model.train()
    expected = trainer.compute_loss(theirs.model, batch)
    expected.backward()

    ours = fresh_tiny_lm().model
    tree = PrefixTree.build(examples)
    loss = cross_entropy_sum(target_log_probabilities(ours, tree)) / tree.n_targets
    loss.backward()

    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    # TRL may fuse the head with the loss; the gradients are the same nevertheless.
    for one, other in zip(ours.parameters(), theirs.model.parameters(), strict=True):
        assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()


def test_reported_loss_equals_that_of_sft_trainer(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    trainer, batch = sft_trainer(fresh_tiny_lm(), tmp_path)
    with torch.no_grad():
        expected = trainer.compute_loss(trainer.model.train(), batch).item()
    run(make_examples(13), max_steps=1, batch_size=4, grad_accum_steps=4)
    assert run.record is not None
    assert run.record.train_loss == pytest.approx(expected, rel=1e-5)
