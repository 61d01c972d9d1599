"""The main table: one row a method, with what a reader asks first."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.statistics.cells import SPLITS

JUDGES = ("base", "independent")
"""Who judges fluency, best known first; the first that is there stands in the main table."""


def headline(run: FinishedRun) -> pd.DataFrame:
    """One row a method that delivered something, in the study file's order.

    Columns, what was not measured being NaN:

    - ``method``; ``n``: completions; ``seeds``: how many; ``wanted``: completions asked for.
    - ``train``, ``validation``, ``all``: balance rate (0-1), mean over seeds, of train, validation
      and all subjects; each with ``_sd`` (sample SD over seeds), ``_low`` and ``_high`` (its
      interval, if ``results/intervals.csv`` is there and is about the same subjects).
    - ``gap``, ``gap_low``, ``gap_high``: train minus validation.
    - ``held_out``, ``balanced_all``: balance rate with held-out terms alone, and with all terms.
    - ``any``, ``satisfied``, ``in_range``, ``verbatim``: rates (0-1), of all subjects.
    - ``fluency``: median log-probability per token (nats, at most 0) by the first of ``JUDGES``.
    - ``slope``, ``slope_low``, ``slope_high``: see ``measure_of``.
    - ``tokens``, ``seconds``: for each completion delivered; ``fit_seconds``: of a cell.
    """
    compliance = run.compliance
    rows = []
    for method in run.methods:
        own = {row["split"]: row for row in records(compliance[compliance["method"] == method])}
        if "all" not in own:
            continue
        whole = own["all"]
        row: dict[str, Any] = {
            "method": method,
            "n": int(whole["n"]),
            "seeds": int(whole["seeds"]),
        }
        for split in SPLITS:
            row |= _balance(run, own, method, split)
        row |= _gap(run, row)
        row |= {
            "held_out": _get(whole, "balanced_held_out_mean"),
            "balanced_all": _get(whole, "balanced_all_mean"),
            "any": _get(whole, "any_mean"),
            "satisfied": _get(whole, "satisfied_mean"),
            "in_range": _get(whole, "in_range_mean"),
            "verbatim": _get(whole, "verbatim_mean"),
            "fluency": fluency(run, method),
            **_slope(run, method),
            **_cost(run, method),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def has_intervals(table: pd.DataFrame) -> bool:
    """Whether any method's balance rate has an interval."""
    return bool(table[[f"{split}_low" for split in SPLITS]].notna().any(axis=None))


def judge_of(run: FinishedRun) -> str | None:
    """Who judges fluency in the main table; ``None`` if nobody does."""
    table = run.tables.get("fluency")
    there = set() if table is None else set(table["judge"])
    return next((judge for judge in JUDGES if judge in there), None)


def fluency(run: FinishedRun, method: str, judge: str | None = None) -> float:
    """Mean over seeds of the median log-probability per token of a method's completions, nats."""
    judge = judge or judge_of(run)
    table = run.tables.get("fluency")
    if table is None or judge is None:
        return math.nan
    own = (table["judge"] == judge) & (table["method"] == method) & (table["split"] == "all")
    return float(table.loc[own, "log_probability_median"].mean())


def measure_of(run: FinishedRun) -> str | None:
    """The measure of stereotype in the main table; ``None`` if there is none.

    The unfitted association, else the terms, else the first kind of word that the axis counts.
    """
    table = run.tables.get("stereotype")
    there = set() if table is None else set(table["measure"])
    axis = run.task.axis
    wanted = ("association_unfitted", "terms", *(axis.words if axis else ()))
    return next((measure for measure in wanted if measure in there), None)


def undelivered(run: FinishedRun) -> list[str]:
    """Methods that delivered nothing at all, so that they have no row."""
    there = set(run.compliance["method"])
    tried = {label for label in run.methods if any((label, s) not in run.missing_cells
                                                   for s in run.seeds)}  # fmt: skip
    return [label for label in run.methods if label in tried - there]


def _balance(
    run: FinishedRun, own: dict[str, dict[str, Any]], method: str, split: str
) -> dict[str, float]:
    if split not in own:
        return {f"{split}{end}": math.nan for end in ("", "_sd", "_low", "_high")}
    mean = float(own[split]["balanced_mean"])
    low, high = ends(run, "balanced", method, split)
    if not low <= mean <= high:  # of other subjects than the mean is
        low = high = math.nan
    sd = float(own[split]["balanced_sd"])
    return {split: mean, f"{split}_sd": sd, f"{split}_low": low, f"{split}_high": high}


def ends(run: FinishedRun, outcome: str, method: str, split: str) -> tuple[float, float]:
    """The interval of ``results/intervals.csv``; NaN where there is none."""
    table = run.tables.get("intervals")
    if table is None:
        return math.nan, math.nan
    own = table[
        (table["outcome"] == outcome) & (table["method"] == method) & (table["split"] == split)
    ]
    if own.empty:
        return math.nan, math.nan
    return float(own["low"].iloc[0]), float(own["high"].iloc[0])


def _gap(run: FinishedRun, row: dict[str, Any]) -> dict[str, float]:
    gap = row["train"] - row["validation"]
    low, high = ends(run, "balanced", row["method"], "gap")
    if not low <= gap <= high:
        low = high = math.nan
    return {"gap": gap, "gap_low": low, "gap_high": high}


def _slope(run: FinishedRun, method: str) -> dict[str, float]:
    table, measure = run.tables.get("stereotype"), measure_of(run)
    if table is None or measure is None:
        return dict.fromkeys(("slope", "slope_low", "slope_high"), math.nan)
    own = table[(table["measure"] == measure) & (table["method"] == method) & table["seed"].isna()]
    if own.empty:
        return dict.fromkeys(("slope", "slope_low", "slope_high"), math.nan)
    found = own.iloc[0]
    return {
        "slope": float(found["slope"]),
        "slope_low": float(found["low"]),
        "slope_high": float(found["high"]),
    }


def _cost(run: FinishedRun, method: str) -> dict[str, float]:
    names = {
        "wanted": "wanted",
        "tokens": "tokens_per_delivered",
        "seconds": "seconds_per_delivered",
        "fit_seconds": "fit_seconds",
    }
    table = run.tables.get("cost")
    own = None if table is None else table[table["method"] == method]
    if own is None or own.empty:
        return dict.fromkeys(names, math.nan)
    return {name: float(own[column].iloc[0]) for name, column in names.items()}


def _get(row: dict[str, Any], name: str) -> float:
    return float(row.get(name, math.nan))
