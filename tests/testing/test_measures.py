"""Every measure of the registry keeps the laws; measures that lie are caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.measures import registry
from equipoise.measures.column import PERCENT, Column, Table
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured, Outcome
from equipoise.testing import MEASURE_LAWS, BrokenLawError, check_measure, made_evidence

SHARE = Column("share", "exclamations", "share that ends in '!'", low=0, high=1, form=PERCENT)


class Exclamations(Measure):
    """How many completions end in an exclamation mark: an honest measure, to be spoilt."""

    name = "exclamations"
    title = "Exclamations"
    tables = (Table("exclamations", "a method", (SHARE,), keys=("method",)),)
    headlines = (Headline(SHARE),)
    outcomes = (Outcome("exclaims", "ends in '!'"),)

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        ends = evidence.scored["text"].str.endswith("!")
        share = ends.groupby(evidence.scored["method"], sort=False).mean()
        return Measured({"exclamations": share.rename("share").reset_index()})

    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        """See `Measure.of_completions`."""
        return {"exclaims": evidence.scored["text"].str.endswith("!").astype("boolean")}


class Undeclared(Exclamations):
    def measure(self, evidence: Evidence) -> Measured:
        table = super().measure(evidence).tables["exclamations"]
        return Measured({"exclamations": table.assign(more=1.0)})


class OutOfRange(Exclamations):
    def measure(self, evidence: Evidence) -> Measured:
        table = super().measure(evidence).tables["exclamations"]
        return Measured({"exclamations": table.assign(share=100 * table["share"] + 2)})


class Random(Exclamations):
    def measure(self, evidence: Evidence) -> Measured:
        table = super().measure(evidence).tables["exclamations"]
        return Measured({"exclamations": table.assign(share=np.random.default_rng().random())})


class Meddling(Exclamations):
    def measure(self, evidence: Evidence) -> Measured:
        evidence.scored["text"] = evidence.scored["text"] + "!"
        return super().measure(evidence)


class Short(Exclamations):
    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        return {"exclaims": super().of_completions(evidence)["exclaims"].head(1)}


class Unannounced(Exclamations):
    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        return {"surprise": super().of_completions(evidence)["exclaims"]}


class Talkative(Exclamations):
    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        return pd.DataFrame({"share": [1.0]}, index=["somebody"])


class Demanding(Exclamations):
    def measure(self, evidence: Evidence) -> Measured:
        if evidence.scored["text"].nunique() < 2:
            raise ValueError("too little")
        return super().measure(evidence)


@pytest.mark.parametrize("law", MEASURE_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("measure", registry.MEASURES, ids=lambda measure: measure.name)
def test_the_measures_keep_the_laws(
    measure: Measure, law: Callable[[Measure, Evidence], None]
) -> None:
    law(measure, made_evidence())


def test_an_honest_measure_passes() -> None:
    check_measure(Exclamations())


@pytest.mark.parametrize(
    ("liar", "law"),
    [
        (Undeclared, "its_tables_are_the_declared_ones"),
        (OutOfRange, "its_values_are_in_range"),
        (Random, "the_same_evidence_gives_the_same"),
        (Meddling, "it_changes_nothing"),
        (Short, "its_outcomes_are_of_each_completion"),
        (Unannounced, "its_outcomes_are_of_each_completion"),
        (Talkative, "its_headlines_are_one_value_a_method"),
        (Demanding, "little_is_enough"),
    ],
)
def test_liars_are_caught(liar: type[Measure], law: str) -> None:
    with pytest.raises(BrokenLawError, match=law):
        check_measure(liar())
