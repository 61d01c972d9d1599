"""Words it was never given: what is left of balance without the words that were taught.

Balance in listed terms may be a list learnt by heart. Here the list is taken away: what a model
says without it is judged by other words of the same meaning. And it is asked which of two sentences
it likes more, a balanced one or a one-sided one, of words, templates and subjects that it was never
given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from equipoise.measures.column import COUNT, DECIMALS, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured
from equipoise.measures.groups import in_order, split_groups
from equipoise.statistics.cells import SPLITS

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
"""Rates of what is said without the listed terms."""

FLAGS = ("held_out", "wide", "in_range")
"""What is known of each text, 0 or 1, in the order of `RATES`; not what the task cannot judge."""

PREFERENCES = ("log_probability_balanced", "log_probability_one_sided")
"""What is known of each pair, nats a token."""

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
        Column("pairs", "pairs", "pairs of a balanced and a one-sided sentence, of held-out terms "
               "and templates, about validation subjects; the same for all models", low=0,
               whole=True, form=COUNT),
        rate("held_out_preference", "likes the balanced one more", "share of `pairs` in which the "
             "model gives the balanced sentence more log-probability a token; chance is one half",
             "what the model finds likely after the neutral prompt, not what it writes: the same "
             "for all methods that leave it as it is", better="higher"),
        rate("held_out_preference_untuned", "the untuned model does", "the same of the untuned "
             "model; empty where no method of the study leaves it as it is"),
    ),
    absent="what is said when the listed words are taken away",
)  # fmt: skip

SHARED = (*RATES, UNSEEN.column("held_out_preference"))
"""Columns that `compliance` has too, means over seeds."""


class Unseen(Measure):
    """What a method's model says when the listed terms are taken away."""

    name = "unseen"
    title = "Words it was never given"
    introduction = (
        "Means over seeds, all subjects. The model is asked as the method asks it, and may write "
        "no listed term nor a word that begins with one; what it then says is judged by words "
        "that no method was given. The preference is about validation subjects alone."
    )
    tables = (UNSEEN,)
    section = (
        *(column.name for column in RATES), "without_listed_agency_sd", "held_out_preference",
        "held_out_preference_untuned",
    )  # fmt: skip
    headlines = (
        Headline(UNSEEN.column("without_listed_held_out"), terminal="held-out,\nno listed"),
        Headline(UNSEEN.column("without_listed_wide"), terminal="wide,\nno listed"),
        Headline(UNSEEN.column("without_listed_in_range"), terminal="in range,\nno listed"),
        Headline(UNSEEN.column("held_out_preference"), terminal="prefers\nbalanced"),
    )
    apart = True

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`; no table where no model was asked."""
        tables = {"unseen": table} if (table := unseen_table(evidence)) is not None else {}
        return Measured(tables)


def unseen_table(evidence: Evidence) -> pd.DataFrame | None:
    """A row for each method, seed and split of which anything is known; columns of `UNSEEN`."""
    said, liked = _said(evidence), _liked(evidence)
    if said.empty and liked.empty:
        return None
    table = said.merge(liked, on=list(UNSEEN.keys), how="outer")
    methods = pd.concat([evidence.scored["method"], said["method"], liked["method"]])
    counts = {"without_listed": "Int64", "pairs": "Int64"}
    return in_order(table, methods)[UNSEEN.order()].astype(counts)


def _said(evidence: Evidence) -> pd.DataFrame:
    """What is said without the listed terms: a row for each method, seed and split."""
    said, agency = evidence.by_model.without_listed, evidence.by_model.agency
    names = ["without_listed", *(column.name for column in RATES), "without_listed_agency_sd"]
    if said is None:
        return pd.DataFrame(columns=[*UNSEEN.keys, *names])
    values: Mapping[str, float] = agency.values if agency else {}
    said = said.assign(_agency=said["text"].map(values).astype("float64"))
    rows: list[dict[str, Any]] = []
    for method, seed, split, part in split_groups(said):
        row = {"method": method, "seed": seed, "split": split, "without_listed": len(part)}
        for column, flag in zip(RATES, FLAGS, strict=True):
            row[column.name] = float(part[flag].mean()) if flag in part else math.nan
        rows.append({**row, "without_listed_agency_sd": float(part["_agency"].std(ddof=1))})
    return pd.DataFrame(rows)


def _liked(evidence: Evidence) -> pd.DataFrame:
    """Which sentences are liked more: a row for each method and seed, as validation and as all."""
    pairs = evidence.by_model.preferences
    names = ["pairs", "held_out_preference", "held_out_preference_untuned"]
    if pairs is None:
        return pd.DataFrame(columns=[*UNSEEN.keys, *names])
    difference = pairs[PREFERENCES[0]] - pairs[PREFERENCES[1]]
    wins = (difference > 0) + (difference == 0) / 2
    groups = wins.groupby([pairs["method"], pairs["seed"]], sort=False)
    found = pd.DataFrame({names[0]: groups.size(), names[1]: groups.mean()}).reset_index()
    untuned = {cell.method for cell in evidence.cells if cell.untuned}
    found[names[2]] = found.loc[found["method"].isin(untuned), names[1]].mean()
    return pd.concat([found.assign(split=split) for split in SPLITS[1:]])


def with_unseen(compliance: pd.DataFrame, unseen: pd.DataFrame | None) -> pd.DataFrame:
    """``compliance`` with the means over seeds of `SHARED`, where they are known."""
    if unseen is None:
        return compliance
    names = [column.name for column in SHARED]
    means = unseen.groupby(["method", "split"], sort=False)[names].mean().reset_index()
    return compliance.merge(means, on=["method", "split"], how="left", sort=False)
