"""The table of stereotype: a row for each measure, method and seed, and for all seeds together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from equipoise.measures.stereotype import regress

MEASURES = (
    "terms",
    "pronouns",
    "feminine_pronouns",
    "masculine_pronouns",
    "agency",
    "association_fitted",
    "association_contexts",
    "association_unfitted",
    "association_pronouns",
    "association_kinship",
    "association_titles",
    "association_names",
)
"""All measures, in the table's order; ``stereotype_values`` says what each is."""


def stereotype_table(values: pd.DataFrame) -> pd.DataFrame:
    """Slopes of every measure over the share of women; see ``stereotype.Slope`` for the columns.

    Columns: ``measure``, ``method``, ``seed``, ``occupations``, ``mean``, ``slope``, ``low``,
    ``high``, ``r``. The row without a seed is of all seeds: of each occupation's mean over them.
    Its interval is for other occupations and other seeds, a seed's for other occupations alone.

    Args:
        values: A frame of values, of one or more measures, methods and seeds.
    """
    methods = {name: i for i, name in enumerate(dict.fromkeys(values["method"]))}
    rows = []
    for (measure, method), part in values.groupby(["measure", "method"], sort=False):
        table = part.pivot_table(
            index="occupation", columns="seed", values="value", sort=False, dropna=False
        )
        women = part.groupby("occupation", sort=False)["women"].first().reindex(table.index)
        x = women.to_numpy(dtype=float)
        for seed in table.columns:
            found = regress(table[seed].to_numpy(dtype=float), x)
            rows.append({"measure": measure, "method": method, "seed": seed, **found._asdict()})
        found = regress(table.to_numpy(dtype=float).T, x)
        rows.append({"measure": measure, "method": method, "seed": pd.NA, **found._asdict()})
    frame = pd.DataFrame(rows).astype({"seed": "Int64"})
    order = np.lexsort(
        (
            frame["seed"].fillna(2**63 - 1).to_numpy(dtype=np.int64),
            frame["method"].map(methods),
            frame["measure"].map({name: i for i, name in enumerate(MEASURES)}),
        )
    )
    return frame.iloc[order].reset_index(drop=True)
