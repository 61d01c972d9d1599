"""What each section of the page shows, ready to be laid out; ``None`` where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from equipoise.measures import registry
from equipoise.measures.stereotype_quantities import titles
from equipoise.report.breakdown import (
    by_subject,
    slopes,
    subjects_of,
    term_frequencies,
)
from equipoise.report.claims import claim, comparison_rows, over, scale_of
from equipoise.report.records import records
from equipoise.report.slope_claims import slope_claims
from equipoise.runs.finished_run import FinishedRun
from equipoise.runs.result_tables import optional_tables
from equipoise.wording.visible import shown, visible

SPLITS = {"validation": "validation subjects", "train": "train subjects", "all": "all subjects"}


def level(rate: float) -> int:
    """The shade of a rate, 0-10; only 0 itself has none. NaN has none either."""
    if math.isnan(rate) or rate <= 0:
        return 0
    return max(1, min(10, round(10 * rate)))


def heat_map(run: FinishedRun) -> dict[str, Any]:
    """Balance rates by subject and method."""
    rates = by_subject(run)
    shares, axis = run.task.shares, run.task.axis
    rows = [
        {
            "subject": shown(name),
            "split": split,
            "share": shares.get(name),
            "cells": [(rate, level(rate)) for rate in own],
        }
        for (name, split), own in zip(subjects_of(run), rates.to_numpy(float).tolist(), strict=True)
    ]
    known = any(row["share"] is not None for row in rows)
    share = shown(axis.share) if axis and known else None
    return {"methods": list(rates.columns), "rows": rows, "share": share}


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
        for measure, title in titles(run.task).items()
        if len(part := table[table["measure"] == measure])
    ]


def comparison_tables(run: FinishedRun) -> list[dict[str, Any]] | None:
    """The tests by outcome and split, validation subjects and the balance rate first."""
    found = []
    for outcome in registry.outcomes():
        for split, subjects in SPLITS.items():
            rows = comparison_rows(run, outcome.name, split)
            if len(rows):
                effect = "cohens_h" if outcome.is_rate else "cliffs_delta"
                told = [
                    {"claim": claim(row, run.alpha),
                     "verdict": shown(f"{row.get('verdict', '')}{over(row)}"),
                     "effect": row.get(effect, math.nan)}
                    for row in records(rows)
                ]  # fmt: skip
                found.append(
                    {"title": f"{outcome.title}, {subjects}", "rows": told,
                     "unit": scale_of(outcome.name).unit or "difference",
                     "effect": "Cohen’s h" if outcome.is_rate else "Cliff’s δ"}
                )  # fmt: skip
    return found or None


def measure_sections(run: FinishedRun) -> list[dict[str, Any]]:
    """The sections of all measures that have one, in their order."""
    return [
        {
            "name": measure.name,
            "title": measure.title,
            "introduction": measure.introduction,
            "table": table,
            "notes": measure.notes(run.tables),
        }
        for measure in registry.MEASURES
        if (table := measure.section_of(run.tables, run.methods)) is not None
    ]


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
    study, where = run.record["study"], run.environment
    packages = where.get("packages")
    changed = "" if run.same_task else "; its file has changed since, every score is the same"
    pairs: list[tuple[str, Any]] = [
        ("model", run.model),
        ("task", f"{study.get('task')} (SHA-256 {str(study.get('task_sha256'))[:12]}…){changed}"),
        ("seeds", ", ".join(map(str, run.seeds))),
        ("samples of each subject", study.get("samples_per_subject")),
        ("sampling", _listed(run.sampling)),
        ("left to the server", ", ".join(run.left_out)),
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
        f"{table.absent[0].upper()}{table.absent[1:]}: results/{name}.csv "
        f"{run.missing_tables[name]}."
        for name, table in optional_tables().items()
        if name in run.missing_tables
    ]
    return found + [
        f"The cell {label}, seed {seed}: it is not finished." for label, seed in run.missing_cells
    ]
