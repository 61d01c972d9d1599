"""What all trained methods do once their examples are made: train, save, and write down how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.method import TRAINING_INFO, Method, Workspace
from equipoise.model.conversion import quiet_transformers
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from equipoise.training.processes import is_first_process

if TYPE_CHECKING:
    from equipoise.training.train import TrainingRecord


def tune(
    method: Method[Any],
    lm: LanguageModel,
    task: Task,
    seed: int,
    workspace: Workspace,
    train_examples: Sequence[Any],
    eval_examples: Sequence[Any],
    *,
    about: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Train ``lm`` in place, save it, write ``training_info.json``, and make it fast to draw from.

    Args:
        method: Whose settings say how; a setting ``settings`` among the options takes their place.
        lm: The model.
        task: The task.
        seed: Fixes everything random.
        workspace: Receives logs, checkpoints, the record and the tuned model.
        train_examples: Examples of the objective.
        eval_examples: The same, to measure on; may be empty.
        about: What else belongs into the record.
        options: Of `equipoise.training.train.train`: ``objective``, ``update_size``, ``clock``.

    Raises:
        EquipoiseError: As `equipoise.training.train.train` does.
    """
    from equipoise.training.train import train

    folder = make_folder(workspace.folder)
    settings = options.pop("settings", method.settings)
    with quiet_transformers():  # it draws a bar for each checkpoint
        record = train(
            lm,
            train_examples,
            eval_examples,
            settings,
            seed,
            checkpoints=folder / "checkpoints",
            logs=folder / "logs",
            on_step=lambda step, total: workspace.on_progress("training", step, total),
            announce=workspace.announce,
            **options,
        )
    if is_first_process():
        lm.save(workspace.model_folder)
        sizes = {"n_train": len(train_examples), "n_validation": len(eval_examples)}
        _write_info(method, lm, task, seed, workspace, record, {**sizes, **(about or {})})
    lm.use_compute_type()


def _write_info(
    method: Method[Any],
    lm: LanguageModel,
    task: Task,
    seed: int,
    workspace: Workspace,
    record: TrainingRecord,
    about: Mapping[str, Any],
) -> None:
    """Write ``training_info.json``: what a paper's method section needs."""
    write_json(
        workspace.folder / TRAINING_INFO,
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
