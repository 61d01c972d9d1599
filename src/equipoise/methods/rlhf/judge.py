"""The reward model of a task: trained on its preference pairs, and checked on unseen ones."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.dpo import PairSettings, generated_pairs
from equipoise.methods.method import Workspace
from equipoise.methods.rlhf.rewards import ModelReward
from equipoise.model.conversion import quiet_transformers
from equipoise.model.language_model import LanguageModel
from equipoise.task.preference import PreferencePair, Style
from equipoise.task.preference_file import text_pairs
from equipoise.task.task import Task
from equipoise.training.preference import PairExample, pair_examples
from equipoise.training.reward_model import (
    RewardObjective,
    load_reward_model,
    ranked_right,
    rewards_of,
    with_scalar_head,
)

if TYPE_CHECKING:
    from equipoise.training.train import TrainingRecord


class JudgeSettings(PairSettings):
    """Settings of a reward model: its pairs, and its training.

    Attributes:
        pairs: ``minimal``: both sides differ in as few terms as possible; ``free``: the rejected
            side is another sentence. A policy strays further than minimal pairs do.
        neither: Share of rejected sentences without any term; with ``free`` pairs only.
        reward_model: Folder of a reward model of the same backbone, to be used as it is. Without
            one it is trained.
        reward_learning_rate: Highest learning rate of the reward model's training.
        reward_epochs: Passes over the pairs in it.
    """

    pairs: Style = "free"
    neither: Annotated[float, Field(ge=0, le=1)] = 0.2
    reward_model: str | None = None
    reward_learning_rate: Annotated[float, Field(gt=0)] = 5e-5
    reward_epochs: Annotated[float, Field(gt=0)] = 3.0


@dataclass(frozen=True)
class JudgeRecord:
    """How a reward model did: shares (0-1) of pairs ranked right, NaN without any.

    Attributes:
        train: On the pairs it was trained on.
        validation: On pairs about held-out subjects.
        held_out_terms: On pairs about training subjects built from held-out terms.
        both: About held-out subjects, from held-out terms.
        mean: Of its rewards on the training answers.
        deviation: Their standard deviation.
    """

    train: float
    validation: float
    held_out_terms: float
    both: float
    mean: float
    deviation: float


def trained_judge(
    lm: LanguageModel, task: Task, settings: JudgeSettings, seed: int, workspace: Workspace
) -> ModelReward:
    """The reward by a model, trained or loaded; its accuracy is written to ``reward.json``.

    Raises:
        EquipoiseError: The stored reward model is of another backbone.
    """
    folder = make_folder(workspace.folder / "reward")
    train_set, val_set = generated_pairs(settings, task, seed, folder)
    examples = _examples(lm, task, settings.prompt, train_set)
    validation = _examples(lm, task, settings.prompt, val_set)
    training: dict[str, Any] | None = None
    if settings.reward_model is not None:
        judge = load_reward_model(lm, Path(settings.reward_model))
    else:
        judge = with_scalar_head(lm, seed)
        training = _train(judge, examples, validation, settings, seed, folder, workspace).as_dict()
        judge.save(folder / "model")
        judge.use_compute_type()
    record = _record(judge, task, settings, seed, examples, validation)
    plain = {k: None if math.isnan(v) else v for k, v in asdict(record).items()}
    write_json(folder / "reward.json", {**plain, "training": training})
    return ModelReward(judge, task, settings.prompt, record.mean, record.deviation)


def _examples(
    lm: LanguageModel, task: Task, prompt: str, pairs: list[PreferencePair]
) -> list[PairExample]:
    return pair_examples(lm, text_pairs(pairs, task, prompt))


def _train(
    judge: LanguageModel,
    train_set: list[PairExample],
    val_set: list[PairExample],
    settings: JudgeSettings,
    seed: int,
    folder: Path,
    workspace: Workspace,
) -> TrainingRecord:
    from equipoise.training.train import train

    changed = {
        "learning_rate": settings.reward_learning_rate,
        "epochs": settings.reward_epochs,
        "max_steps": None,
        "lora": False,
    }
    with quiet_transformers():
        return train(
            judge,
            train_set,
            val_set,
            settings.model_copy(update=changed),
            seed,
            objective=RewardObjective(),
            checkpoints=folder / "checkpoints",
            logs=folder / "logs",
            stage="reward model",
        )


def _record(
    judge: LanguageModel,
    task: Task,
    settings: JudgeSettings,
    seed: int,
    train_set: list[PairExample],
    val_set: list[PairExample],
) -> JudgeRecord:
    """The judge's accuracy, on held-out subjects and held-out terms too."""
    unseen: dict[str, float] = {"train": math.nan, "validation": math.nan}
    swapped = task.with_held_out_terms()
    if swapped is not None:
        generator = settings.generator(swapped, seed)
        for split in ("train", "validation"):
            pairs = list(generator.generate(settings.n_per_subject, split))
            unseen[split] = ranked_right(judge, _examples(judge, task, settings.prompt, pairs))
    rewards = rewards_of(
        judge, [side for pair in train_set for side in (pair.chosen, pair.rejected)]
    )
    return JudgeRecord(
        train=ranked_right(judge, train_set),
        validation=ranked_right(judge, val_set),
        held_out_terms=unseen["train"],
        both=unseen["validation"],
        mean=float(rewards.mean()),
        deviation=float(rewards.std().clamp_min(1e-6)),
    )
