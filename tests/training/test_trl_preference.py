"""Losses equal those of TRL's DPOTrainer and RewardTrainer (TRL 1.16) on the same pairs."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.training.objective import Objective, TreeCollator
from equipoise.training.preference import PairExample, PreferenceObjective, with_reference
from equipoise.training.reward_model import RewardObjective, with_scalar_head
from training.twins import make_pairs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that TRL imports
    from datasets import Dataset, disable_progress_bars
    from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:.gradient_checkpointing(_kwargs)?. is deprecated:FutureWarning",
        "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning",
        "ignore:.*pad_token.*:UserWarning",
    )
]
OPTIONS: dict[str, Any] = {
    "bf16": False,
    "use_cpu": True,
    "report_to": [],
    "disable_tqdm": True,
    "dataloader_pin_memory": False,
    "per_device_train_batch_size": 7,
}


def any_dataset(**row: Any) -> Dataset:
    """Something for a trainer to begin with; its collator is given our tokens instead."""
    disable_progress_bars()
    return Dataset.from_list([row])


def our_loss(objective: Objective[PairExample], model: Any, pairs: list[PairExample]) -> Any:
    """The loss of one batch of all pairs, as the Trainer asks for it."""
    batch = TreeCollator(objective, micro_batch=len(pairs)).batch(pairs)
    return objective.loss(model, batch, objective.counts(pairs)).value


@pytest.fixture
def pairs(tiny_lm: LanguageModel) -> list[PairExample]:
    """Pairs with the log-probabilities of the tiny model as reference."""
    return with_reference(tiny_lm, make_pairs(7))


@pytest.fixture
def moved(fresh_tiny_lm: Callable[[], LanguageModel]) -> LanguageModel:
    """The tiny model after a step away from the reference, so that no margin is 0."""
    lm = fresh_tiny_lm()
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in lm.model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return lm


@pytest.mark.parametrize(
    ("kind", "weight"), [("sigmoid", 0.0), ("ipo", 0.0), ("hinge", 0.0), ("sigmoid", 0.7)]
)
def test_preference_losses_and_gradients(
    tiny_lm: LanguageModel,
    moved: LanguageModel,
    pairs: list[PairExample],
    kind: str,
    weight: float,
    tmp_path: Path,
) -> None:
    losses = [kind, "sft"] if weight else [kind]
    config = DPOConfig(
        output_dir=str(tmp_path),
        beta=0.3,
        loss_type=losses,
        loss_weights=[1.0, weight] if weight else None,
        **OPTIONS,
    )
    theirs = copy.deepcopy(moved.model)
    trainer = DPOTrainer(
        theirs,
        ref_model=copy.deepcopy(tiny_lm.model),
        args=config,
        train_dataset=any_dataset(prompt="The", chosen=" doctor", rejected=" nurse"),
        processing_class=tiny_lm.tokenizer,
    )
    batch = trainer.data_collator(
        [
            {
                "prompt_ids": list(pair.chosen.tokens[: pair.chosen.start]),
                "chosen_ids": list(pair.chosen.tokens[pair.chosen.start :]),
                "rejected_ids": list(pair.rejected.tokens[pair.rejected.start :]),
            }
            for pair in pairs
        ]
    )
    expected = trainer.compute_loss(theirs.train(), batch)
    expected.backward()

    objective = PreferenceObjective(0.3, kind, sft_weight=weight)  # type: ignore[arg-type]
    loss = our_loss(objective, moved.model, pairs)
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-7)
    for one, other in zip(moved.model.parameters(), theirs.parameters(), strict=True):
        assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()


def test_reward_loss_and_gradients(moved: LanguageModel, tmp_path: Path) -> None:
    pairs = make_pairs(7)
    judge = with_scalar_head(moved, seed=3)
    theirs = copy.deepcopy(judge.model)
    theirs.config.pad_token_id = 0
    tokenizer = copy.deepcopy(moved.tokenizer)
    tokenizer.pad_token = "<|endoftext|>"  # noqa: S105 - token 0, which no pair holds
    trainer = RewardTrainer(
        theirs,
        args=RewardConfig(output_dir=str(tmp_path), max_length=None, **OPTIONS),
        train_dataset=any_dataset(chosen="The doctor", rejected="The nurse"),
        processing_class=tokenizer,
    )
    batch = trainer.data_collator(
        [
            {"chosen_ids": list(pair.chosen.tokens), "rejected_ids": list(pair.rejected.tokens)}
            for pair in pairs
        ]
    )
    expected = trainer.compute_loss(theirs.train(), batch)
    expected.backward()

    loss = our_loss(RewardObjective(), judge.model, [replace(pair) for pair in pairs])
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-7)
    for one, other in zip(judge.model.parameters(), theirs.parameters(), strict=True):
        assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()
