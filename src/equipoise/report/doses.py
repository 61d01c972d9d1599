"""Dose and response: what a method does at each value of a setting that the study sweeps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from equipoise.measures import registry
from equipoise.measures.declaration import Headline
from equipoise.measures.overview import overview, shown
from equipoise.report.headline import balance_of
from equipoise.runs.finished_run import FinishedRun
from equipoise.statistics.cells import SPLITS


def doses(run: FinishedRun) -> pd.DataFrame | None:
    """A row for each value of each sweep, ascending; ``None`` where nothing was swept.

    A method that delivered nothing has its row: it is balanced in 0 of what was asked for. One of
    which no cell is finished has none. Columns, what was not measured being NaN:

    - ``table``, ``setting``, ``value``: the table of the study file, and what differs in it.
    - ``method``: the label of the method that was made of it.
    - the balance of train, validation and all subjects, as in ``headline.headline``.
    - the headlines whose response to a dose is drawn, with the ends of their intervals.
    """
    rows = []
    for sweep in run.sweeps:
        for method, value in sorted(sweep.values.items(), key=lambda item: item[1]):
            if (run.compliance["method"] == method).any():
                about = {"table": sweep.table, "setting": sweep.setting, "value": value}
                rows.append({**about, "method": method, **balance_of(run, method)})
    if not rows:
        return None
    values = overview({"compliance": run.compliance, **run.tables}).set_index("method")
    drawn = _measured(values, rows)
    names = [name for one in drawn for name in (one.name, *one.ends)]
    found = pd.DataFrame(rows)
    measured = values.reindex(found["method"])[names].reset_index(drop=True)
    return pd.concat([found, measured], axis=1)


def responses(table: pd.DataFrame) -> list[Headline]:
    """The headlines beside balance that any row of ``doses`` has."""
    return [one for one in registry.headlines() if one.dosed and one.name in table]


def splits_of(table: pd.DataFrame) -> list[str]:
    """The splits whose balance is shown: train and unseen subjects, or all where none is unseen."""
    known = [split for split in SPLITS if split != "all" and table[split].notna().any()]
    return known if len(known) > 1 else ["all"]


def each_sweep(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of ``doses``, sweep by sweep."""
    return [part for _, part in table.groupby("table", sort=False)]


def _measured(values: pd.DataFrame, rows: list[dict[str, Any]]) -> list[Headline]:
    """The headlines whose response is drawn, and that any of these rows' methods has."""
    own = values.loc[[row["method"] for row in rows]]
    candidates = [one for one in registry.headlines() if one.dosed]
    return [one for one in shown(own, candidates) if own[one.name].notna().any()]
