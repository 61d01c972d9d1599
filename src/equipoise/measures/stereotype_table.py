"""The table of stereotype: a row for each measure, method and seed, and for all seeds together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from equipoise.measures.stereotype import Slope, regress


def stereotype_table(values: pd.DataFrame) -> pd.DataFrame:
    """Slopes of every measure over the subjects' share; see ``stereotype.Slope`` for the columns.

    Columns: ``measure``, ``method``, ``seed``, ``occupations``, ``mean``, ``slope``, ``low``,
    ``high``, ``r``. The row without a seed is of all seeds: of each occupation's mean over them.
    Its interval is for other occupations and other seeds, a seed's for other occupations alone.

    Measures and methods stand in order of first appearance.

    Args:
        values: A frame of values, of one or more measures, methods and seeds.
    """
    measures, methods = (
        {name: i for i, name in enumerate(dict.fromkeys(values[key]))}
        for key in ("measure", "method")
    )
    rows = []
    for (measure, method), part in values.groupby(["measure", "method"], sort=False):
        table = part.pivot_table(
            index="occupation", columns="seed", values="value", sort=False, dropna=False
        )
        share = part.groupby("occupation", sort=False)["share"].first().reindex(table.index)
        x = share.to_numpy(dtype=float)
        for seed in table.columns:
            found = regress(table[seed].to_numpy(dtype=float), x)
            rows.append({"measure": measure, "method": method, "seed": seed, **found._asdict()})
        found = regress(table.to_numpy(dtype=float).T, x)
        rows.append({"measure": measure, "method": method, "seed": pd.NA, **found._asdict()})
    columns = ["measure", "method", "seed", *Slope._fields]
    frame = pd.DataFrame(rows, columns=columns).astype({"seed": "Int64"})
    order = np.lexsort(
        (
            frame["seed"].fillna(2**63 - 1).to_numpy(dtype=np.int64),
            frame["method"].map(methods),
            frame["measure"].map(measures),
        )
    )
    return frame.iloc[order].reset_index(drop=True)
