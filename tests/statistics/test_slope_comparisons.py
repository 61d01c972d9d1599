"""Differences of slopes: by hand, and what falls out of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from equipoise.statistics.slope_comparisons import COLUMNS, slope_comparisons
from equipoise.statistics.slopes import regress

COMPARED = ("terms", "pronouns", "agency", "association_fitted", "association_unfitted")
WOMEN = {"pilot": 0.0, "doctor": 40.0, "baker": 60.0, "nurse": 100.0, "clerk": 80.0, "smith": 10.0}

COMPARED = ("terms", "pronouns", "agency", "association_fitted", "association_unfitted")


def values(
    method: str, of_seed: dict[int, list[float]], measure: str = "association_unfitted"
) -> pd.DataFrame:
    rows = [
        (method, seed, measure, name, share, value)
        for seed, of_occupation in of_seed.items()
        for (name, share), value in zip(WOMEN.items(), of_occupation, strict=True)
    ]
    columns = ["method", "seed", "measure", "occupation", "share", "value"]
    return pd.DataFrame(rows, columns=columns)


def line(slope: float, *more: float) -> list[float]:
    """Values of ``slope`` nats per 100 points, and what each occupation adds."""
    added = more or (0.0,) * len(WOMEN)
    return [slope * x / 100 + extra for x, extra in zip(WOMEN.values(), added, strict=True)]


def test_what_an_occupation_adds_to_both_falls_out() -> None:
    own = (3.0, -1.0, 0.5, -2.0, 1.0, 4.0)
    frame = pd.concat(
        [
            values("sft", {1: line(2.0, *own), 2: line(2.2, *own)}),
            values("cf", {1: line(0.5, *own), 2: line(0.3, *own)}),
        ]
    )
    row = slope_comparisons(frame, COMPARED).iloc[0]
    assert (row["method_a"], row["method_b"], row["occupations"], row["seeds"]) == (
        "sft",
        "cf",
        6,
        2,
    )
    # 2.0 - 0.5 = 1.5 and 2.2 - 0.3 = 1.9: mean 1.7, SD 0.2828, over sqrt(2) 0.2;
    # nothing is left on the occupations' level, so t(1) = 12.7062
    assert row["difference"] == pytest.approx(1.7)
    assert row["low"] == pytest.approx(1.7 - 12.7062 * 0.2, abs=1e-4)
    assert row["high"] == pytest.approx(1.7 + 12.7062 * 0.2, abs=1e-4)
    # t = 1.7 / 0.2 = 8.5 with 1 df: p = 1 - 2 atan(8.5) / pi
    assert row["p"] == row["p_holm"] == pytest.approx(1 - 2 * math.atan(8.5) / math.pi, abs=1e-6)
    assert row["slope_a"] - row["slope_b"] == pytest.approx(1.7)


def test_of_one_seed_it_is_the_regression_of_the_differences() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, len(WOMEN)))
    frame = pd.concat([values("a", {1: list(one)}), values("b", {7: list(other)})])
    row = slope_comparisons(frame, COMPARED).iloc[0]
    slow = regress(one - other, np.array(list(WOMEN.values())))
    assert row["seeds"] == 1
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(
        (slow.slope, slow.low, slow.high)
    )
    assert (row["p"] < 0.05) == (not slow.low <= 0 <= slow.high)


def test_other_seeds_are_compared_by_their_means() -> None:
    frame = pd.concat(
        [
            values("a", {1: line(1.0, 1, 0, 2, 0, 0, 0), 2: line(2.0, 0, 1, 0, 0, 3, 0)}),
            values("b", {3: line(1.0)}),
        ]
    )
    row = slope_comparisons(frame, COMPARED).iloc[0]
    means = np.mean([line(1.0, 1, 0, 2, 0, 0, 0), line(2.0, 0, 1, 0, 0, 3, 0)], axis=0)
    slow = regress(means - line(1.0), np.array(list(WOMEN.values())))
    assert row["seeds"] == 1
    assert (row["difference"], row["low"]) == pytest.approx((slow.slope, slow.low))


def test_the_same_model_and_too_few_occupations_have_no_test() -> None:
    same = line(1.0, 1, 2, 3, 4, 5, 6)
    frame = pd.concat([values(name, {1: same}) for name in ("prompt", "filter")])
    row = slope_comparisons(frame, COMPARED).iloc[0]
    assert row["difference"] == 0
    assert row[["low", "high", "p", "p_holm"]].isna().all()
    few = frame[frame["occupation"].isin(["pilot", "nurse"])]
    row = slope_comparisons(few, COMPARED).iloc[0]
    assert row["occupations"] == 2
    assert row[["slope_a", "difference", "low", "p"]].isna().all()


def test_holm_is_over_the_pairs_of_one_measure() -> None:
    rng = np.random.default_rng(1)
    frame = pd.concat(
        [
            values(name, {1: list(rng.normal(size=6)), 2: list(rng.normal(size=6))}, measure)
            for measure in ("terms", "association_unfitted", "association_names")
            for name in ("a", "b", "c")
        ]
    )
    table = slope_comparisons(frame, COMPARED)
    assert table["measure"].tolist() == ["terms"] * 3 + ["association_unfitted"] * 3
    for _, family in table.groupby("measure"):
        smallest = family["p"].idxmin()
        assert family.loc[smallest, "p_holm"] == pytest.approx(min(3 * family["p"].min(), 1))


def test_methods_on_one_model_count_once() -> None:
    rng = np.random.default_rng(2)
    models = {name: {1: list(rng.normal(size=6)), 2: list(rng.normal(size=6))} for name in "abc"}
    parts = [values(name, of) for name, of in models.items()]
    alone = slope_comparisons(pd.concat(parts), COMPARED)
    decoders = {"a": "a", "dpo": "c", "filter": "a", "b": "b", "prompt": "a"}
    parts = [values(name, models[on]) for name, on in decoders.items()]
    table = slope_comparisons(pd.concat(parts), COMPARED)
    assert len(table) == 10
    known = {frozenset((r.method_a, r.method_b)): r for r in alone.itertuples()}
    for row in table.itertuples():
        one = known.get(frozenset((decoders[row.method_a], decoders[row.method_b])))
        if one is None:
            assert math.isnan(row.p_holm)
        else:
            assert (row.p, row.p_holm) == pytest.approx((one.p, one.p_holm))
            assert abs(row.difference) == pytest.approx(abs(one.difference))


def test_of_very_many_methods_no_pair_is_compared() -> None:
    frame = pd.concat([values(f"m{i}", {1: line(float(i))}) for i in range(31)])
    assert slope_comparisons(frame, COMPARED).empty
    assert len(slope_comparisons(frame[frame["method"] != "m0"], COMPARED)) == 30 * 29 / 2


def test_nothing_to_compare() -> None:
    table = slope_comparisons(values("a", {1: line(1.0)}), COMPARED)
    assert table.empty
    assert list(table.columns) == list(COLUMNS)
