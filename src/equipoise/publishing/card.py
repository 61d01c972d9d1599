"""The card of a trained model: a ``README.md`` as the Hub reads it, in the model's folder.

It says what the model was made for, from what, how it was measured and what that does not show.
The words are in ``templates/card.md``; here is what they are filled with.
The same training writes the same bytes: no date, no duration, no path of a machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

import equipoise
from equipoise.files.artifacts import open_atomic
from equipoise.model.draws import Sampling
from equipoise.model.language_model import HOOK_FILES
from equipoise.model.origin import CARD
from equipoise.model.registry import Origin
from equipoise.report.answer import definition
from equipoise.task.task import Task
from equipoise.wording.bibliography import bibliography
from equipoise.wording.markdown import render_markdown
from equipoise.wording.numbers import counted
from equipoise.wording.visible import shown

TEMPLATES = Path(__file__).parent / "templates"

RATES = {
    "balanced": "balanced",
    "satisfied": "balanced and in range",
    "balanced_held_out": "balanced with held-out terms",
    "verbatim": "training sentences",
}
"""Rates of ``results/by_seed.csv`` that stand in a card, and what they are called there."""


@dataclass(frozen=True)
class Trained:
    """A trained model and how it came about.

    Attributes:
        folder: The model's folder, where the card goes.
        method: Name of the method.
        summary: What the method does, in a line.
        model: Name of the base model.
        origin: Where the base model comes from.
        task: What it was fitted to.
        seed: Its seed.
        settings: The method's settings.
        record: What the method wrote down of its training.
        generated: Whether its training sentences were made by program from the task's templates.
        starts: Labels of trained methods whose models it was made of, the latest first.
        prompt: Kind of the task's prompt that completions answer.
        sampling: How completions were drawn; ``None`` where none were.
        rates: Rows of ``by_seed`` of this one model; ``None`` where nothing was measured.
    """

    folder: Path
    method: str
    summary: str
    model: str
    origin: Origin
    task: Task
    seed: int
    settings: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)
    generated: bool = False
    starts: Sequence[str] = ()
    prompt: str = "neutral"
    sampling: Sampling | None = None
    rates: pd.DataFrame | None = None


def write_card(trained: Trained) -> None:
    """Write the card of a model; an earlier one of it is replaced.

    Raises:
        EquipoiseError: It cannot be written.
    """
    task = trained.task
    asked = task.prompts.get(trained.prompt)
    text = render_markdown(
        TEMPLATES / "card.md",
        front_matter=Markup(_front_matter(trained)),  # noqa: S704 - YAML, whose writer quotes
        made=trained,
        task=task,
        origin=trained.origin,
        title=_title(trained),
        version=equipoise.__version__,
        definition=definition(task),
        terms=_terms(task),
        asked=asked if isinstance(asked, str) else None,
        counts=_counts(trained.record),
        source=_source(trained),
        torch=version("torch"),
        transformers=version("transformers"),
        settings=_settings(trained.settings),
        rates=_rates(trained),
        names=RATES,
        how=_how(trained.sampling),
        beside=[name for name in HOOK_FILES if (trained.folder / name).is_file()],
        citation=Markup(bibliography(task.name)),  # noqa: S704 - of this package
    )
    with open_atomic(trained.folder / CARD) as stream:
        stream.write(text)


def _front_matter(trained: Trained) -> str:
    """The table that the Hub reads, as YAML."""
    from huggingface_hub import ModelCardData

    results = _results(trained)
    data = ModelCardData(
        base_model=trained.origin.base_model,
        library_name="transformers",
        license=trained.origin.licence,
        pipeline_tag="text-generation",
        tags=["equipoise", "bias-control", trained.method],
        model_name=shown(_title(trained)) if results else None,
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _results(trained: Trained) -> list[Any]:
    """The rates as the Hub's evaluation results, an entry a split and rate."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=f"equipoise/{trained.task.name}",
            dataset_name=f"{trained.task.name}, {split} subjects",
            dataset_split=split,
            metric_type=name,
            metric_name=words,
            metric_value=round(rates[name], 6),
        )
        for split, rates in _rates(trained)
        for name, words in RATES.items()
        if not math.isnan(rates[name])
    ]


def _rates(trained: Trained) -> list[tuple[str, dict[str, float]]]:
    """Split and rates, a pair a row of the measured table."""
    if trained.rates is None:
        return []
    columns = ["n", *RATES]
    numbers = trained.rates[columns].to_numpy(dtype=float).tolist()
    return [
        (str(split), dict(zip(columns, row, strict=True)))
        for split, row in zip(trained.rates["split"], numbers, strict=True)
    ]


def _title(trained: Trained) -> str:
    return f"{trained.model}, {trained.method} on {trained.task.name}, seed {trained.seed}"


def _terms(task: Task) -> list[str]:
    return [
        f"{counted(len(lexicon.listed), f'{name} term')} and {len(lexicon.held_out)} held-out ones"
        for name, lexicon in task.lexicons.items()
    ]


def _counts(record: Mapping[str, Any]) -> dict[str, int]:
    """What a method counted in its training, of what a card tells."""
    return {
        name: value
        for name in ("n_train", "steps", "trainable_parameters", "directions")
        if isinstance(value := record.get(name), int) and not isinstance(value, bool)
    }


def _source(trained: Trained) -> str:
    """Where its training examples are from."""
    if trained.settings.get("pairs_file"):
        return " of a file that its maker gave"
    if trained.generated:
        return (
            " about train subjects, made by program from the task's templates and listed terms; "
            "no text was collected from people or the web"
        )
    return ""


def _settings(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings as they stand in a card: of a path nothing but its last part."""
    return [
        (name, re.split(r"[/\\]", value)[-1] if isinstance(value, str) else str(value))
        for name, value in settings.items()
    ]


def _how(sampling: Sampling | None) -> list[str]:
    """How completions were drawn, setting by setting."""
    settings = {} if sampling is None else sampling.model_dump(mode="json")
    settings.pop("batch_size", None)
    return [f"{name.replace('_', ' ')} {value}" for name, value in settings.items()]
