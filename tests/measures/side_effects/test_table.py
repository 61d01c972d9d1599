"""Values, intervals and tests of items, against hand and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from equipoise.measures.side_effects.quantities import KL, LEAKAGE, PERPLEXITY
from equipoise.measures.side_effects.table import (
    BASE,
    labelled,
    paired_table,
    side_effects_table,
)
from equipoise.statistics.rates import wilson_interval


def items(name: str, values: list[float], group: str = "all") -> pd.DataFrame:
    rows = [(name, group, f"item {at}", value) for at, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["instrument", "group", "item", "value"])


BEFORE, ONE, TWO = [3.0, 5, 4, 4], [4.0, 5, 6, 5], [5.0, 5, 6, 6]


@pytest.fixture
def examined() -> pd.DataFrame:
    """A perplexity of the base model, and of one method with two seeds."""
    name = PERPLEXITY.name
    return pd.concat(
        [
            labelled(items(name, BEFORE), BASE),
            labelled(items(name, ONE), "sft", 1),
            labelled(items(name, TWO), "sft", 2),
        ]
    )


def test_a_row_a_seed_and_one_for_all(examined: pd.DataFrame) -> None:
    table = side_effects_table(examined)
    assert table.columns.tolist() == [
        "method", "seed", "instrument", "group", "value", "low", "high", "n", "base", "unit",
    ]  # fmt: skip
    assert table["method"].tolist() == ["sft"] * 3, "the base model is a column"
    assert table["seed"].tolist() == [1, 2, pd.NA]
    assert table["value"].tolist() == [5, 5.5, 5.25]
    assert (table["base"] == 4).all()
    assert (table["n"] == 4).all()
    assert set(table["unit"]) == {"nats a token"}
    first = table.iloc[0]
    expected = stats.t.interval(0.95, 3, 5, stats.sem(ONE))
    assert (first["low"], first["high"]) == pytest.approx(expected)


def test_a_model_is_tested_over_the_same_items(examined: pd.DataFrame) -> None:
    """With one seed it is the paired t test."""
    one = examined[examined["seed"].isna() | (examined["seed"] == 1)]
    [row] = paired_table(one).to_dict("records")
    expected = stats.ttest_rel(ONE, BEFORE)
    assert (row["method_a"], row["method_b"]) == ("sft", BASE)
    assert row["difference"] == 1
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["p_holm"] == row["p"]
    assert row["shown"] == "no"


def test_holm_within_a_quantity(examined: pd.DataFrame) -> None:
    other = labelled(items(PERPLEXITY.name, [v + 3 for v in ONE]), "dpo", 1)
    table = paired_table(pd.concat([examined, other]))
    pairs = list(zip(table["method_a"], table["method_b"], strict=True))
    assert pairs == [("sft", BASE), ("dpo", BASE), ("sft", "dpo")]
    p = table["p"].tolist()
    order = np.argsort(p)
    smallest = table["p_holm"].tolist()[order[0]]
    assert smallest == pytest.approx(min(1, 3 * p[order[0]]))
    leaked = pd.concat(
        [
            labelled(items(LEAKAGE.name, [0.0] * 9), BASE),
            labelled(items(LEAKAGE.name, [1.0] * 9), "sft", 1),
        ]
    )
    both = paired_table(pd.concat([examined, other, leaked]))
    alone = both[both["instrument"] == LEAKAGE.name]
    assert alone["p_holm"].tolist() == alone["p"].tolist(), "another quantity is another family"


def test_a_rate_of_nothing_has_an_interval() -> None:
    table = side_effects_table(labelled(items(LEAKAGE.name, [0.0] * 100), "sft", 1))
    row = table.iloc[0]
    assert (row["value"], row["low"]) == (0, 0)
    assert 0.03 < row["high"] < 0.06  # Wilson's of 0 of 100 ends at 0.037
    assert np.isnan(row["base"])


def test_a_rare_hit_has_wilsons_interval() -> None:
    """One of forty: 0.4 to 12.9 %, and no more for its being skewed."""
    some = [1.0, *[0.0] * 39]
    row = side_effects_table(labelled(items(LEAKAGE.name, some), "sft", 1)).iloc[0]
    low, high = wilson_interval(1, 40)
    assert row["low"] == pytest.approx(low, abs=0.003)
    assert row["high"] == pytest.approx(high, abs=0.02)


def test_no_interval_leaves_what_there_can_be() -> None:
    share = labelled(items("stories_repetition", [0.0, 0.0, 0.0, 0.1]), "sft", 1)
    assert side_effects_table(share)["low"].tolist() == [0, 0]


def test_what_is_so_by_definition_needs_no_base() -> None:
    found = labelled(items(KL.name, [0.1, 0.2, 0.3]), "sft", 1)
    assert (side_effects_table(found)["base"] == 0).all()
    assert paired_table(found).empty


def test_what_never_varies_has_no_interval() -> None:
    row = side_effects_table(labelled(items(PERPLEXITY.name, [2.0] * 3), "sft", 1))
    assert row[["low", "high"]].isna().all(axis=None)
    assert (row["value"] == 2).all()
