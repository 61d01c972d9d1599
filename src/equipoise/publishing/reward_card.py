"""The card of a reward model: what its rewards are of, and how often they rank right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.files.artifacts import open_atomic
from equipoise.model.origin import CARD
from equipoise.model.registry import Origin
from equipoise.publishing.card import licence
from equipoise.report.answer import definition
from equipoise.task.task import Task
from equipoise.wording.markdown import markdown
from equipoise.wording.numbers import percent

ACCURACIES = {
    "train": "train subjects, listed terms (trained on)",
    "validation": "held-out subjects, listed terms",
    "held_out_terms": "train subjects, held-out terms",
    "both": "held-out subjects, held-out terms",
}
"""Shares of ``reward.json`` that stand in the card, and which pairs they are of."""


def write_reward_card(
    folder: Path, model: str, origin: Origin, task: Task, seed: int, record: Mapping[str, Any]
) -> None:
    """Write the card of a reward model into its folder.

    Args:
        folder: The model's folder.
        model: Name of the model whose backbone it has.
        origin: Where that comes from.
        task: Whose preference pairs it learnt.
        seed: Of its training.
        record: What ``reward.json`` says.

    Raises:
        EquipoiseError: It cannot be written.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=origin.base_model,
        library_name="transformers",
        license=origin.licence,
        pipeline_tag="text-classification",
        tags=["equipoise", "bias-control", "reward-model"],
    )
    rows = [
        f"| {words} | {percent(float(record[name]))} |"
        for name, words in ACCURACIES.items()
        if isinstance(record.get(name), int | float)
    ]
    parts = [
        f"# {markdown(f'Reward model on {task.name}, seed {seed}')}",
        f"A reward model with the backbone of {markdown(origin.base_model or model)}: its one "
        "number is higher the better it finds an answer.",
        "## Task and data\n\n" + markdown(definition(task)) + " It learnt preference pairs made by "
        "program from the task's templates: a sentence that satisfies this before one that does "
        "not.",
        "## Measured\n\n" + "\n".join(["| pairs of | ranked right |", "|---|---|", *rows]),
        "## Limits\n\n- It tells sentences of these templates apart. It is no judge of bias, and "
        "a policy trained against it can please it without being balanced.\n- One seed is one "
        "model.",
        "## Licence\n\n" + licence(origin),
    ]
    with open_atomic(folder / CARD) as stream:
        stream.write(f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n")
