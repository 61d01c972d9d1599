"""The card of a reward model: what its rewards are of, and how often they rank right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from equipoise.files.artifacts import open_atomic
from equipoise.model.origin import CARD
from equipoise.model.registry import Origin
from equipoise.publishing.card import TEMPLATES
from equipoise.report.answer import definition
from equipoise.task.task import Task
from equipoise.wording.markdown import render_markdown

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
    text = render_markdown(
        TEMPLATES / "reward_card.md",
        front_matter=Markup(data.to_yaml()),  # noqa: S704 - YAML, whose writer quotes
        title=f"Reward model on {task.name}, seed {seed}",
        origin=origin,
        model=model,
        definition=definition(task),
        accuracies=[
            (words, float(record[name]))
            for name, words in ACCURACIES.items()
            if isinstance(record.get(name), int | float)
        ],
    )
    with open_atomic(folder / CARD) as stream:
        stream.write(text)
