"""The tables a study and ``equipoise evaluate`` end with, for terminals 80 columns wide."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from equipoise.measures import registry
from equipoise.measures.column import PERCENT
from equipoise.measures.declaration import Headline
from equipoise.measures.overview import shown
from equipoise.measures.requested import is_certain
from equipoise.wording.numbers import NONE
from equipoise.wording.visible import printable

WIDTH = 80
"""Columns of a terminal; a table that would be wider is continued in another one."""

_TITLES = {"train": "train", "validation": "validation", "all": "all subjects"}


def plain_lines(tables: Iterable[Table]) -> list[str]:
    """``tables`` as lines of plain text, at most `WIDTH` columns wide."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    with console.capture() as capture:
        for table in tables:
            console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def balance_table(compliance: pd.DataFrame, by_seed: pd.DataFrame, overview: pd.DataFrame) -> Table:
    """A row per method: its balance rates by split, and what else a reader asks first.

    Balance rates are means over seeds with the sample SD behind "±" (none with one seed). Where no
    subject has a split, one column of balance over all subjects takes their place. Where it is
    known what was asked for they are of that, and the rate among what was delivered stands beside
    them; "*" marks what is so by construction. The other columns are the headlines that stand
    beside balance and are known of any method.

    Args:
        compliance: What ``compliance_table`` returned.
        by_seed: What it was made from; the caption lists its seeds.
        overview: Headlines of all measures. A method in it that delivered nothing has a row too.
    """
    there = [split for split in ("train", "validation") if (compliance["split"] == split).any()]
    splits = there or ["all"]
    asked = "balanced_requested" in compliance.columns
    title = "Balanced completions, of all that were asked for" if asked else "Balanced completions"
    caption = _caption(by_seed)
    table = _table(title, caption=caption, min_width=min(len(caption), WIDTH))
    beside = [
        one
        for one in shown(overview, registry.headlines())
        if one.terminal and one.beside_balance and overview[one.name].notna().any()
    ]
    titles = [*(_TITLES[split] for split in splits), *["of those\ndelivered"][: int(asked)]]
    for title in (*titles, *(one.terminal for one in beside)):
        table.add_column(title, justify="right", no_wrap=True)
    rows = {(row["method"], row["split"]): row for row in compliance.to_dict("records")}
    for values in overview.to_dict("records"):
        method = values["method"]
        own = [rows.get((method, split), {}) for split in splits]
        balance = [_requested(row) if asked else _delivered(row) for row in own]
        if asked:
            whole = rows.get((method, "all"), {})
            balance.append(_marked(PERCENT.terminal(whole.get("balanced_mean", math.nan)), whole))
        texts = [one.column.form.terminal(values[one.name]) for one in beside]
        table.add_row(_name(method), *balance, *texts)
    return table


def measures_tables(overview: pd.DataFrame) -> Iterator[Table]:
    """A row per method: what else has changed, means over seeds; "–" where it was not measured.

    There are as many tables as the columns need.

    Args:
        overview: Headlines of all measures.
    """
    for measure in registry.MEASURES:
        if measure.apart and overview[[one.name for one in measure.headlines]].notna().any(
            axis=None
        ):
            yield from _tables(overview, shown(overview, measure.headlines), measure.title)
    others = [
        one for measure in registry.MEASURES if not measure.apart for one in measure.headlines
    ]
    yield from _tables(overview, shown(overview, others), "What else changed")


def _tables(overview: pd.DataFrame, candidates: Sequence[Headline], title: str) -> Iterator[Table]:
    """Those of ``candidates`` that a terminal shows, in as many tables as they need."""
    beside = [one for one in candidates if one.terminal and not one.beside_balance]
    rows = overview.to_dict("records")
    cells = [[_cell(one, row) for row in rows] for one in beside]
    longest = max((len(str(row["method"])) for row in rows), default=0)
    for number, part in enumerate(_portions(beside, cells, max(6, longest))):
        table = _table(title if number == 0 else "And")
        for index in part:
            table.add_column(beside[index].terminal, justify="right", no_wrap=True)
        for at, row in enumerate(rows):
            table.add_row(_name(row["method"]), *(cells[index][at] for index in part))
        yield table


def _portions(
    headlines: Sequence[Headline], cells: Sequence[Sequence[str]], names: int
) -> Iterator[list[int]]:
    """Which columns stand in one table, so that none is wider than a terminal."""
    part: list[int] = []
    taken = names
    for index, headline in enumerate(headlines):
        lines = (*headline.terminal.split("\n"), *cells[index])
        width = 2 + max(map(len, lines))
        if part and taken + width > WIDTH:
            yield part
            part, taken = [], names
        part.append(index)
        taken += width
    if part:
        yield part


def _cell(headline: Headline, row: Mapping[Any, Any]) -> str:
    """A headline's value, with the ends of its interval where it has some."""
    write = headline.column.form.terminal
    text = write(row[headline.name])
    ends = [row[name] for name in headline.ends]
    if not ends or any(map(math.isnan, ends)):
        return text
    return f"{text} ({write(ends[0])} to {write(ends[1])})"


def _table(title: str, caption: str | None = None, min_width: int | None = None) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        caption=caption,
        title=title,
        min_width=min_width,
    )
    table.add_column("method", overflow="fold", min_width=6)
    return table


def _caption(by_seed: pd.DataFrame) -> str:
    """How many completions, and which seeds the mean and the SD are over."""
    overall = by_seed[by_seed["split"] == "all"]
    seeds = sorted(set(overall["seed"].tolist()))
    listed = ", ".join(map(str, seeds[:6])) + (", ..." if seeds[6:] else "")
    total = f"{int(overall['n'].sum()):,} completions"
    if len(seeds) == 1:
        return f"{total}; one seed ({listed}), so no ±"
    return f"{total}; mean ± sample SD over {len(seeds)} seeds ({listed})"


def _requested(row: Mapping[Any, Any]) -> str:
    """The rate of all that were asked for; by construction only where all were delivered."""
    if not row:
        return NONE
    if row["n"] == row["wanted"] and is_certain(row):
        return _marked(PERCENT.terminal(row["balanced_requested"]), row)
    return _balance(row["balanced_requested"], row["balanced_requested_sd"])


def _delivered(row: Mapping[Any, Any]) -> str:
    """The rate of those that are there."""
    return _balance(row["balanced_mean"], row["balanced_sd"]) if row else NONE


def _marked(text: str, row: Mapping[Any, Any]) -> str:
    """``text`` with a mark behind it where it is so by construction."""
    return f"{text}*" if is_certain(row) and text != NONE else text


def _balance(rate: float, sd: float) -> str:
    """A rate (0-1) as ``97.3 ± 1.2 %``; ``–`` where it was not measured."""
    text = PERCENT.terminal(rate)
    if math.isnan(rate) or math.isnan(sd):
        return text
    return f"{text.removesuffix(' %')} ± {100 * sd:.1f} %"


def _name(label: str) -> Text:
    """``label`` without markup or control characters: it may come from somebody's file."""
    return Text(printable(str(label)))
