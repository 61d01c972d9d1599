"""The main table: one row a method, with what a reader asks first."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from equipoise.measures import registry
from equipoise.measures.declaration import Headline
from equipoise.measures.odd_answers import oddities, seeds_without
from equipoise.measures.overview import overview, shown
from equipoise.measures.requested import is_certain
from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.statistics.cells import SPLITS

FEWEST_UNSEEN = 10
"""Validation subjects, at least, for their rate to lead: a test on five finds a difference of ten
points in a quarter of all studies (``equipoise power --subjects 5``)."""


def headline(run: FinishedRun) -> pd.DataFrame:
    """One row a method that delivered something, in the study file's order.

    Columns, what was not measured being NaN:

    - ``method``; ``wanted``: completions asked for, of all subjects; ``certain``: whether its
      balance is so by construction; ``unseen``: how many validation subjects there are.
    - ``train``, ``validation``, ``all``: balance rate (0-1), mean over seeds, of train, validation
      and all subjects: of all completions that were asked for, or where nobody knows how many those
      were, of those that are there. Each with ``_delivered`` (the rate of those that are there),
      ``_n`` and ``_wanted`` (completions delivered and asked for), ``_sd`` (sample SD over seeds),
      ``_low`` and ``_high`` (its interval, if ``results/intervals.csv`` is there, is about the same
      subjects, and all was delivered). A rate that is so by construction has no spread.
    - ``gap``, ``gap_low``, ``gap_high``: train minus validation, of those that are there.
    - ``balanced_all``, ``verbatim``: rates (0-1), of all subjects.
    - The headlines of all measures, as ``measures.registry`` declares them.
    """
    compliance = run.compliance
    values = overview({"compliance": compliance, **run.tables}).set_index("method")
    wanted = run.tables.get("cost")
    asked = {} if wanted is None else dict(zip(wanted["method"], wanted["wanted"], strict=True))
    drawn = run.completions
    unseen = drawn.loc[drawn["split"] == "validation", "subject"].nunique()
    rows = []
    for method in run.methods:
        own = {row["split"]: row for row in records(compliance[compliance["method"] == method])}
        if "all" not in own or not own["all"]["n"]:
            continue
        row: dict[str, Any] = {"method": method, "certain": is_certain(own["all"])}
        row["wanted"] = own["all"].get("wanted", asked.get(method, math.nan))
        row["unseen"] = unseen
        row |= balance_of(run, method)
        row |= _gap(run, row)
        row |= {name: float(own["all"].get(f"{name}_mean", math.nan))
                for name in ("balanced_all", "verbatim")}  # fmt: skip
        rows.append({**row, **{str(k): v for k, v in values.loc[method].items()}})
    table = pd.DataFrame(rows)
    return table.astype({"n": int, "seeds": int})


def balance_of(run: FinishedRun, method: str) -> dict[str, float]:
    """The columns of ``headline`` about a method's balance on train, validation and all subjects.

    A method that delivered nothing is balanced in 0 of what was asked for.
    """
    rows = records(run.compliance[run.compliance["method"] == method])
    own = {row["split"]: row for row in rows}
    return {
        name: value for split in SPLITS for name, value in _balance(run, own, method, split).items()
    }


def shown_of(table: pd.DataFrame) -> list[Headline]:
    """The headlines that the main table shows beside balance: those that any method has."""
    there = [one for one in registry.headlines() if one.main]
    return [one for one in shown(table, there) if table[one.name].notna().any()]


def leading_split(table: pd.DataFrame) -> str:
    """The split that is told of first: ``validation``, as unseen subjects are the question.

    ``all`` where there are fewer than `FEWEST_UNSEEN` of them, or none.
    """
    return "validation" if table["unseen"].max() >= FEWEST_UNSEEN else "all"


def has_unseen(table: pd.DataFrame) -> bool:
    """Whether any method has a rate of validation subjects."""
    return bool(table["validation"].notna().any())


def has_intervals(table: pd.DataFrame) -> bool:
    """Whether any method's balance rate has an interval."""
    return bool(table[[f"{split}_low" for split in SPLITS]].notna().any(axis=None))


def undelivered(run: FinishedRun) -> list[str]:
    """Methods that delivered nothing at all, so that they have no row."""
    there = set(run.completions["method"])
    tried = {label for label in run.methods if any((label, s) not in run.missing_cells
                                                   for s in run.seeds)}  # fmt: skip
    return [label for label in run.methods if label in tried - there]


def with_undelivered(run: FinishedRun, table: pd.DataFrame) -> pd.DataFrame:
    """``table`` with a row for each method that delivered nothing: no completion, and no rate."""
    rows = [{"method": label, "n": 0, "seeds": 0} for label in undelivered(run)]
    if not rows:
        return table
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)[list(table.columns)]


def delivery_notes(run: FinishedRun) -> list[str]:
    """What is to be said of methods and seeds that delivered nothing, and of odd answers."""
    nothing = [f"{label} delivered nothing, and has no rate." for label in undelivered(run)]
    return [*nothing, *_undelivered_seeds(run), *_odd_answers(run)]


def _undelivered_seeds(run: FinishedRun) -> list[str]:
    """A sentence for each method of which some seeds delivered nothing, and others something."""
    sizes = run.completions.groupby(["method", "seed"]).size()
    finished = [
        {"method": label, "seed": seed, "delivered": int(sizes.get((label, seed), 0))}
        for label in run.methods
        for seed in run.seeds
        if (label, seed) not in run.missing_cells
    ]
    return seeds_without(finished)


def _odd_answers(run: FinishedRun) -> list[str]:
    """What is to be said of an endpoint's answers; nothing of other models."""
    costs = run.tables.get("cost")
    return [] if costs is None else oddities(costs)


def _balance(
    run: FinishedRun, own: dict[str, dict[str, Any]], method: str, split: str
) -> dict[str, float]:
    parts = ("", "_delivered", "_n", "_wanted", "_sd", "_low", "_high")
    if split not in own:
        return {f"{split}{part}": math.nan for part in parts}
    row = own[split]
    delivered, wanted = float(row["balanced_mean"]), float(row.get("wanted", math.nan))
    mean, sd = delivered, float(row["balanced_sd"])
    low, high = ends(run, "balanced", method, split)
    if not low <= mean <= high:  # of other subjects than the mean is
        low = high = math.nan
    if not math.isnan(wanted):
        mean, sd = float(row["balanced_requested"]), float(row["balanced_requested_sd"])
        if row["n"] < wanted:  # the interval is of what was delivered
            low = high = math.nan
        elif is_certain(row):
            sd = low = high = math.nan
    values = (mean, delivered, float(row["n"]), wanted, sd, low, high)
    return {f"{split}{part}": value for part, value in zip(parts, values, strict=True)}


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
    gap = row["train_delivered"] - row["validation_delivered"]
    low, high = ends(run, "balanced", row["method"], "gap")
    if not low <= gap <= high:
        low = high = math.nan
    return {"gap": gap, "gap_low": low, "gap_high": high}
