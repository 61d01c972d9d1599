"""The card of a trained model: a ``README.md`` as the Hub reads it, in the model's folder.

It says what the model was made for, from what, how it was measured and what that does not show.
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

import equipoise
from equipoise.decoding.sampler import Sampling
from equipoise.files.artifacts import open_atomic
from equipoise.model.origin import CARD
from equipoise.model.projected import PROJECTIONS_FILE
from equipoise.model.registry import Origin
from equipoise.report.answer import definition
from equipoise.task.task import Task
from equipoise.wording.bibliography import bibliography
from equipoise.wording.markdown import markdown
from equipoise.wording.numbers import counted, listing, percent
from equipoise.wording.visible import shown

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
        starts: Labels of trained methods it started from, the latest first.
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
    with open_atomic(trained.folder / CARD) as stream:
        stream.write(f"---\n{_front_matter(trained)}\n---\n\n{_text(trained)}")


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


def _text(trained: Trained) -> str:
    """Everything below the front matter."""
    parts = [
        f"# {markdown(_title(trained))}",
        f"A language model made with Equipoise {equipoise.__version__} to study bias control, by "
        f"the method {markdown(trained.method)}: {markdown(trained.summary)}. It is an object of "
        "research, not a product.",
        "## Task\n\n" + _task(trained),
        "## Training\n\n" + _training(trained),
        "## Measured\n\n" + _measured(trained),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _limits(trained)),
        "## Licence\n\n" + licence(trained.origin),
        f"## Cite\n\n```bibtex\n{bibliography(trained.task.name)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _task(trained: Trained) -> str:
    task = trained.task
    terms = [
        f"{counted(len(lexicon.listed), f'{name} term')} and {len(lexicon.held_out)} held-out ones"
        for name, lexicon in task.lexicons.items()
    ]
    asked = task.prompts.get(trained.prompt)
    template = f"> {markdown(asked)}\n\n" if isinstance(asked, str) else ""
    return (
        f"{markdown(task.name)}: {markdown(task.description)}\n\n"
        f"{markdown(definition(task))} Terms are matched as whole words: {markdown(listing(terms))}"
        f". {counted(len(task.train), 'subject')} may stand in training data; "
        f"{len(task.validation)} are held out.\n\n"
        f"The prompt ({markdown(trained.prompt)}), in the model's chat format where it has one; "
        f"the answer begins with “{markdown(task.prefix)}”:\n\n{template}"
    ).rstrip()


def _training(trained: Trained) -> str:
    """What it was trained from and how, and the settings as a table."""
    record = trained.record
    facts = [f"Base model: {markdown(trained.origin.base_model or trained.model)}."]
    if trained.starts:
        facts.append(f"It started from what {markdown(' after '.join(trained.starts))} had made.")
    if _is_count(record.get("n_train")):
        facts.append(f"Data: {counted(record['n_train'], 'example')}{_source(trained)}.")
    if _is_count(record.get("steps")):
        facts.append(f"{counted(record['steps'], 'update')}.")
    if _is_count(record.get("trainable_parameters")):
        facts.append(f"{counted(record['trainable_parameters'], 'trained weight')}.")
    if _is_count(record.get("directions")):
        facts.append(f"{counted(record['directions'], 'direction')} projected out of its states.")
    facts.append(
        f"Seed {trained.seed}. torch {version('torch')}, transformers {version('transformers')}."
    )
    rows = [f"| {markdown(name)} | {_setting(value)} |" for name, value in trained.settings.items()]
    return "\n".join([" ".join(facts), "", "| setting | value |", "|---|---|", *rows])


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


def _setting(value: object) -> str:
    """A setting as it stands in a card: of a path nothing but its last part."""
    text = str(value)
    return markdown(re.split(r"[/\\]", text)[-1] if isinstance(value, str) else text)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _measured(trained: Trained) -> str:
    """The rates of this one model as a table, and how they came about."""
    rates = _rates(trained)
    if not rates:
        return (
            "Nothing yet. `equipoise generate` draws completions, `equipoise evaluate` scores them."
        )
    head = ["subjects", "completions", *RATES.values()]
    rows = [
        f"| {split} | {row['n']:,.0f} | {' | '.join(percent(row[name]) for name in RATES)} |"
        for split, row in rates
    ]
    drawn = "" if trained.sampling is None else f" Completions were drawn with {_how(trained)}."
    table = [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows]
    return "\n".join(
        [
            f"Of this one model, with seed {trained.seed}.{drawn} How much models of other seeds "
            "differ, and what methods differ by, is in the report of the study.",
            "",
            *table,
        ]
    )


def _how(trained: Trained) -> str:
    assert trained.sampling is not None  # noqa: S101 - its caller has looked
    settings = trained.sampling.model_dump(mode="json")
    settings.pop("batch_size", None)
    return listing([f"{name.replace('_', ' ')} {value}" for name, value in settings.items()])


def _limits(trained: Trained) -> list[str]:
    """What nobody should conclude from the numbers."""
    limits = [
        "Balance of words is not absence of bias: how strongly the model associates subjects with "
        "gender is another measure, and may be unchanged.",
        "Rates hold for this prompt, these subjects, these terms and this sampling. A model can "
        "learn the listed terms and not what they mean: compare the rate with held-out terms.",
        "One seed is one model. Nothing about the method follows from it.",
        "What it says on other subjects, its truthfulness, its safety and its general abilities "
        "were not measured, and training can have changed them.",
    ]
    if (trained.folder / PROJECTIONS_FILE).is_file():
        limits.append(
            f"Part of its control is in `{PROJECTIONS_FILE}`, which only Equipoise applies: "
            "transformers alone loads the model without it."
        )
    return limits


def licence(origin: Origin) -> str:
    """Under which terms a model made from ``origin`` may be used, in a sentence."""
    base = markdown(origin.base_model or "the base model")
    if origin.licence is None:
        return (
            f"The terms of {base} apply to this model too. Equipoise does not know them: look them "
            "up, and name them in `license` above, before you pass the model on."
        )
    return f"{markdown(origin.licence)}, as {base}, from whose weights this model was made."
