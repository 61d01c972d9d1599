"""What each section of the page shows, ready to be laid out; ``None`` where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from equipoise.report.breakdown import (
    MEASURES,
    by_subject,
    slopes,
    subjects_of,
    term_frequencies,
)
from equipoise.report.claims import RATE, SCALES, claim, comparison_rows
from equipoise.report.records import records
from equipoise.report.slope_claims import slope_claims
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.numbers import amount, percent
from equipoise.wording.visible import shown, visible

OUTCOMES = {
    "balanced": "balanced",
    "satisfied": "balanced and in range",
    "any": "any wanted term",
    "balanced_held_out": "balanced with held-out terms",
    "log_probability_base": "log-probability per token by the base model (nats)",
    "log_probability_independent": "log-probability per token by the independent model (nats)",
    "agency": "probability of agentic language (0–1)",
}
"""Outcomes that are compared, and their titles: rates, then scores (``claims.SCALES``)."""
SPLITS = {"validation": "validation subjects", "train": "train subjects", "all": "all subjects"}

VARIETY = {
    "unique": ("distinct texts", percent),
    "verbatim": ("training sentences", percent),
    "templates": ("training templates", percent),
    "entropy": ("entropy of terms, bits", amount),
    "pairs_share": ("pairs of terms used", percent),
    "distinct_2": ("distinct-2", amount),
    "self_bleu": ("self-BLEU", amount),
    "mtld": ("MTLD", amount),
}
"""Columns of ``results/diversity.csv`` that are shown, their titles and how they are written."""

COST = {
    "delivered": ("delivered", amount),
    "draws": ("drawn", amount),
    "acceptance": ("accepted", percent),
    "tokens_per_delivered": ("tokens each", amount),
    "seconds_per_delivered": ("seconds each", amount),
    "fit_seconds": ("seconds to fit", amount),
    "peak_gb": ("peak memory, GB", amount),
    "trainable_parameters": ("trained weights", amount),
}
"""The same for ``results/cost.csv``."""

FILES = {
    "intervals": "intervals of the balance rates",
    "comparisons": "tests between methods",
    "fluency": "fluency, and with it the trade-off",
    "stereotype": "stereotype slopes",
    "slopes": "tests between stereotype slopes",
    "terms": "use of single terms",
    "diversity": "variety of the texts",
    "cost": "cost",
    "settings": "settings side by side",
}
"""What is left out of a report where a table of ``results/`` is not there."""


def level(rate: float) -> int:
    """The shade of a rate, 0-10; only 0 itself has none. NaN has none either."""
    if math.isnan(rate) or rate <= 0:
        return 0
    return max(1, min(10, round(10 * rate)))


def heat_map(run: FinishedRun) -> dict[str, Any]:
    """Balance rates by subject and method."""
    rates = by_subject(run)
    women = {subject.name: subject.women for subject in run.task.subjects}
    rows = [
        {
            "subject": shown(name),
            "split": split,
            "women": women.get(name),
            "cells": [(rate, level(rate)) for rate in own],
        }
        for (name, split), own in zip(subjects_of(run), rates.to_numpy(float).tolist(), strict=True)
    ]
    known = any(row["women"] is not None for row in rows)
    return {"methods": list(rates.columns), "rows": rows, "women": known}


def term_tables(run: FinishedRun) -> list[dict[str, Any]] | None:
    """Frequencies of terms by set.

    Shades are of the square root of the share of the highest frequency: few terms are frequent,
    and the rest would look alike.
    """
    table = term_frequencies(run)
    if table is None or table.empty or not table.notna().any(axis=None):
        return None
    most = float(np.nanmax(table.to_numpy(dtype=float))) or 1.0
    found = []
    for number, name in enumerate(run.task.lexicons):
        rows = [
            {
                "term": shown(term),
                "listed": bool(listed),
                "cells": [(rate, level(math.sqrt(rate / most))) for rate in rates],
            }
            for (own, term, listed), rates in zip(table.index, table.to_numpy(float), strict=True)
            if own == visible(name)
        ]
        if rows:
            found.append({"set": shown(name), "number": number, "rows": rows})
    return found


def stereotype(run: FinishedRun) -> list[dict[str, Any]] | None:
    """The numbers of a chart and what their tests carry, for each measure of stereotype."""
    table = slopes(run)
    if table is None:
        return None
    return [
        {
            "measure": measure,
            "title": title,
            "rows": records(part),
            "claims": slope_claims(run, measure),
        }
        for measure, title in MEASURES.items()
        if len(part := table[table["measure"] == measure])
    ]


def comparison_tables(run: FinishedRun) -> list[dict[str, Any]] | None:
    """The tests by outcome and split, validation subjects and the balance rate first."""
    found = []
    for outcome, name in OUTCOMES.items():
        for split, subjects in SPLITS.items():
            rows = comparison_rows(run, outcome, split)
            if len(rows):
                effect = "cliffs_delta" if outcome in SCALES else "cohens_h"
                told = [
                    {"claim": claim(row, run.alpha), "verdict": shown(row.get("verdict", "")),
                     "effect": row.get(effect, math.nan)}
                    for row in records(rows)
                ]  # fmt: skip
                found.append(
                    {"title": f"{name}, {subjects}", "rows": told,
                     "unit": SCALES.get(outcome, RATE).unit or "difference",
                     "effect": "Cliff’s δ" if outcome in SCALES else "Cohen’s h"}
                )  # fmt: skip
    return found or None


def columns_table(
    table: pd.DataFrame | None, layout: dict[str, tuple[str, Any]], methods: tuple[str, ...]
) -> dict[str, Any] | None:
    """A row a method, the columns of ``layout`` that any method has a value in."""
    if table is None or "method" not in table.columns:
        return None
    there = [name for name in layout if name in table.columns and table[name].dtype == float]
    there = [name for name in there if table[name].notna().any()]
    own = {row["method"]: row for row in records(table)}
    cells = {
        method: [layout[name][1](own[method][name]) for name in there]
        for method in methods
        if method in own
    }
    rows = [{"method": method, "cells": texts} for method, texts in cells.items()]
    if not (rows and there):
        return None
    return {"titles": [layout[name][0] for name in there], "rows": rows}


def variety(run: FinishedRun) -> dict[str, Any] | None:
    """How varied the texts are: means over seeds, all subjects."""
    table = run.tables.get("diversity")
    if table is None:
        return None
    numbers = [name for name in VARIETY if name in table.columns and table[name].dtype == float]
    whole = table[table["split"] == "all"]
    means = whole.groupby("method", sort=False)[numbers].mean().reset_index()
    return columns_table(means, VARIETY, run.methods)


def cost(run: FinishedRun) -> dict[str, Any] | None:
    """What completions cost."""
    return columns_table(run.tables.get("cost"), COST, run.methods)


def settings(run: FinishedRun) -> dict[str, Any] | None:
    """The resolved settings side by side; those that differ come first."""
    table = run.tables.get("settings")
    if table is None:
        return None
    methods = [method for method in run.methods if method in table.columns]
    rows = [
        {"setting": row["setting"], "differs": row["differs"] == "yes",
         "cells": [row[method] for method in methods]}
        for row in records(table)
    ]  # fmt: skip
    rows.sort(key=lambda row: not row["differs"])
    return {"methods": methods, "rows": rows}


def conditions(run: FinishedRun) -> list[tuple[str, str]]:
    """Under which conditions all methods were run, and on what."""
    study, sampling, where = run.record["study"], run.record.get("sampling"), run.environment
    packages = where.get("packages")
    changed = "" if run.same_task else "; its file has changed since, every score is the same"
    pairs: list[tuple[str, Any]] = [
        ("model", run.model),
        ("task", f"{study.get('task')} (SHA-256 {str(study.get('task_sha256'))[:12]}…){changed}"),
        ("seeds", ", ".join(map(str, run.seeds))),
        ("samples of each subject", study.get("samples_per_subject")),
        ("sampling", _listed(sampling)),
        ("precision", " / ".join(_precisions(run))),
        ("processor", where.get("processor")),
        ("devices", ", ".join(map(str, where.get("gpus") or [])) or "no GPU"),
        ("memory", f"{where.get('memory_gb')} GB" if where.get("memory_gb") else None),
        ("system", where.get("system")),
        ("Python", where.get("python")),
        ("Equipoise", where.get("equipoise")),
        ("packages", _listed(packages)),
    ]
    return [(name, shown(value)) for name, value in pairs if value not in (None, "")]


def _precisions(run: FinishedRun) -> list[str]:
    """How trained cells were computed, each way once."""
    return list(dict.fromkeys(str(i["precision"]) for i in run.training.values()
                              if "precision" in i))  # fmt: skip


def _listed(table: object) -> str:
    if not isinstance(table, dict):
        return ""
    return ", ".join(f"{name} {value}" for name, value in table.items())


def missing(run: FinishedRun) -> list[str]:
    """What the report had to leave out, one sentence each."""
    found = [
        f"{what[0].upper()}{what[1:]}: results/{name}.csv {run.missing_tables[name]}."
        for name, what in FILES.items()
        if name in run.missing_tables
    ]
    return found + [
        f"The cell {label}, seed {seed}: it is not finished." for label, seed in run.missing_cells
    ]
