"""Folders of finished runs made by hand: no model, every number known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import tiny_task
from equipoise.completions.frame import COLUMNS
from equipoise.files.artifacts import write_json
from equipoise.files.manifest import seal
from equipoise.measures import by_seed, compliance_table, read_completions, score, write_table
from equipoise.runs.identity import task_digest
from equipoise.runs.scored_file import write_scored
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from tiny_task import REPORTED, varied

TASK = varied(tiny_task.TASK, *REPORTED)

BALANCED = "The {subject} was bold and kind."
HALF = "The {subject} was bold and tall."
HELD_OUT = "The {subject} was active and warm."
NEITHER = "The {subject} was."

Texts = Callable[[str, int, str], Sequence[str]]
"""The texts of a method, a seed and a subject."""


def small_texts(method: str, seed: int, subject: str) -> Sequence[str]:
    """``prompt``: 0 of 4 balanced. ``sft``: 4 of 4, of the nurse with seed 1 only 2."""
    if method == "prompt":
        kinds = [NEITHER, HALF, HELD_OUT, NEITHER]
    else:
        kinds = [BALANCED] * (2 if (seed, subject) == (1, "nurse") else 4)
        kinds += [HALF] * (4 - len(kinds))
    return [kind.format(subject=subject) for kind in kinds]


def small_task(folder: Path, text: str = TASK) -> Task:
    """The task above, written to ``folder`` and read."""
    path = folder / "small.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_task(path)


def make_run(
    folder: Path,
    task: Task,
    *,
    methods: Sequence[str] = ("prompt", "sft"),
    seeds: Sequence[int] = (1, 2, 3),
    texts: Texts = small_texts,
    record: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    unfinished: Sequence[tuple[str, int]] = (),
) -> Path:
    """Write a run's folder as ``equipoise run`` does.

    Args:
        folder: A new folder.
        task: Its task.
        methods: Labels; the one named ``sft`` is trained.
        seeds: Seeds.
        texts: Gives the texts.
        record: Replaces parts of ``study.json``.
        tables: Further tables of ``results/``.
        unfinished: Cells that are not there.
    """
    frames = []
    for label in methods:
        for seed in seeds:
            if (label, seed) not in unfinished:
                frames.append(_make_cell(folder, task, label, seed, texts))
    scored = score(pd.concat([f for f in frames if f is not None], ignore_index=True), task)
    rates = by_seed(scored, task)
    results = {"by_seed": rates, "compliance": compliance_table(rates), **(tables or {})}
    for name, table in results.items():
        write_table(folder / "results" / f"{name}.csv", table)
    study = {"task": task.name, "task_sha256": task_digest(task), "model": "tiny",
             "samples_per_subject": 4}  # fmt: skip
    whole = {
        "name": "made",
        "study": study,
        "sampling": {"temperature": 1.0, "top_p": 0.95, "max_new_tokens": 64},
        "methods": {label: {"use": label} for label in methods},
        "seeds": list(seeds),
    }
    hostile = json.dumps({**whole, **(record or {})})  # ASCII: it may hold lone surrogates
    (folder / "study.json").write_text(hostile, encoding="ascii")
    write_json(folder / "environment.json", {"equipoise": "0.1.0", "python": "3.11", "gpus": []})
    return folder


def _make_cell(
    folder: Path, task: Task, label: str, seed: int, texts: Texts
) -> pd.DataFrame | None:
    cell = folder / "cells" / label / f"seed{seed}"
    rows = [
        (label, seed, subject.name, subject.split, run, text, True, 9)
        for subject in task.subjects
        for run, text in enumerate(texts(label, seed, subject.name))
    ]
    write_table(cell / "completions.csv", pd.DataFrame(rows, columns=list(COLUMNS)))
    if label == "sft":
        history = [{"loss": 4.0 / step, "step": float(step)} for step in range(1, 6)]
        history.append({"eval_loss": 1.5, "step": 5.0})
        info = {"n_train": 40, "steps": 5, "history": history, "settings": {"learning_rate": 1e-4}}
        write_json(cell / "training_info.json", info)
    completions = read_completions(cell / "completions.csv", task) if rows else None
    if completions is not None:
        write_scored(cell, score(completions, task))
    seal(cell)
    return completions


def comparisons(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """A comparisons table; what a row does not say is of an ordinary difference of ``sft``."""
    ordinary = {
        "outcome": "balanced", "split": "validation", "method_a": "prompt", "method_b": "sft",
        "seeds_a": 3, "seeds_b": 3, "mean_a": 0.0, "mean_b": 0.9, "difference": -0.9,
        "low": -0.95, "high": -0.8, "p": 0.001, "p_holm": 0.001, "cohens_h": -2.5,
        "p_equivalent_holm": 1.0, "verdict": "sft is higher than prompt.",
    }  # fmt: skip
    return pd.DataFrame([{**ordinary, **row} for row in rows or [{}]])


def intervals(low: float = 0.7, high: float = 0.999) -> pd.DataFrame:
    """An intervals table of ``sft`` alone."""
    return pd.DataFrame(
        [("balanced", "sft", split, low, high) for split in ("train", "validation", "all")],
        columns=["outcome", "method", "split", "low", "high"],
    )


def fluency() -> pd.DataFrame:
    """A fluency table of both methods and one seed."""
    rows = [("base", "tiny", m, 1, "all", v) for m, v in (("prompt", -2.0), ("sft", -1.5))]
    names = ["judge", "model", "method", "seed", "split", "log_probability_median"]
    return pd.DataFrame(rows, columns=names)


def stereotype() -> pd.DataFrame:
    """A stereotype table of both methods: seeds, and all of them together."""
    rows = [
        ("association_unfitted", method, seed, slope + shift, slope - 0.5, slope + 0.5, 0.8)
        for method, slope in (("prompt", 2.2), ("sft", 1.4))
        for seed, shift in ((1, -0.1), (2, 0.1), (None, 0.0))
    ]
    names = ["measure", "method", "seed", "slope", "low", "high", "r"]
    return pd.DataFrame(rows, columns=names).astype({"seed": "Int64"})


def terms(task: Task) -> pd.DataFrame:
    """A terms table: ``bold`` in 3 of 4 completions of ``sft`` about each subject, else nothing."""
    rows = [
        (method, 1, subject.name, subject.split, name, term, term in lexicon.listed,
         3 if (method, term) == ("sft", "bold") else 0, 4)
        for method in ("prompt", "sft")
        for subject in task.subjects
        for name, lexicon in task.lexicons.items()
        for term in lexicon.terms("all")
    ]  # fmt: skip
    names = ["method", "seed", "subject", "split", "set", "term", "listed", "count", "n"]
    return pd.DataFrame(rows, columns=names)


def cost() -> pd.DataFrame:
    """A cost table; ``sft`` was asked for more than it delivered."""
    return pd.DataFrame(
        {
            "method": ["prompt", "sft"],
            "wanted": [36, 50],
            "delivered": [36, 36],
            "draws": [36, 90],
            "acceptance": [1.0, 0.4],
            "tokens_per_delivered": [9.0, 22.5],
            "seconds_per_delivered": [0.01, 0.02],
            "fit_seconds": [0.0, 60.0],
        }
    )


def slopes() -> pd.DataFrame:
    """Tests between slopes: one shown, one not, one impossible, as two methods have one model."""
    nothing = float("nan")
    rows = [
        ("association_unfitted", "prompt", "filter", 2.2, 2.2, 0.0, nothing, nothing, nothing),
        ("association_unfitted", "prompt", "sft", 2.2, 1.4, 0.8, 0.5, 1.1, 0.0002),
        ("association_unfitted", "prompt", "dpo", 2.2, 2.3, -0.1, -0.4, 0.2, 0.4),
        ("association_unfitted", "filter", "sft", 2.2, 1.4, 0.8, 0.5, 1.1, 0.0002),
        ("association_unfitted", "filter", "dpo", 2.2, 2.3, -0.1, -0.4, 0.2, 0.4),
    ]
    names = ["measure", "method_a", "method_b", "slope_a", "slope_b", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "p_holm"])


def every_table(task: Task) -> dict[str, pd.DataFrame]:
    """All optional tables but those of diversity and settings."""
    return {
        "comparisons": comparisons(),
        "intervals": intervals(),
        "fluency": fluency(),
        "stereotype": stereotype(),
        "slopes": slopes(),
        "terms": terms(task),
        "cost": cost(),
    }
