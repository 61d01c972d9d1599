"""The report's tables as files: CSV for programs and spreadsheets, LaTeX for papers.

CSV files hold plain numbers, rates 0-1, and a text that a spreadsheet would run as a formula is
disarmed (``wording.spreadsheet``). LaTeX files hold what a reader reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.files.artifacts import open_atomic
from equipoise.measures import registry, write_table
from equipoise.measures.declaration import Headline, Measure
from equipoise.measures.stereotype_quantities import titles
from equipoise.report.breakdown import by_subject, slopes, subjects_of, term_frequencies
from equipoise.report.claims import claim, comparison_rows
from equipoise.report.doses import doses, responses, splits_of
from equipoise.report.headline import (
    delivery_notes,
    has_intervals,
    has_unseen,
    shown_of,
    undelivered,
    with_undelivered,
)
from equipoise.report.latex import Cell, latex_table
from equipoise.report.records import records
from equipoise.report.sections import SPLITS
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.numbers import NONE, interval, p_value, percent, points, signed
from equipoise.wording.spreadsheet import without_formulas

BY_CONSTRUCTION = "by construction"
"""Stands where a rate that is no finding would have its interval."""


def write_tables(run: FinishedRun, table: pd.DataFrame, folder: Path) -> None:
    """Write every table there is something for, ``NAME.csv`` and ``NAME.tex``.

    Args:
        run: The run.
        table: Its ``headline``.
        folder: Where to.
    """
    makers: dict[str, Callable[[], tuple[pd.DataFrame, str] | None]] = {
        # Before those below: the table of a family may be drawn in its own way.
        **{measure.name: partial(_measure, run, measure) for measure in registry.MEASURES},
        "main": lambda: (with_undelivered(run, table), _main(run, table)),
        "beside_balance": lambda: _beside_balance(run, table),
        "subjects": lambda: _subjects(run),
        "terms": lambda: _terms(run),
        "stereotype": lambda: _stereotype(run),
        "dose_response": lambda: _doses(run),
        "comparisons": lambda: _comparisons(run),
    }
    for name, make in makers.items():
        if (made := make()) is not None:
            frame, text = made
            write_table(folder / f"{name}.csv", without_formulas(frame))
            with open_atomic(folder / f"{name}.tex") as stream:
                stream.write(text)


def _main(run: FinishedRun, table: pd.DataFrame) -> str:
    """Balance, with intervals where they were computed, else sample SDs, and what it took."""
    has = has_intervals(table)
    splits = ["train", "validation"] if has_unseen(table) else ["all"]
    asked = table["all_wanted"].notna().any()
    columns: list[tuple[str, Callable[[dict[str, Any]], Cell]]] = [
        (SPLITS[split], partial(balance_cell, split=split, has_intervals=has)) for split in splits
    ]
    if asked:
        columns.append(("of those delivered", delivered_cell))
    columns += [
        (one.column.title, partial(headline_cell, headline=one))
        for one in shown_of(table)
        if one.beside_balance
    ]
    rows = [[row["method"], *(show(row) for _, show in columns)] for row in records(table)]
    rows += [[label, *(NONE for _ in columns)] for label in undelivered(run)]
    spread = f"{run.confidence} intervals below" if has else "± sample SD over seeds"
    notes = [f"{run.model}; mean over {_seeds(run)}, {spread}."]
    notes += delivery_notes(run)
    if asked:
        notes.append("Of all completions asked for: what was not delivered is not balanced.")
    return latex_table(
        ["method", *(title for title, _ in columns)],
        rows,
        "Share of balanced completions by method.",
        "tab:main",
        notes,
    )


def _beside_balance(run: FinishedRun, table: pd.DataFrame) -> tuple[pd.DataFrame, str] | None:
    """The other headlines of every method; None where none was measured."""
    columns = [one for one in shown_of(table) if not one.beside_balance]
    if not columns:
        return None
    rows = [[row["method"], *(headline_cell(row, one) for one in columns)]
            for row in records(table)]  # fmt: skip
    text = latex_table(
        ["method", *(one.column.title for one in columns)],
        rows,
        "What methods do beside balance.",
        "tab:beside-balance",
        [f"{run.model}; mean over {_seeds(run)}."],
    )
    names = [name for one in columns for name in (one.name, *one.ends)]
    return table[["method", *dict.fromkeys(names)]], text


def _seeds(run: FinishedRun) -> str:
    return "one seed" if len(run.seeds) == 1 else f"{len(run.seeds)} seeds"


def balance_cell(row: dict[str, Any], split: str, has_intervals: bool) -> Cell:
    """A balance rate above its interval, or with its SD where no method has intervals.

    One by construction has neither.
    """
    text = percent(row[split])
    if row["certain"] and not row[f"{split}_n"] < row[f"{split}_wanted"]:
        return text, BY_CONSTRUCTION
    if has_intervals:
        range_ = interval(row[f"{split}_low"], row[f"{split}_high"])
        return (text, range_) if range_ else text
    sd = row[f"{split}_sd"]
    return text if math.isnan(sd) else f"{text} ± {100 * sd:.1f}"


def delivered_cell(row: dict[str, Any]) -> Cell:
    """The rate of the completions that were delivered, of all subjects."""
    text = percent(row["all_delivered"])
    return (text, BY_CONSTRUCTION) if row["certain"] else text


def headline_cell(row: dict[str, Any], headline: Headline) -> str:
    """A headline's value as a reader reads it."""
    return headline.column.form.page(row[headline.name])


