"""RLHF as a method: it learns, it writes, and it stops where it must."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise import EquipoiseError
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.methods.rlhf.rewards import ConstraintReward
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
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
    method.fit(lm, task, 3, Workspace(folder, folder / "model", announce=lambda _: None))
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
        ({"clip": 1.0}, "clip: input should be less than 1"),
        ({"kl_coefficient": -0.1}, "kl_coefficient: input should be greater than or equal to 0"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("rlhf", settings)


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
