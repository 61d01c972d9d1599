"""Stereotype: slopes of what is said, and of what the model expects, over the share of an axis.

What each occupation is given is in ``stereotype_values``, the regression in ``statistics.slopes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from equipoise.measures.column import DECIMALS, SIGNED, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured
from equipoise.measures.occupation_shares import no_shares_note, unmeasured_note
from equipoise.measures.stereotype_quantities import HEADLINE, quantities
from equipoise.measures.stereotype_values import (
    agency_values,
    all_occupations_note,
    association_values,
    text_values,
)
from equipoise.statistics.slope_comparisons import slope_comparisons
from equipoise.statistics.slopes import regress

_PER_100 = "per 100 points of the share"

STEREOTYPE = Table(
    "stereotype",
    "a measure, method and seed, and one for all seeds",
    (
        Column("occupations", "occupations", low=0),
        Column("mean", "mean", "of the values", form=SIGNED),
        Column("mean_absolute", "mean size", "of the absolute values, so that a word that is far "
               "likelier whatever the subject is seen", low=0, form=DECIMALS),
        Column("slope", "slope", "of the values", _PER_100, form=SIGNED, needed=True),
        Column("low", "", "lower end of its 95 % interval", _PER_100, form=SIGNED, needed=True),
        Column("high", "", "upper end", _PER_100, form=SIGNED, needed=True),
        Column("r", "r", "correlation", low=-1, high=1, form=SIGNED, needed=True),
    ),
    keys=("measure", "method", "seed"),
    absent="stereotype slopes",
)  # fmt: skip

SLOPES = Table(
    "slopes",
    "a measure and two methods",
    (
        Column("occupations", "occupations", low=0),
        Column("seeds", "pairs of seeds", low=1),
        *(
            Column(name, name.replace("_", " "), unit=_PER_100, form=SIGNED, needed=True)
            for name in ("slope_a", "slope_b", "difference", "low", "high")
        ),
        rate("p", "p", "of equal slopes"),
        rate("p_holm", "Holm's p", "corrected over all pairs of a measure", needed=True),
    ),
    keys=("measure", "method_a", "method_b"),
    absent="tests between stereotype slopes",
)


def _slope_headline(name: str, title: str, meaning: str, **more: Any) -> Headline:
    return Headline(Column(name, title, meaning, _PER_100, form=SIGNED, better="nearer 0"), **more)


class Stereotype(Measure):
    """How closely what is said, and what the model expects, follow the share of an axis."""

    name = "stereotype"
    title = "What stays of the stereotype"
    tables = (STEREOTYPE, SLOPES)
    headlines = (
        _slope_headline(
            "terms_slope", "slope of terms", "slope of `terms`", stands_in_for="stereotype_slope",
            main=True, dosed=True,
        ),
        _slope_headline(
            "stereotype_slope", "stereotype slope", f"slope of `{HEADLINE}`, nats",
            terminal="stereotype slope\n(95 % interval)", main=True, dosed=True,
            ends=("stereotype_low", "stereotype_high"),
        ),
        _slope_headline("stereotype_low", "", "lower end of its 95 % interval"),
        _slope_headline("stereotype_high", "", "upper end of its 95 % interval"),
        Headline(
            Column("mean_log_odds", "mean log-odds", f"mean of `{HEADLINE}` over all subjects: "
                   "which pole's word is the likelier one whatever the subject", "nats",
                   form=SIGNED, misleads="0 too where half the words lean one way and half the "
                   "other"),
            terminal="mean\nlog-odds", main=True,
        ),
        Headline(
            Column("mean_absolute_log_odds", "mean absolute log-odds", f"mean of `{HEADLINE}` "
                   "without its sign, word by word: how far from even", "nats", low=0,
                   form=DECIMALS, better="lower", misleads="words are not equally frequent: it is "
                   "not 0 for a model without any association; read it beside the untuned model's"),
            terminal="mean\n|log-odds|", main=True,
        ),
    )  # fmt: skip

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        values, associations = self._values(evidence), evidence.by_model.associations
        compared = [one.name for one in quantities(evidence.task) if one.compared]
        tables = {
            "stereotype": stereotype_table(values),
            "slopes": slope_comparisons(values, compared),
        }
        if associations is None:
            of_study = unmeasured_note(evidence.task) if evidence.costs is not None else []
            return Measured(tables, [*no_shares_note(evidence.task), *of_study])
        return Measured(tables, all_occupations_note(associations, evidence.task))

    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """See `Measure.summarise`."""
        table = tables.get("stereotype")
        if table is None:
            return super().summarise(tables)
        pooled = table[table["seed"].isna()]
        own = {
            name: pooled[pooled["measure"] == name].set_index("method")
            for name in ("terms", HEADLINE)
        }
        found = {"terms_slope": own["terms"]["slope"]}
        found |= {f"stereotype_{end}": own[HEADLINE][end] for end in ("slope", "low", "high")}
        for name in ("mean", "mean_absolute"):
            if name in table.columns:  # the second is not in tables of an earlier version
                found[f"{name}_log_odds"] = own[HEADLINE][name]
        return pd.DataFrame(found).rename_axis("method")

    @staticmethod
    def _values(evidence: Evidence) -> pd.DataFrame:
        """The value of each occupation, of every quantity that is known."""
        by_model, task = evidence.by_model, evidence.task
        values = [text_values(evidence.scored, task)]
        if by_model.agency is not None:
            values.append(agency_values(evidence.scored, task, by_model.agency.values))
        if by_model.associations is not None:
            values.append(association_values(by_model.associations, task))
        return pd.concat(values, ignore_index=True)


def stereotype_table(values: pd.DataFrame) -> pd.DataFrame:
    """Slopes of every measure over the subjects' share; see ``slopes.Slope`` for the columns.

    Columns: ``measure``, ``method``, ``seed`` and those of `STEREOTYPE`. The row without a seed is
    of all seeds: of each occupation's mean over them. Its interval is for other occupations and
    other seeds, a seed's for other occupations alone.

    Measures and methods stand in order of first appearance.

    Args:
        values: A frame of values, of one or more measures, methods and seeds.
    """
    measures, methods = (
        {name: i for i, name in enumerate(dict.fromkeys(values[key]))}
        for key in ("measure", "method")
    )
    rows = [
        {"measure": measure, "method": method, **row}
        for (measure, method), part in values.groupby(["measure", "method"], sort=False)
        for row in _slopes(part)
    ]
    columns = ["measure", "method", "seed", *(column.name for column in STEREOTYPE.columns)]
    frame = pd.DataFrame(rows, columns=columns).astype({"seed": "Int64"})
    order = np.lexsort(
        (
            frame["seed"].fillna(2**63 - 1).to_numpy(dtype=np.int64),
            frame["method"].map(methods),
            frame["measure"].map(measures),
        )
    )
    return frame.iloc[order].reset_index(drop=True)


def _slopes(values: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Of each seed of a measure and method, then of all."""
    table = values.pivot_table(
        index="occupation", columns="seed", values="value", sort=False, dropna=False
    )
    share = values.groupby("occupation", sort=False)["share"].first().reindex(table.index)
    x = share.to_numpy(dtype=float)
    sizes = values.groupby("seed", sort=False)["size"].mean()
    for seed in table.columns:
        found = regress(table[seed].to_numpy(dtype=float), x)
        yield {"seed": seed, "mean_absolute": sizes[seed], **found._asdict()}
    found = regress(table.to_numpy(dtype=float).T, x)
    yield {"seed": pd.NA, "mean_absolute": sizes.mean(), **found._asdict()}
