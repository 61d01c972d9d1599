"""The cards of all that was trained, written when the training is over, by whoever wants them.

Each stands in its model's folder, and the manifest that seals the training vouches for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.files.artifacts import read_json, read_or_none
from equipoise.files.manifest import add_to_seal, file_fault
from equipoise.methods.method import TRAINING_DATA, TRAINING_INFO, Method
from equipoise.model.origin import CARD, origin_of
from equipoise.model.registry import model_label
from equipoise.publishing.card import Trained, write_card
from equipoise.publishing.reward_card import write_reward_card
from equipoise.runs.cell import Cell
from equipoise.runs.layout import MODEL, REWARD, REWARD_MODEL, SUMMARY
from equipoise.runs.store import Store
from equipoise.study.specification import Specification
from equipoise.study.training_run import TrainingRun
from equipoise.task.task import Task

RECORDS = (TRAINING_INFO, "erasure.json")
"""What methods write down of their training; the first that is there is read."""


def write_run_cards(specification: Specification, run: str | Path) -> list[Path]:
    """Write the cards of a run's models, with the rates that were measured of each.

    Cards that are there and undamaged stay. The cells are as the run has sealed them: nothing is
    computed for a card.

    Args:
        specification: The study.
        run: The run's folder. Cells that are not finished have no card.

    Returns:
        The cards that were written.

    Raises:
        EquipoiseError: A cell's summary cannot be read, or a card cannot be written.
    """
    store, written = Store(run), []
    with store.exclusive():
        for cell in specification.cells():
            folder = store.cell_folder(cell)
            if folder.is_dir() and specification.methods[cell.label].changes_weights:
                written += _write_cell_cards(specification, cell, folder)
    return written


def write_training_cards(training: TrainingRun) -> list[Path]:
    """Write the cards of a finished training outside a study; nothing was measured of its models.

    Cards that are there and undamaged stay.

    Returns:
        The cards that were written.

    Raises:
        EquipoiseError: A card cannot be written.
    """
    folder, model_folder = training.folder, training.model_folder
    trained = _trained(
        training.method, training.task, training.seed, training.model, folder, model_folder
    )
    return [
        *_write(folder, model_folder, lambda: write_card(trained)),
        *_write_reward_card(folder, training.model, training.task, training.seed),
    ]


def _write_cell_cards(specification: Specification, cell: Cell, folder: Path) -> list[Path]:
    """The cards of one cell's models that are missing, written."""
    study, task = specification.study, specification.task

    def of_tuned_model() -> None:
        rates = pd.DataFrame(read_json(folder / SUMMARY)["rates"])
        trained = _trained(
            specification.methods[cell.label],
            task,
            cell.seed,
            study.model,
            folder,
            folder / MODEL,
            starts=tuple(earlier.label for earlier in specification.line(cell)),
            sampling=specification.sampling,
            rates=rates,
        )
        write_card(trained)

    return [
        *_write(folder, folder / MODEL, of_tuned_model),
        *_write_reward_card(folder, study.model, task, cell.seed),
    ]


def _trained(
    method: Method[Any],
    task: Task,
    seed: int,
    model: str,
    folder: Path,
    model_folder: Path,
    **measured: Any,
) -> Trained:
    """A model that ``method`` has tuned, as its card describes it.

    Args:
        method: What made it.
        task: What it was fitted to.
        seed: Its seed.
        model: The base model, as the user names it.
        folder: Where the method wrote its data and records.
        model_folder: Where it wrote the model.
        measured: ``starts``, ``sampling`` and ``rates``; see ``Trained``.
    """
    settings = method.describe()
    return Trained(
        folder=model_folder,
        method=method.name,
        summary=method.summary,
        model=model_label(model),
        origin=origin_of(model),
        task=task,
        seed=seed,
        settings=settings,
        record=_record(folder),
        generated=(folder / TRAINING_DATA).is_file(),
        prompt=str(settings.get("prompt", "neutral")),
        **measured,
    )


def _write_reward_card(folder: Path, model: str, task: Task, seed: int) -> list[Path]:
    """The card of the reward model in ``folder``, written where there is one without."""
    judge, record = folder / REWARD_MODEL, read_or_none(folder / REWARD / "reward.json")

    def of_reward_model() -> None:
        about = record if isinstance(record, dict) else {}
        write_reward_card(judge, model_label(model), origin_of(model), task, seed, about)

    return _write(folder, judge, of_reward_model)


def _write(sealed: Path, model_folder: Path, write: Callable[[], None]) -> list[Path]:
    """Write a card unless it is there as it was sealed, and seal it; its path.

    Args:
        sealed: The folder with the manifest.
        model_folder: The model's, in it; nothing is written where it holds no model.
        write: Writes the card.
    """
    card = model_folder / CARD
    name = card.relative_to(sealed).as_posix()
    if not (model_folder / "config.json").is_file() or file_fault(sealed, name) is None:
        return []
    write()
    add_to_seal(sealed, [name])
    return [card]


def _record(folder: Path) -> dict[str, Any]:
    """What a method wrote down in ``folder``; empty where it wrote nothing."""
    found = (read_or_none(folder / name) for name in RECORDS)
    return next((record for record in found if isinstance(record, dict)), {})
