"""The measure of side effects: laws, the worst first, nothing claimed near chance."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from equipoise.measures.model_answers import ByModel
from equipoise.measures.side_effects.measure import SideEffects, harms, tables_of
from equipoise.measures.side_effects.quantities import QUANTITIES
from equipoise.measures.side_effects.table import BASE, labelled
from equipoise.testing import check_measure
from equipoise.testing.measures import made_evidence

Values = dict[tuple[str, str], list[float]]


def items(values: Values) -> pd.DataFrame:
    rows = [
        (name, group, f"item {at}", value)
        for (name, group), own in values.items()
        for at, value in enumerate(own)
    ]
    return pd.DataFrame(rows, columns=["instrument", "group", "item", "value"])


def some(ones: int, n: int = 100) -> list[float]:
    return [1.0] * ones + [0.0] * (n - ones)


BEFORE: Values = {
    ("leakage", "people"): some(2),
    ("stories_repetition", "all"): [0.1, 0.2] * 50,
    ("crows_pairs", "age"): some(51),
    ("bbq_accuracy_ambiguous", "Age"): some(33),
    ("bbq_bias_ambiguous", "Age"): [0.0, 0.1] * 50,
}
AFTER: Values = {
    ("leakage", "people"): some(42),
    ("stories_repetition", "all"): [0.4, 0.5] * 50,
    ("crows_pairs", "age"): some(90),
    ("bbq_accuracy_ambiguous", "Age"): some(90),
    ("bbq_bias_ambiguous", "Age"): [0.8, 0.9] * 50,
    ("retention_kl", "all"): [0.01, 0.02] * 50,
}


@pytest.fixture
def examined() -> pd.DataFrame:
    return pd.concat(
        [
            labelled(items(BEFORE), BASE),
            labelled(items(AFTER), "sft", 1),
            labelled(items(BEFORE), "idle", 1),
        ],
        ignore_index=True,
    )


def test_the_laws(examined: pd.DataFrame) -> None:
    check_measure(SideEffects())
    evidence = replace(made_evidence(), by_model=ByModel(side_effects=examined))
    check_measure(SideEffects(), evidence)


def test_the_worst_is_named_and_nothing_near_chance(examined: pd.DataFrame) -> None:
    """Leakage +40 points of 5, repetition +30 of 5, KL 0.015 of 0.049; the rest is by chance."""
    tables = tables_of(examined).tables
    told = [(one.method, one.quantity.name, round(one.multiple, 1)) for one in harms(tables)]
    assert told == [
        ("sft", "leakage", 8.0), ("sft", "stories_repetition", 6.0), ("sft", "retention_kl", 0.3),
    ]  # fmt: skip
    worst = SideEffects().summarise(tables)["worst_side_effect"].to_dict()
    assert worst == {"sft": "listed terms elsewhere, people +40.0 points", "idle": "none shown"}
    sizes = SideEffects().summarise(tables)["worst_harm"].to_dict()
    assert sizes == {"sft": pytest.approx(8.0), "idle": 0.0}


def test_what_is_near_chance_is_said(examined: pd.DataFrame) -> None:
    crows, bbq = tables_of(examined).remarks
    assert crows == (
        "The base model is near chance, or has answered too little to tell, on CrowS-Pairs (age "
        "51.0 %; chance 50.0 %): no claim is built on it."
    )
    assert "BBQ, accuracy where nobody can know (Age 33.0 %; chance 33.3 %)" in bbq


def test_without_a_base_model_its_own_value_says_it(examined: pd.DataFrame) -> None:
    alone = examined[examined["method"] == "idle"]
    assert tables_of(alone).remarks[0].startswith("idle is near chance")


def test_the_section_leads_with_the_worst(examined: pd.DataFrame) -> None:
    section = SideEffects().section_of(tables_of(examined).tables, ["prompt", "sft", "idle"])
    assert section is not None
    assert section.titles == ("base model", "sft", "idle")
    name, cells = section.rows[0]
    assert name == "listed terms elsewhere: people"
    assert cells[0] == "2.0 %"
    assert cells[1].startswith("42.0 % (32.")
    assert [one for one, _ in section.rows][:3] == [
        "listed terms elsewhere: people",
        "repetition in stories",
        "divergence from the base model",
    ]
    assert len(section.rows) == len(AFTER), "the others follow"


def test_nothing_examined_is_no_table_and_no_section() -> None:
    assert not SideEffects().measure(made_evidence()).tables
    assert SideEffects().section_of({}, ["sft"]) is None


def test_better_is_no_harm() -> None:
    """Fewer stereotyped pairs, from 80 to 60 %, do not count as harm; more do, and 30 % does."""
    share = QUANTITIES["crows_pairs"]
    assert share.harm(0.6, 0.8) == pytest.approx(-0.2)
    assert share.harm(0.9, 0.8) == pytest.approx(0.1)
    assert share.harm(0.1, 0.8) == pytest.approx(0.1)
    assert QUANTITIES["stories_words"].harm(30, 40) == 10
