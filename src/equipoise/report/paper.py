"""Paragraphs for a paper, filled with what was measured, and no claim that nothing carries.

The words are in ``templates/paper.md``; here is what they are filled with.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from equipoise.measures.stereotype_quantities import HEADLINE, titles
from equipoise.report.answer import definition, limits
from equipoise.report.claims import Claim, caveats, claim, comparison_rows
from equipoise.report.headline import leading_split
from equipoise.report.records import records
from equipoise.report.sections import SPLITS, missing
from equipoise.report.slope_claims import slope_claims
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.markdown import render_markdown
from equipoise.wording.numbers import counted

TEMPLATE = Path(__file__).parent / "templates" / "paper.md"


def paper(run: FinishedRun, table: pd.DataFrame, citation: str) -> str:
    """``paper.md``: method, results, what cannot be concluded, and BibTeX.

    Args:
        run: The run.
        table: Its ``headline``.
        citation: BibTeX entries.
    """
    return render_markdown(
        TEMPLATE,
        run=run,
        task=run.task,
        rows=[row | {"splits": _splits(row)} for row in records(table)],
        methods=table["method"].tolist(),
        definition=definition(run.task),
        sets=[counted(len(lexicon.listed), f"{name} term")
              for name, lexicon in run.task.lexicons.items()],
        held_out=sum(len(lexicon.held_out) for lexicon in run.task.lexicons.values()),
        samples=run.record["study"].get("samples_per_subject", "several"),
        drawn=_drawn(run),
        trainings=_trainings(run),
        subjects=SPLITS,
        split=leading_split(table),
        comparisons=_comparisons(run, leading_split(table)),
        slopes=slope_claims(run, HEADLINE),
        measure=titles(run.task).get(HEADLINE, HEADLINE),
        limits=[*limits(run, table), *caveats(len(run.seeds))],
        missing=missing(run),
        citation=Markup(citation),  # noqa: S704 - in a block of code, and of this package
    )  # fmt: skip


def _splits(row: dict[str, Any]) -> list[str]:
    """The splits whose rates are told of a method: those it has, else all subjects together."""
    return [split for split in ("train", "validation") if not math.isnan(row[split])] or ["all"]


_SAMPLING = {
    "temperature": "temperature {}",
    "top_p": "top-p {}",
    "max_new_tokens": "at most {} new tokens",
}


def _drawn(run: FinishedRun) -> list[str]:
    """How completions were drawn, in words."""
    told = [
        words.format(run.sampling[key]) for key, words in _SAMPLING.items() if key in run.sampling
    ]
    return [*told, *(f"{name} left to the server" for name in run.left_out)]


def _trainings(run: FinishedRun) -> list[dict[str, Any]]:
    """Each trained method with its data, updates, learning rate and weights."""
    found = []
    for method in run.methods:
        infos = [info for (label, _), info in run.training.items() if label == method]
        if not infos:
            continue
        info = infos[0]
        settings = info.get("settings") if isinstance(info.get("settings"), dict) else {}
        facts = [
            _fact(info, "n_train", "{:,} programmatically generated examples"),
            _fact(info, "steps", "{:,} updates")
            + _fact(info, "effective_batch", " of {:,} examples"),
            _fact(settings, "learning_rate", "learning rate {:g}"),
            _fact(info, "trainable_parameters", "{:,} trained weights"),
        ]
        told = [fact for fact in facts if fact]
        found.append({"method": method, "facts": told, "cells": len(infos)})
    return found


def _fact(info: Any, name: str, words: str) -> str:
    value = info.get(name)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return words.format(value) if number and math.isfinite(value) else ""


def _comparisons(run: FinishedRun, split: str) -> list[tuple[str, list[str]]]:
    """Titles and what was shown, against the untuned baseline first; empty without tests."""
    told = [claim(row, run.alpha) for row in records(comparison_rows(run, "balanced", split))]
    baseline = next((m for m in run.methods if run.method_name(m) == "prompt"), None)
    first = [one for one in told if baseline in (one.higher, one.lower)]
    rest = [one for one in told if one not in first]
    groups = {
        f"Against {baseline}": first,
        "Between the others" if first else "Between methods": rest,
    }
    return [
        (title, [one.text for one in _ordered(claims)])
        for title, claims in groups.items()
        if claims
    ]


def _ordered(claims: list[Claim]) -> list[Claim]:
    """What is shown first, then by size of the difference."""
    rank = {"differs": 0, "equivalent": 1, "not shown": 2, "not tested": 3}
    return sorted(claims, key=lambda one: (rank[one.finding], -one.difference))
