"""Everything a report says as JSON, for programs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

import equipoise
from equipoise.files.artifacts import write_json
from equipoise.measures import registry
from equipoise.report.answer import Answer
from equipoise.report.breakdown import term_frequencies
from equipoise.report.claims import caveats, claim, comparison_rows
from equipoise.report.records import records
from equipoise.report.sections import SPLITS, missing
from equipoise.runs.finished_run import FinishedRun

KIND = "equipoise_report"
"""Key that tells a report's JSON from others; its value is the version of the layout."""

FORMAT = 2


def write_results(run: FinishedRun, table: pd.DataFrame, answer: Answer, path: Path) -> None:
    """Write ``results.json``.

    Its keys: ``equipoise_report`` (2), ``equipoise`` (version), ``study`` (``study.json``),
    ``environment``, ``answer``, ``headline`` (see ``headline.headline``), ``claims``, ``caveats``,
    ``missing``, ``terms`` (see ``breakdown.term_frequencies``) and ``tables`` (the others of
    ``results/``, by name). What was not measured is null, and so is what came to infinity.

    Args:
        run: The run.
        table: Its ``headline``.
        answer: Its ``answer``.
        path: The file.
    """
    terms = term_frequencies(run)
    write_json(
        path,
        {
            KIND: FORMAT,
            "equipoise": equipoise.__version__,
            "study": dict(run.record),
            "environment": dict(run.environment),
            "answer": {
                "question": answer.question,
                "definition": answer.definition,
                "result": answer.result,
                "limits": list(answer.limits),
            },
            "headline": plain_records(table),
            "claims": claims(run),
            "caveats": caveats(len(run.seeds)),
            "missing": missing(run),
            "terms": [] if terms is None else plain_records(terms.reset_index()),
            "tables": {
                name: plain_records(part) for name, part in run.tables.items() if name != "terms"
            },
        },
    )


def claims(run: FinishedRun) -> list[dict[str, Any]]:
    """Every comparison in words, with its outcome and split."""
    found = []
    for outcome in (one.name for one in registry.outcomes()):
        for split in SPLITS:
            for row in records(comparison_rows(run, outcome, split)):
                told = claim(row, run.alpha)
                found.append(
                    {"outcome": outcome, "split": split, "finding": told.finding,
                     "higher": told.higher, "lower": told.lower, "text": told.text}
                )  # fmt: skip
    return found


def plain_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; NaN and infinity as ``None``."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in records(table)]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
