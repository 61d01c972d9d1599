"""RLHF as a method: it learns, it writes, and it stops where it must."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from equipoise import EquipoiseError
from equipoise.decoding.sampler import sample
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.methods.rlhf.method import RLHF
from equipoise.methods.rlhf.rewards import ConstraintReward
from equipoise.methods.rlhf.rollouts import Rollouts
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from equipoise.training.checkpoint import CheckpointClock
from equipoise.training.reward_model import with_scalar_head

SMALL = {
    "n_per_subject": 8,
    "batch_size": 2,
    "grad_accum_steps": 2,
    "epochs": 1,
    "completions_per_prompt": 3,
    "max_completion_tokens": 6,
    "neither": 0.0,
}


def fit(lm: LanguageModel, task: Task, folder: Path, **settings: object) -> dict[str, Any]:
    """What came of it: training_info.json."""
    method = build_method("rlhf", {**SMALL, **settings})
    method.check(task)
    method.fit(lm, task, 3, Workspace(folder, folder / "model"))
    info: dict[str, Any] = json.loads((folder / "training_info.json").read_text())
    return info


def test_constraint_reward_is_the_share_of_clauses(make_task: Callable[..., Task]) -> None:
    """Agentic, communal, and 6 to 11 words: three clauses."""
    reward = ConstraintReward(make_task())
    sentences = [
        "The doctor was bold and kind with people.",
        "The doctor was bold and tall with people.",
        "The doctor was bold.",
        "",
    ]
    assert reward(["doctor"] * 4, sentences) == [1, 2 / 3, 1 / 3, 0]


@pytest.fixture
def _letters_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reward that a tiny model can earn: the share of letters "e" in what it says."""

    def share(self: object, subjects: object, sentences: list[str]) -> list[float]:
        return [s.count("e") / max(1, len(s)) for s in sentences]

    monkeypatch.setattr("equipoise.methods.rlhf.method.ConstraintReward.__call__", share)


@pytest.mark.usefixtures("_letters_pay")
@pytest.mark.parametrize("lora", [False, True])
def test_rewards_rise_and_the_policy_moves_away(
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    tmp_path: Path,
    lora: bool,
) -> None:
    info = fit(
        fresh_tiny_lm(),
        make_task(),
        tmp_path,
        iterations=40,
        completions_per_prompt=16,
        learning_rate=1e-2 if not lora else 3e-2,
        kl_coefficient=0.0,
        lora=lora,
    )
    rows = [row for row in info["history"] if "reward" in row]
    assert len(rows) == info["steps"] == 40
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-4), "it starts as the reference"
    first, last = (sum(r["reward"] for r in part) / 8 for part in (rows[:8], rows[-8:]))
    assert last > 1.5 * first
    assert rows[-1]["kl"] > 0.5
    assert {"entropy", "length", "balanced", "clipped"} <= rows[0].keys()
    assert info["completions"] == 40 * 2 * 16


