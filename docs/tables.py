"""The tables of the documentation that follow from declarations or results, written into the pages.

A page holds a table between ``<!-- table: NAME -->`` and ``<!-- end -->``. This writes all of them
anew; a test fails where a page says something else than the declarations.

    python docs/tables.py
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import findings
import measured
import published
import tuning_results
from markdown_table import markdown

from equipoise.measures import registry
from equipoise.measures.column import Column, Table
from equipoise.measures.side_effects.quantities import QUANTITIES as SIDE_EFFECTS
from equipoise.measures.stereotype_quantities import quantities as quantities_of
from equipoise.task.task_file import load_task

DOCS = Path(__file__).parent
PUBLISHED = ("quickstart", "families", "families-seed11")
"""Runs of which files are in ``results/``."""
RUN_TABLES: dict[str, Callable[[str], published.Rows]] = {
    "balance": published.balance,
    "unseen-words": partial(published.of_summary, names=published.UNSEEN),
    "association": partial(published.of_summary, names=published.ASSOCIATION),
    "side-effects": published.side_effects,
    "damage": published.damage,
}
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def files() -> str:
    """Every file of ``results/`` that measures write, what a row is, and of which measure."""
    rows = [
        (f"`{table.name}.csv`", table.row, measure.title)
        for measure in registry.MEASURES
        for table in measure.tables
    ]
    return markdown(("file", "a row is", "measure"), rows)


def summary() -> str:
    """The columns of ``summary.csv``; those of another table are explained there."""
    columns = [one.column for one in registry.headlines() if one.summary]
    told = {
        (column.name, column.meaning): f"as in `{table.name}.csv`"
        for table in reversed([*registry.tables()])
        for column in table.columns
    }
    rows = [
        (f"`{one.name}`", one.range, told.get((one.name, one.meaning), one.meaning))
        for one in columns
    ]
    return markdown(("column", "range, unit", "meaning"), rows)


def quantities() -> str:
    """What each occupation is given a value of."""
    rows = [
        (f"`{one.name}`", one.unit, one.meaning) for one in quantities_of(load_task("occupations"))
    ]
    return markdown(("measure", "unit", "value of an occupation"), rows)


def side_effect_quantities() -> str:
    """Every quantity of an examination, in one row what differs in its name alone."""
    named: dict[tuple[str, ...], list[str]] = {}
    for one in SIDE_EFFECTS.values():
        passes = "" if math.isinf(one.passes) else f"{one.passes:.2g}"
        stem = re.sub(r"\d+$", "…", one.name)
        names = named.setdefault((one.meaning, one.unit, passes), [])
        if f"`{stem}`" not in names:
            names.append(f"`{stem}`")
    rows = [(", ".join(names), *said) for said, names in named.items()]
    return markdown(("instrument", "value", "unit", "let pass"), rows)


def of_table(table: Table) -> str:
    """The columns of one table that have a meaning."""
    return _columns(column for column in table.columns if column.meaning)


def _columns(columns: Iterable[Column]) -> str:
    rows = [(f"`{one.name}`", one.range, one.meaning, one.misleads) for one in columns]
    return markdown(("measure", "range", "meaning", "when it misleads"), rows)


def makers() -> dict[str, Callable[[], str]]:
    """What makes each table, by its name."""
    found: dict[str, Callable[[], str]] = {
        "files": files,
        "summary": summary,
        "quantities": quantities,
        "calibration": measured.calibration,
        "control": measured.control,
        "training-words": measured.training_words,
        "tuning": tuning_results.tuning,
        "findings": findings.findings,
        "calibration-worst": measured.calibration_worst,
        "calibration-slopes": measured.calibration_slopes,
        "intervals-tried": measured.intervals_tried,
        "tests-tried": measured.tests_tried,
        "answer-forms": measured.answer_forms,
        "side_effect_quantities": side_effect_quantities,
    }
    for run in PUBLISHED:
        for name, make in RUN_TABLES.items():
            found[f"{run}-{name}"] = lambda run=run, make=make: markdown(*make(run))
    for table in registry.tables():
        found[table.name] = lambda table=table: of_table(table)
    return found


def filled(text: str) -> str:
    """``text`` of a page with every table as the declarations have it."""
    made = makers()
    return BLOCK.sub(lambda block: block[1] + made[block[2]]() + block[3], text)


if __name__ == "__main__":
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text("utf-8")
        if (after := filled(before)) != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS)}: written anew\n")
