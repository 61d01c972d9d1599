"""Rates by subject, use of terms, slopes and training curves: what both page and figures draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from equipoise.measures.stereotype_quantities import titles
from equipoise.report.headline import leading_split, shown_of
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.visible import visible

MOST_POINTS = 200
"""Points of a curve that are drawn; longer ones are averaged in bins."""


def subjects_of(run: FinishedRun) -> list[tuple[str, str]]:
    """Subjects with completions and their split: the task's in its order, then others by name."""
    there = dict(zip(run.completions["subject"], run.completions["split"], strict=True))
    own = [subject.name for subject in run.task.subjects if subject.name in there]
    others = sorted(set(there) - set(own))
    return [(name, str(there[name])) for name in (*own, *others)]


def by_subject(run: FinishedRun, outcome: str = "balanced") -> pd.DataFrame:
    """Rates (0-1) of an outcome, a row per subject and a column per method; NaN where none is.

    Means over seeds of the rates of each seed.
    """
    flags = run.completions.assign(value=run.completions[outcome].astype("float64"))
    rates = flags.groupby(["method", "subject", "seed"], sort=False)["value"].mean()
    table = rates.groupby(["subject", "method"]).mean().unstack("method")
    order = [method for method in run.methods if method in table.columns]
    return table.reindex(index=[name for name, _ in subjects_of(run)], columns=order)


def term_frequencies(run: FinishedRun) -> pd.DataFrame | None:
    """Share of completions (0-1) that hold a term, a row per set and term, a column per method.

    The index has the levels ``set``, ``term`` and ``listed`` (bool). Over all subjects and seeds.
    ``None`` without ``results/terms.csv``.
    """
    table = run.tables.get("terms")
    if table is None:
        return None
    known = {
        (visible(name), visible(term)): listed
        for name, lexicon in run.task.lexicons.items()
        for listed, terms in ((True, lexicon.listed), (False, lexicon.held_out))
        for term in terms
    }
    sums = table.groupby(["set", "term", "method"], sort=False)[["count", "n"]].sum()
    rates = (sums["count"] / sums["n"]).unstack("method")
    order = [method for method in run.methods if method in rates.columns]
    rates = rates.reindex(index=pd.MultiIndex.from_tuples(list(known)), columns=order)
    index = [(name, term, listed) for (name, term), listed in known.items()]
    rates.index = pd.MultiIndex.from_tuples(index, names=["set", "term", "listed"])
    return rates


def slopes(run: FinishedRun) -> pd.DataFrame | None:
    """A row per charted measure and method: ``slope``, ``low``, ``high``, ``r``, ``seeds``.

    ``seeds`` lists the slopes of single seeds. ``None`` without ``results/stereotype.csv``.
    """
    table = run.tables.get("stereotype")
    if table is None:
        return None
    rows = []
    for measure in titles(run.task):
        for method in run.methods:
            own = table[(table["measure"] == measure) & (table["method"] == method)]
            pooled = own[own["seed"].isna()]
            if len(pooled) and not math.isnan(float(pooled["slope"].iloc[0])):
                found = pooled.iloc[0]
                row = {name: float(found[name]) for name in ("slope", "low", "high", "r")}
                seeds = own.loc[own["seed"].notna(), "slope"].dropna().tolist()
                rows.append({"measure": measure, "method": method, **row, "seeds": seeds})
    columns = ["measure", "method", "slope", "low", "high", "r", "seeds"]
    return pd.DataFrame(rows, columns=columns) if rows else None


def trade_off(table: pd.DataFrame) -> pd.DataFrame | None:
    """Balance against fluency: ``method``; ``balance``, ``low``, ``high`` (0-1); ``fluency``, nats.

    Balance is of validation subjects, or of all where there are none. ``None`` without fluency.

    Args:
        table: A run's ``headline``.
    """
    judged = [one.name for one in shown_of(table) if one.name.startswith("log_probability_")]
    if not judged or table[judged[0]].isna().all():
        return None
    split = leading_split(table)
    points = pd.DataFrame(
        {
            "method": table["method"],
            "balance": table[split],
            "low": table[f"{split}_low"],
            "high": table[f"{split}_high"],
            "fluency": table[judged[0]],
        }
    )
    points = points.dropna(subset=["balance", "fluency"]).reset_index(drop=True)
    return points if len(points) else None


@dataclass(frozen=True)
class Curve:
    """What one cell's training wrote down, step by step.

    Attributes:
        method: Its label.
        seed: Its seed.
        name: What is drawn: ``loss``, or ``reward`` where there is one.
        steps: Optimiser steps, ascending.
        values: As many.
        held_out: Step and value of the evaluation loss, where it was measured.
    """

    method: str
    seed: int
    name: str
    steps: np.ndarray
    values: np.ndarray
    held_out: tuple[tuple[float, float], ...] = ()


def curves(run: FinishedRun) -> list[Curve]:
    """The training curves of all cells that have one; what is not a finite number is left out."""
    found = []
    for (method, seed), info in run.training.items():
        history = info.get("history")
        history = history if isinstance(history, list) else []
        rows = [row for row in history if isinstance(row, dict)]
        name = "reward" if any("reward" in row for row in rows) else "loss"
        points = _points(rows, name)
        if len(points) > 1:
            steps, values = _binned(np.array(points))
            held_out = tuple(_points(rows, "eval_loss")) if name == "loss" else ()
            found.append(Curve(method, seed, name, steps, values, held_out))
    return found


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    """Steps and values of one quantity, in order of steps."""
    pairs = [(row.get("step"), row[name]) for row in rows if name in row]
    numbers = [
        (float(step), float(value))
        for step, value in pairs
        if isinstance(step, int | float) and isinstance(value, int | float)
    ]
    return sorted(pair for pair in numbers if all(map(math.isfinite, pair)))


def _binned(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of steps and values in at most ``MOST_POINTS`` bins of equal size."""
    if len(points) <= MOST_POINTS:
        return points[:, 0], points[:, 1]
    bins = np.array_split(points, MOST_POINTS)
    means = np.array([part.mean(axis=0) for part in bins])
    return means[:, 0], means[:, 1]
