"""Cards for all that one training made: the tuned model, and its reward model where it has one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.decoding.sampler import Sampling
from equipoise.files.artifacts import read_or_none
from equipoise.methods.method import TRAINING_DATA, Method, Workspace
from equipoise.model.language_model import LanguageModel
from equipoise.publishing.card import Trained, write_card
from equipoise.publishing.reward_card import write_reward_card
from equipoise.task.task import Task

RECORDS = ("training_info.json", "erasure.json")
"""What methods write down of their training; the first that is there is read."""

REWARD = "reward"
"""Folder of a reward model and its record, in the folder of the training."""


def write_cards(
    method: Method[Any],
    lm: LanguageModel,
    task: Task,
    seed: int,
    workspace: Workspace,
    *,
    starts: Sequence[str] = (),
    sampling: Sampling | None = None,
    rates: pd.DataFrame | None = None,
) -> None:
    """Write the card of every model that a training left; those of an earlier call are replaced.

    It belongs before the folder is sealed, so that the manifest vouches for the cards too.

    Args:
        method: What made it.
        lm: What it was fitted on.
        task: What it was fitted to.
        seed: Its seed.
        workspace: Where the method wrote data, records and the tuned model, if there is one.
        starts: Labels of trained methods it started from, the latest first.
        sampling: How its completions were drawn.
        rates: Rows of ``by_seed`` of these completions.

    Raises:
        EquipoiseError: A card cannot be written.
    """
    folder = workspace.folder
    if (workspace.model_folder / "config.json").is_file():
        settings = method.describe()
        write_card(
            Trained(
                folder=workspace.model_folder,
                method=method.name,
                summary=method.summary,
                model=lm.name,
                origin=lm.origin,
                task=task,
                seed=seed,
                settings=settings,
                record=_record(folder),
                generated=(folder / TRAINING_DATA).is_file(),
                starts=starts,
                prompt=str(settings.get("prompt", "neutral")),
                sampling=sampling,
                rates=rates,
            )
        )
    judge = folder / REWARD / "model"
    if (judge / "config.json").is_file():
        found = read_or_none(folder / REWARD / "reward.json")
        record = found if isinstance(found, dict) else {}
        write_reward_card(judge, lm.name, lm.origin, task, seed, record)


def _record(folder: Path) -> dict[str, Any]:
    """What a method wrote down in ``folder``; empty where it wrote nothing."""
    found = (read_or_none(folder / name) for name in RECORDS)
    return next((record for record in found if isinstance(record, dict)), {})
