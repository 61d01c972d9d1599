"""The scalar head, the rewards on prefix trees, and what is no reward model of this backbone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.training.objective import TreeCollator
from equipoise.training.reward_model import (
    RewardObjective,
    load_reward_model,
    ranked_right,
    rewards_of,
    with_scalar_head,
)
from equipoise.training.train import train
from equipoise.training.training_settings import TrainingSettings
from training.twins import make_examples, make_pairs, same


@pytest.fixture
def judge(tiny_lm: LanguageModel) -> LanguageModel:
    return with_scalar_head(tiny_lm, seed=1)


def test_rewards_are_what_transformers_says_of_each_answer(judge: LanguageModel) -> None:
    """One answer a row, through the model's own forward pass, which pools the last token."""
    answers = make_examples(40)
    found = rewards_of(judge, answers)
    for reward, answer in zip(found, answers, strict=True):
        judge.model.config.pad_token_id = 499  # in no answer
        logits = judge.model(torch.tensor([answer.tokens])).logits
        torch.testing.assert_close(reward, logits[0, 0], rtol=1e-4, atol=1e-5)


def test_the_language_model_is_left_alone(
    fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    lm = fresh_tiny_lm()
    judge = with_scalar_head(lm, seed=1)
    before = {k: v.clone() for k, v in lm.model.state_dict().items()}
    settings = TrainingSettings(learning_rate=1e-2, max_steps=3)
    train(
        judge,
        make_pairs(16),
        [],
        settings,
        1,
        objective=RewardObjective(),
        checkpoints=tmp_path / "checkpoints",
        logs=tmp_path / "logs",
    )
    assert same(before, lm.model.state_dict())
    assert not torch.equal(
        judge.model.get_input_embeddings().weight, lm.model.get_input_embeddings().weight
    )


def test_it_learns_which_side_wins(tiny_lm: LanguageModel, tmp_path: Path) -> None:
    """Every chosen side of these pairs begins with token 100, every rejected one with 101."""
    judge = with_scalar_head(tiny_lm, seed=1)
    unseen = make_pairs(30, seed=9)
    record = train(
        judge,
        make_pairs(64),
        unseen,
        TrainingSettings(learning_rate=3e-3, epochs=10),
        1,
        objective=RewardObjective(),
        checkpoints=tmp_path / "checkpoints",
        logs=tmp_path / "logs",
    )
    assert ranked_right(judge, unseen) >= 0.95
    assert record.history[-1].keys() | record.history[-2].keys() >= {"eval_accuracy", "eval_loss"}


def test_gradients_equal_the_plain_path(judge: LanguageModel, tiny_lm: LanguageModel) -> None:
    plain = with_scalar_head(tiny_lm, seed=1)
    plain.model.config.pad_token_id = 499
    pairs = make_pairs(5)
    objective = RewardObjective()
    batch = TreeCollator(objective, micro_batch=5).batch(pairs)
    objective.loss(judge.model, batch, objective.counts(pairs)).value.backward()
    losses = []
    for pair in pairs:
        chosen, rejected = (
            plain.model(torch.tensor([side.tokens])).logits[0, 0]
            for side in (pair.chosen, pair.rejected)
        )
        losses.append(-torch.log(torch.sigmoid(chosen - rejected)))
    torch.stack(losses).mean().backward()
    for one, other in zip(judge.model.parameters(), plain.model.parameters(), strict=True):
        assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()


def test_a_stored_one_reads_back(
    judge: LanguageModel, tiny_lm: LanguageModel, tmp_path: Path
) -> None:
    answers = make_examples(7)
    judge.save(tmp_path / "judge")
    found = rewards_of(load_reward_model(tiny_lm, tmp_path / "judge"), answers)
    torch.testing.assert_close(found, rewards_of(judge, answers), rtol=1e-5, atol=1e-6)


def test_one_of_another_backbone_is_refused(
    judge: LanguageModel, tiny_lm: LanguageModel, tmp_path: Path
) -> None:
    folder = tmp_path / "judge"
    judge.save(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))
    with pytest.raises(EquipoiseError, match="hidden_size 64, that of 'tiny' 32"):
        load_reward_model(tiny_lm, folder)


def test_a_language_model_is_no_reward_model(
    tiny_lm: LanguageModel, tiny_model_folder: Path
) -> None:
    with pytest.raises(EquipoiseError, match="LlamaForCausalLM, not a reward model"):
        load_reward_model(tiny_lm, tiny_model_folder)


def test_an_architecture_without_such_a_head(tiny_lm: LanguageModel) -> None:
    class Config:
        num_labels = 2

    class Model:
        config = Config()

    with pytest.raises(EquipoiseError, match="no reward model of the architecture of 'tiny'"):
        with_scalar_head(replace(tiny_lm, model=Model()), seed=0)  # type: ignore[arg-type]