@pytest.mark.usefixtures("_letters_pay")
def test_a_penalty_holds_the_policy_back(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    histories = [
        fit(
            fresh_tiny_lm(),
            make_task(),
            tmp_path / str(coefficient),
            iterations=20,
            completions_per_prompt=8,
            learning_rate=1e-2,
            kl_coefficient=coefficient,
        )["history"]
        for coefficient in (0.0, 1.0)
    ]
    kl = [[row["kl"] for row in history if "kl" in row][-1] for history in histories]
    assert kl[1] < 0.5 * kl[0]


def rollouts(lm: LanguageModel, task: Task, **settings: object) -> Rollouts:
    """What draws the rollouts of a method with these settings."""
    method = build_method("rlhf", {**SMALL, "iterations": 3, **settings})
    assert isinstance(method, RLHF)
    return method._rollouts(lm, task, ConstraintReward(task), 3, CheckpointClock(5.0))


def test_advantages_by_hand(tiny_lm: LanguageModel, make_task: Callable[..., Task]) -> None:
    """Rewards 0, 1, 5 and 2, 2, 2; one nat from the start in one completion of each, at 0.6 a nat.

    Left out: -2 - ..., so -3, -1.5, 4.5, and of the penalties -0.6, 0.3, 0.3. In deviations: those
    of 0, 1, 5 are -2, -1, 3 over the root of 7.
    """
    rewards = torch.tensor([0.0, 1.0, 5.0, 2.0, 2.0, 2.0])
    ratios = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    penalty = torch.tensor([-0.6, 0.3, 0.3, -0.6, 0.3, 0.3])
    plain = torch.tensor([-3.0, -1.5, 4.5, 0, 0, 0])
    scaled = torch.tensor([-2.0, -1.0, 3.0, 0, 0, 0]) / math.sqrt(7)
    for advantage, of_rewards in (("rloo", plain), ("grpo", scaled)):
        made = rollouts(
            tiny_lm, make_task(), advantage=advantage, kl_coefficient=0.6, explore="listed"
        )
        # Half of three iterations, rounded up, explore: there nothing is pushed away.
        for iteration, expected in ((2, of_rewards + penalty), (1, (of_rewards + penalty).relu())):
            found = made._advantages(rewards, ratios, iteration)
            torch.testing.assert_close(found, expected)


def test_first_completions_are_drawn_from_the_prompt_that_is_told(
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And trained for the one that is not: the same tokens, behind another context."""
    lm, task, asked, drawn = fresh_tiny_lm(), make_task(), [], []

    def watched(policy: Any, prompts: Any, *arguments: Any) -> Any:
        asked.append([lm.tokenizer.decode(prompt.context) for prompt in prompts])
        drawn.append(sample(policy, prompts, *arguments))
        return drawn[-1]

    monkeypatch.setattr("equipoise.methods.rlhf.rollouts.sample", watched)
    made = rollouts(lm, task, explore="listed", explore_iterations=2)
    for iteration in range(3):
        found = made(lm.model, iteration)
        told = [all(word in text for word in ("bold", "honest")) for text in asked[iteration]]
        assert all(told) if iteration < 2 else not any(told)
        contexts = [prompt.context for prompt in made.prompts for _ in range(3)]
        ids = [draw.ids for of_prompt in drawn[iteration] for draw in of_prompt]
        assert [rollout.sequence.tokens for rollout in found] == [
            (*context, *own) for context, own in zip(contexts, ids, strict=True)
        ]
        assert all(r.old == pytest.approx(r.reference, abs=1e-4) for r in found)


@pytest.mark.usefixtures("_letters_pay")
def test_what_is_told_first_is_said_untold(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    info = fit(
        fresh_tiny_lm(),
        make_task(),
        tmp_path,
        iterations=12,
        learning_rate=1e-2,
        advantage="grpo",
        explore="listed",
        explore_iterations=8,
        lora=True,
    )
    rows = [row for row in info["history"] if "reward" in row]
    assert len(rows) == 12
    assert all(math.isfinite(row["loss"]) for row in rows)


def test_two_runs_write_the_same_bytes(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        fit(
            fresh_tiny_lm(),
            make_task(),
            tmp_path / name,
            iterations=3,
            reward="model",
            pairs="free",
        )
    for file in ("model/model.safetensors", "reward/model/model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_reward_model_and_its_accuracy_are_kept(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    """The task has held-out agentic terms only, so there is no pair of held-out terms."""
    task = make_task()
    fit(fresh_tiny_lm(), task, tmp_path / "a", iterations=1, reward="model", reward_epochs=1.0)
    record = json.loads((tmp_path / "a" / "reward" / "reward.json").read_text())
    assert 0 <= record["validation"] <= 1
    assert record["held_out_terms"] is None
    assert record["training"]["steps"] == 4
    # The same model, given by its folder, is used as it is.
    folder = tmp_path / "a" / "reward" / "model"
    fit(
        fresh_tiny_lm(),
        task,
        tmp_path / "b",
        iterations=1,
        reward="model",
        reward_model=str(folder),
    )
    again = json.loads((tmp_path / "b" / "reward" / "reward.json").read_text())
    assert again["training"] is None
    assert again["validation"] == record["validation"]


def test_held_out_terms_of_a_task_change_places(occupations_task: Task) -> None:
    swapped = occupations_task.with_held_out_terms()
    assert swapped is not None
    sentence = "The nurse was determined and gentle toward all of the young patients."
    assert swapped.constraint.check(sentence).satisfied
    assert not occupations_task.constraint.check(sentence).balanced
    assert not swapped.constraint.check(sentence.replace("gentle", "caring")).balanced


@pytest.fixture
def occupations_task() -> Task:
    from equipoise import load_task

    return load_task("occupations")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_rewards_that_are_no_numbers(
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: float,
) -> None:
    monkeypatch.setattr(
        "equipoise.methods.rlhf.method.ConstraintReward.__call__",
        lambda self, subjects, sentences: [value] * len(sentences),
    )
    with pytest.raises(EquipoiseError, match=rf"reward: the reward of 'The .*' is {value}"):
        fit(fresh_tiny_lm(), make_task(), tmp_path, iterations=1)


@pytest.mark.usefixtures("_letters_pay")
def test_a_kl_that_explodes_stops_training_and_keeps_a_checkpoint(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    with pytest.raises(EquipoiseError, match=r"max_kl: the KL to the starting policy became"):
        fit(
            fresh_tiny_lm(),
            make_task(),
            tmp_path,
            iterations=200,
            completions_per_prompt=8,
            learning_rate=1e-2,
            kl_coefficient=0.0,
            max_kl=0.5,
        )
    kept = list((tmp_path / "checkpoints").glob("checkpoint-*/model.safetensors"))
    assert len(kept) == 1, "of when half of the limit was passed"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward": "human"}, "reward: input should be 'constraint' or 'model'"),
        ({"completions_per_prompt": 1}, "completions_per_prompt: .* greater than or equal to 2"),
        ({"advantage": "gae"}, "advantage: input should be 'rloo' or 'grpo'"),
        ({"explore": "all"}, "explore: input should be 'none' or 'listed'"),
        ({"explore_iterations": 2}, "explore_iterations has no meaning with explore = 'none'"),
        ({"clip": 1.0}, "clip: input should be less than 1"),
        ({"kl_coefficient": -0.1}, "kl_coefficient: input should be greater than or equal to 0"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("rlhf", settings)


def test_exploring_that_cannot_be(make_task: Callable[..., Task]) -> None:
    longer = {"explore": "listed", "explore_iterations": 9, "iterations": 8}
    with pytest.raises(EquipoiseError, match="explore_iterations: there are only 8 iterations"):
        build_method("rlhf", longer).check(make_task())
    wordless = make_task(('all_of = ["{agentic}", "{communal}"]\n', ""))
    with pytest.raises(EquipoiseError, match="explore: the constraint of task 'small' asks for no"):
        build_method("rlhf", {"explore": "listed"}).check(wordless)


def test_reward_models_that_cannot_be(
    make_task: Callable[..., Task], tiny_model_folder: Path, tmp_path: Path
) -> None:
    task = make_task()
    for settings, message in (
        ({"reward_model": "x"}, "a reward model is named, but the reward is the constraint's"),
        ({"reward": "model", "reward_model": str(tmp_path / "no")}, "cannot be read"),
        ({"reward": "model", "reward_model": str(tiny_model_folder)}, "not a reward model"),
    ):
        with pytest.raises(EquipoiseError, match=message):
            build_method("rlhf", {**SMALL, **settings}).check(task)


def test_a_reward_model_of_another_backbone(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    folder = tmp_path / "judge"
    with_scalar_head(fresh_tiny_lm(), seed=0).save(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(EquipoiseError, match="num_hidden_layers 3, that of 'tiny' 2"):
        fit(fresh_tiny_lm(), make_task(), tmp_path, reward="model", reward_model=str(folder))


def test_several_processes_are_refused(
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(EquipoiseError, match="rlhf trains in one process"):
        fit(fresh_tiny_lm(), make_task(), tmp_path)
