"""``training_info.json``: what a paper's method section needs to know of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.artifacts import write_json
from equipoise.methods.method import Method
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.training.train import TrainingRecord


def write_training_info(
    method: Method[Any],
    lm: LanguageModel,
    task: Task,
    seed: int,
    record: TrainingRecord,
    folder: Path,
    about: Mapping[str, Any],
) -> None:
    """Write it to ``folder``: model, data, settings, and what came of it.

    Args:
        method: The trained method.
        lm: The tuned model.
        task: The task.
        seed: The seed.
        record: What came of the training.
        folder: Where to write.
        about: Sizes of the data sets, and what else the method has to say.
    """
    write_json(
        folder / "training_info.json",
        {
            "method": method.name,
            "model": lm.name,
            "task": task.name,
            **about,
            "seed": seed,
            "settings": method.describe(),
            "effective_batch": method.settings.effective_batch,
            "precision": lm.precision,
            **record.as_dict(),
        },
    )
