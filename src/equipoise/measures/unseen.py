"""Words it was never given: what is left of balance without the words that were taught.

Balance in listed terms may be a list learnt by heart. Here the list is taken away: what a model
says without it is judged by other words of the same meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from equipoise.measures.declaration import (
    COUNT,
    DECIMALS,
    Column,
    Evidence,
    Headline,
    Measure,
    Measured,
    Table,
    rate,
)
from equipoise.measures.groups import split_groups

_TAKEN = "with the listed terms forbidden"

RATES = (
    rate("without_listed_held_out", "held-out terms, listed taken away", "share of completions "
         f"drawn {_TAKEN} that are balanced in the held-out terms alone", "a dozen words a side: a "
         "model that says the same in others scores 0", better="higher"),
    rate("without_listed_wide", "wide lexicon, listed taken away", "the same, balanced in the wide "
         "lexicon alone, over a hundred words a side", "a word counts whatever is said with it; a "
         "long text holds more of them: look at `without_listed_in_range`", better="higher"),
    rate("without_listed_in_range", "in range, listed taken away", f"share of completions drawn "
         f"{_TAKEN} that have as many words as the constraint asks for", "", better="higher"),
)  # fmt: skip
"""Rates of what is said without the listed terms; `compliance` has them too."""

FLAGS = ("held_out", "wide", "in_range")
"""What is known of each text, 0 or 1, in the order of `RATES`; not what the task cannot judge."""

UNSEEN = Table(
    "unseen",
    "a method, seed and split",
    (
        Column("without_listed", "completions, listed taken away", f"completions drawn {_TAKEN}",
               low=0, whole=True, form=COUNT),
        *RATES,
        Column("without_listed_agency_sd", "spread of agency, listed taken away", "sample SD over "
               "these completions of the probability that their language is agentic, by the "
               "classifier learnt from LAC", low=0, high=0.71, form=DECIMALS,
               misleads="small where all texts are agentic as well as where all are even"),
    ),
    absent="what is said when the listed words are taken away",
)  # fmt: skip


class Unseen(Measure):
    """What a method's model says when the listed terms are taken away."""

    name = "unseen"
    title = "Words it was never given"
    introduction = (
        "Means over seeds, all subjects. The model is asked as the method asks it, and may write "
        "no listed term nor a word that begins with one; what it then says is judged by words "
        "that no method was given."
    )
    tables = (UNSEEN,)
    section = (*(column.name for column in RATES), "without_listed_agency_sd")
    headlines = (
        Headline(UNSEEN.column("without_listed_held_out"), terminal="held-out,\nno listed"),
        Headline(UNSEEN.column("without_listed_wide"), terminal="wide,\nno listed"),
        Headline(UNSEEN.column("without_listed_in_range"), terminal="in range,\nno listed"),
    )
    apart = True

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`; no table where no model was asked."""
        tables = {"unseen": table} if (table := unseen_table(evidence)) is not None else {}
        return Measured(tables)


def unseen_table(evidence: Evidence) -> pd.DataFrame | None:
    """A row for each method, seed and split of which anything is known; columns of `UNSEEN`."""
    said = evidence.by_model.without_listed
    if said is None:
        return None
    agency = evidence.by_model.agency
    values: Mapping[str, float] = agency.values if agency else {}
    said = said.assign(_agency=said["text"].map(values).astype("float64"))
    rows: list[dict[str, Any]] = []
    for method, seed, split, part in split_groups(said):
        row = {"method": method, "seed": seed, "split": split, "without_listed": len(part)}
        for column, flag in zip(RATES, FLAGS, strict=True):
            row[column.name] = float(part[flag].mean()) if flag in part else math.nan
        rows.append({**row, "without_listed_agency_sd": float(part["_agency"].std(ddof=1))})
    return pd.DataFrame(rows, columns=UNSEEN.order())


def with_unseen(compliance: pd.DataFrame, unseen: pd.DataFrame | None) -> pd.DataFrame:
    """``compliance`` with the means over seeds of `RATES`, where they are known."""
    if unseen is None:
        return compliance
    names = [column.name for column in RATES]
    means = unseen.groupby(["method", "split"], sort=False)[names].mean().reset_index()
    return compliance.merge(means, on=["method", "split"], how="left", sort=False)
