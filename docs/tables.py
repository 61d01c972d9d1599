"""The tables of the documentation that follow from declarations, written into the pages.

A page holds a table between ``<!-- table: NAME -->`` and ``<!-- end -->``. This writes all of them
anew; a test fails where a page says something else than the declarations.

    python docs/tables.py
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from equipoise.measures import registry
from equipoise.measures.declaration import Column, Table
from equipoise.measures.side_effects.quantities import QUANTITIES as SIDE_EFFECTS
from equipoise.measures.stereotype import quantities as quantities_of
from equipoise.task.task_file import load_task

DOCS = Path(__file__).parent
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def files() -> str:
    """Every file of ``results/`` that measures write, what a row is, and of which measure."""
    rows = [
        (f"`{table.name}.csv`", table.row, measure.title)
        for measure in registry.MEASURES
        for table in measure.tables
    ]
    return _markdown(("file", "a row is", "measure"), rows)


def summary() -> str:
    """The columns of ``summary.csv``."""
    columns = [one.column for one in registry.headlines() if one.summary]
    rows = [(f"`{one.name}`", one.range, one.meaning) for one in columns]
    return _markdown(("column", "range, unit", "meaning"), rows)


def quantities() -> str:
    """What each occupation is given a value of."""
    rows = [
        (f"`{one.name}`", one.unit, one.meaning) for one in quantities_of(load_task("occupations"))
    ]
    return _markdown(("measure", "unit", "value of an occupation"), rows)


def side_effect_quantities() -> str:
    """Every quantity of an examination."""
    rows = []
    for one in SIDE_EFFECTS.values():
        passes = "" if math.isinf(one.passes) else f"{one.passes:.2g}"
        rows.append((f"`{one.name}`", one.meaning, one.unit, passes))
    return _markdown(("instrument", "value", "unit", "let pass"), rows)


def of_table(table: Table) -> str:
    """The columns of one table that have a meaning."""
    return _columns(column for column in table.columns if column.meaning)


def _columns(columns: Iterable[Column]) -> str:
    rows = [(f"`{one.name}`", one.range, one.meaning, one.misleads) for one in columns]
    return _markdown(("measure", "range", "meaning", "when it misleads"), rows)


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def makers() -> dict[str, Callable[[], str]]:
    """What makes each table, by its name."""
    found: dict[str, Callable[[], str]] = {
        "files": files,
        "summary": summary,
        "quantities": quantities,
        "side_effect_quantities": side_effect_quantities,
    }
    for table in registry.tables():
        found[table.name] = lambda table=table: of_table(table)
    return found


def filled(text: str) -> str:
    """``text`` of a page with every table as the declarations have it."""
    made = makers()
    return BLOCK.sub(lambda block: block[1] + made[block[2]]() + block[3], text)


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text("utf-8")
        if (after := filled(before)) != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.name}: written anew\n")
