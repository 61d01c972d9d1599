"""The summary: one row a method, with what the main table of a paper has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from equipoise.measures.declaration import Headline
from equipoise.measures.registry import MEASURES, headlines


def overview(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a method: all headlines of all measures as float64, NaN where not measured.

    What is true is 1 there, and what is false 0.

    Methods stand in the order of the table of costs, which has those that delivered nothing too,
    or else of first appearance.

    Args:
        tables: All tables of results by name, as they were measured or read from files.
    """
    known = [
        table["method"]
        for name in ("cost", "compliance")
        if (table := tables.get(name)) is not None
    ]
    index = pd.Index(
        dict.fromkeys(method for methods in known for method in methods), name="method"
    )
    found = pd.DataFrame(index=index)
    for measure in MEASURES:
        values = measure.summarise(tables)
        for headline in measure.headlines:
            own = values.get(headline.name, pd.Series(dtype="float64")).reindex(index)
            # Whole numbers and flags have types of their own while they may be unknown.
            found[headline.name] = own if headline.column.text else own.astype("float64")
    return found.reset_index()


def summary_table(values: pd.DataFrame, controls: Mapping[str, str]) -> pd.DataFrame:
    """``summary.csv``: what `overview` gave, with the kinds of control at work in each method.

    Args:
        values: All headlines.
        controls: Kinds of control by method; empty where nobody knows.
    """
    columns = [headline.name for headline in headlines() if headline.summary]
    table = values[["method", *columns]].copy()
    control = [controls.get(name, "") for name in table["method"]]
    table.insert(1, "control", pd.Series(control, dtype="str"))
    own = [one.column for one in headlines() if one.summary]
    types = {column.name: "boolean" if column.flag else "Int64" for column in own
             if column.flag or column.whole}  # fmt: skip
    return table.fillna({"seeds": 0, "n": 0}).astype(types)


def shown(values: pd.DataFrame, candidates: Iterable[Headline]) -> list[Headline]:
    """Those of ``candidates`` to be shown; of two that stand in for each other only one.

    The one that stands in is shown where the other was not measured, and it was.
    """
    found = list(candidates)
    measured = {str(name) for name in values.columns if values[name].notna().any()}
    replaced = {
        one.stands_in_for: one.name
        for one in found
        if one.stands_in_for and one.name in measured and one.stands_in_for not in measured
    }
    return [
        one
        for one in found
        if one.name not in replaced
        and (not one.stands_in_for or replaced.get(one.stands_in_for) == one.name)
    ]
