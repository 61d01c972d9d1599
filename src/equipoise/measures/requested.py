"""What was asked for counts: balance per completion requested, and what a method was told.

A method that delivers little is judged on little, and may have chosen it. Of what was asked for,
what is not delivered is not balanced. Only a study knows what was asked for; other people's files
have none of these columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.column import COUNT, Column, rate
from equipoise.statistics.cells import SPLITS
from equipoise.task.task import Task

REQUESTED = (
    Column("wanted", "wanted", "completions asked for: the subjects of the split × "
           "`samples_per_subject`", low=0, whole=True, form=COUNT),
    rate("balanced_requested", "balanced, of all asked for", "completions that are delivered and "
         "balanced, as a share of all that were asked for", "of a `filter` it is its acceptance, "
         "cut off at `max_draws`", better="higher", with_sd=True),
    Column("told", "told", "how many of the scored words the method was given: in its prompts, in "
           "what it was trained on, or all of them where the constraint itself compiles, filters, "
           "rewards or tells what is lacking; the most of any seed", low=0, whole=True, form=COUNT,
           misleads="says nothing of how often they were shown"),
    Column("by_construction", "by construction", "whether what it delivers is balanced whatever "
           "the model says; its balance then enters no test", low=0, high=1, flag=True),
)  # fmt: skip
"""Columns of what was asked for; in a table of means ``balanced_requested`` has its SD too."""


def certain(cells: Sequence[CellFacts]) -> list[str]:
    """The methods whose balance is certain by construction, in the order of ``cells``."""
    return list(dict.fromkeys(cell.method for cell in cells if cell.by_construction))


def is_certain(row: Mapping[Any, Any]) -> bool:
    """Whether a row of a table says that balance is so by construction; not where it is unknown."""
    flag = row.get("by_construction")
    return flag is not None and not pd.isna(flag) and bool(flag)


def with_requests(seeds: pd.DataFrame, cells: Sequence[CellFacts], task: Task) -> pd.DataFrame:
    """``by_seed`` with the columns of `REQUESTED`, and a row of every split of every cell.

    A row in which nothing was delivered has ``n`` 0, no rates, and is balanced in 0 of what was
    asked for. Without ``cells`` the table is given back as it is.

    Args:
        seeds: What ``by_seed`` returned.
        cells: Of the study, method by method.
        task: The task.
    """
    if not cells:
        return seeds
    sizes = {"train": len(task.train), "validation": len(task.validation)}
    sizes["all"] = len(task.subjects)
    keys = ["method", "seed", "split"]
    places = {method: place for place, method in enumerate(dict.fromkeys(c.method for c in cells))}
    rows = [
        (cell.method, cell.seed, split, cell.each * sizes[split], cell.told, cell.by_construction)
        for cell in sorted(cells, key=lambda cell: (places[cell.method], cell.seed))
        for split in SPLITS
        if sizes[split]
    ]
    known = pd.DataFrame(rows, columns=[*keys, "wanted", "told", "by_construction"])
    table = known.merge(seeds, on=keys, how="left", sort=False)
    n = table["n"].fillna(0).astype("int64")
    hits = (table["balanced"] * n).where(n > 0, 0.0)
    asked: pd.DataFrame = table[list(seeds.columns)].assign(
        n=n,
        wanted=table["wanted"].astype("Int64"),
        balanced_requested=(hits / table["wanted"]).astype("float64"),
        told=table["told"].astype("Int64"),
        by_construction=table["by_construction"].astype("boolean"),
    )
    return asked


def requested_by_split(seeds: pd.DataFrame) -> Mapping[str, pd.Series[Any]]:
    """The columns of `REQUESTED` for each method and split, from those of each seed.

    What was not taken down of one seed is not known of the method. Empty without such columns.

    Args:
        seeds: What ``with_requests`` returned, or such a table read from a file.
    """
    if "wanted" not in seeds.columns:
        return {}
    typed = seeds.assign(
        wanted=seeds["wanted"].astype("Int64"),
        told=seeds["told"].astype("Int64"),
        by_construction=seeds["by_construction"].astype("boolean"),
    )
    groups = typed.groupby(["method", "split"], sort=False)
    unknown = {name: groups[name].count() < groups.size() for name in ("told", "by_construction")}
    return {
        "wanted": groups["wanted"].sum(min_count=1),
        "balanced_requested": groups["balanced_requested"].mean(),
        "balanced_requested_sd": groups["balanced_requested"].std(ddof=1),
        "told": groups["told"].max().mask(unknown["told"]),
        "by_construction": groups["by_construction"]
        .all()
        .astype("boolean")
        .mask(unknown["by_construction"]),
    }