def _subjects(run: FinishedRun) -> tuple[pd.DataFrame, str]:
    rates = by_subject(run)
    splits = dict(subjects_of(run))
    frame = rates.reset_index()
    frame.insert(1, "split", frame["subject"].map(splits))
    rows = [
        [str(name), splits[str(name)] or "–", *(percent(rate, 0) for rate in row.tolist())]
        for name, row in rates.iterrows()
    ]
    header = ["subject", "split", *map(str, rates.columns)]
    text = latex_table(header, rows, "Balanced completions by subject.", "tab:subjects")
    return frame, text


def _terms(run: FinishedRun) -> tuple[pd.DataFrame, str] | None:
    table = term_frequencies(run)
    if table is None:
        return None
    rows = [
        [str(term), str(name), "listed" if listed else "held out",
         *(percent(rate) for rate in rates)]
        for (name, term, listed), rates in zip(table.index, table.to_numpy(float), strict=True)
    ]  # fmt: skip
    header = ["term", "set", "", *map(str, table.columns)]
    text = latex_table(header, rows, "Completions in which a term stands.", "tab:terms")
    return table.reset_index(), text


def _stereotype(run: FinishedRun) -> tuple[pd.DataFrame, str] | None:
    table = slopes(run)
    if table is None:
        return None
    names, axis = titles(run.task), run.task.axis
    rows = [
        [row["method"], names[row["measure"]], signed(row["slope"]),
         f"{signed(row['low'])} to {signed(row['high'])}", signed(row["r"])]
        for row in records(table)
    ]  # fmt: skip
    header = ["method", "measure", "slope", "95 % interval", "r"]
    of = axis.share if axis else "the axis"
    caption = f"Slopes over the share of {of}, per 100 percentage points."
    return table.drop(columns="seeds"), latex_table(header, rows, caption, "tab:stereotype")


def _doses(run: FinishedRun) -> tuple[pd.DataFrame, str] | None:
    table = doses(run)
    if table is None:
        return None
    splits, drawn = splits_of(table), responses(table)
    rows = [
        [f"{row['table']}: {row['setting']}", f"{row['value']:g}",
         *(percent(row[split]) for split in splits),
         *(headline_cell(row, one) for one in drawn)]
        for row in records(table)
    ]  # fmt: skip
    titles = [*(SPLITS[split] for split in splits), *(one.column.title for one in drawn)]
    caption = "Dose and response: balanced completions by the value of a setting."
    text = latex_table(["setting", "value", *titles], rows, caption, "tab:dose_response")
    # A file's six decimals are too few for a learning rate.
    exact = [Decimal(f"{value:.15g}") for value in table["value"]]
    return table.assign(value=pd.Series(exact, index=table.index, dtype="object")), text


def _comparisons(run: FinishedRun) -> tuple[pd.DataFrame, str] | None:
    """All comparisons as CSV; those of balance on validation (else all) subjects as LaTeX."""
    table = run.tables.get("comparisons")
    if table is None:
        return None
    split = next((s for s in SPLITS if len(comparison_rows(run, "balanced", s))), None)
    if split is None:
        return None
    told = [claim(row, run.alpha) for row in records(comparison_rows(run, "balanced", split))]
    rows = [
        [one.higher, one.lower, points(one.difference), interval(one.low, one.high) or "–",
         p_value(one.p), one.finding]
        for one in told
    ]  # fmt: skip
    header = ["higher", "lower", "points", f"{run.confidence} interval", "Holm's p", "finding"]
    caption = f"Differences of balance rates, {SPLITS[split]} (balanced)."
    return table, latex_table(header, rows, caption, "tab:comparisons")


def _measure(run: FinishedRun, measure: Measure) -> tuple[pd.DataFrame, str] | None:
    """A measure that has a section on the page: its whole table as CSV, the section as LaTeX."""
    section = measure.section_of(run.tables, run.methods)
    if section is None:
        return None
    rows = [[name, *cells] for name, cells in section.rows]
    header = [section.head, *section.titles]
    caption, label = f"{measure.title}.", f"tab:{measure.name}"
    text = latex_table(header, rows, caption, label, measure.notes(run.tables))
    return run.tables[measure.tables[0].name], text
