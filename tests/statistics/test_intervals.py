"""The interval tables, recomputed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from equipoise.statistics import StatisticsSettings, interval_table, wilson_table
from equipoise.statistics.intervals import rate_interval
from equipoise.statistics.rates import wilson_interval
from equipoise.statistics.two_level import mean

from .conftest import Scored


def test_wilson_table_has_every_cell_and_split(study: pd.DataFrame) -> None:
    table = wilson_table(study, ["balanced"])
    assert len(table) == 2 * 3 * 3
    chosen = (table["method"] == "sft") & (table["seed"] == 2) & (table["split"] == "all")
    [cell] = table[chosen].to_dict("records")
    assert (cell["n"], cell["rate"]) == (40, 30 / 40)
    assert (cell["low"], cell["high"]) == wilson_interval(30, 40)
    assert wilson_table(study.assign(balanced=1.5), ["balanced"]).empty


def test_interval_table_by_hand(study: pd.DataFrame) -> None:
    table = interval_table(study, ["balanced"]).set_index(["method", "split"])
    splits = table.index.get_level_values("split").tolist()
    assert splits == ["train", "validation", "all", "gap"] * 2
    gap = table.loc[("sft", "gap")]
    # seeds: 17/20 - 15/20 = 0.1, 16/20 - 14/20 = 0.1, 19/20 - 16/20 = 0.15
    assert gap["mean"] == pytest.approx(0.35 / 3)
    assert gap["sd"] == pytest.approx(np.std([0.1, 0.1, 0.15], ddof=1))
    low, high = stats.t.interval(0.95, 2, 0.35 / 3, np.std([0.1, 0.1, 0.15], ddof=1) / math.sqrt(3))
    assert (gap["low_fixed"], gap["high_fixed"]) == pytest.approx((low, high))
    assert gap["low"] <= gap["low_fixed"]
    overall = table.loc[("sft", "all")]
    assert (overall["seeds"], overall["subjects"]) == (3, 4)
    assert overall["mean"] == pytest.approx(97 / 120)
    assert overall["sd"] == pytest.approx(np.std([32 / 40, 30 / 40, 35 / 40], ddof=1))
    for suffix in ("", "_fixed"):
        assert 0 <= overall[f"low{suffix}"] < overall["mean"] < overall[f"high{suffix}"] <= 1


def test_rate_interval_by_hand() -> None:
    # seeds 0.8, 0.9: mean 0.85, variance 0.005 / 2 = 0.0025; 0.85 x 0.15 / 0.0025 = 51 trials;
    # t(1) at 97.5 % = 12.7062; q² / n = 161.4476 / 51 = 3.165639
    found = mean(np.array([[0.8, 0.8], [0.9, 0.9]]), "fixed")
    q2 = stats.t.ppf(0.975, 1) ** 2 / 51
    half = math.sqrt(q2 * (0.1275 + q2 / 4)) / (1 + q2)
    low, high = rate_interval(found, np.array(200.0))
    centre = (0.85 + q2 / 2) / (1 + q2)
    assert (float(low), float(high)) == pytest.approx((centre - half, centre + half))


def test_one_seed_and_rates_of_0_and_1(scored: Scored) -> None:
    one = interval_table(scored({"a": {1: {"t": (10, 10), "v": (10, 10)}}}), ["balanced"])
    alone = one[one["split"] == "train"].iloc[0]
    assert math.isnan(alone["low"])  # one subject says nothing of others
    assert (alone["low_fixed"], alone["high_fixed"]) == pytest.approx(wilson_interval(10, 10))
    overall = one[one["split"] == "all"].iloc[0]
    assert math.isnan(overall["sd"])
    assert (overall["low"], overall["high"]) == pytest.approx(wilson_interval(20, 20))
    gap = one[one["split"] == "gap"].iloc[0]
    assert gap["mean"] == 0
    assert math.isnan(gap["low"])
    assert -1 <= gap["low_fixed"] < 0 < gap["high_fixed"] <= 1


def test_subjects_without_split_and_incomplete_ones(scored: Scored) -> None:
    frame = scored({"a": {1: {"t": (1, 4), "u": (2, 4)}, 2: {"t": (1, 4)}}}).assign(split="")
    table = interval_table(frame, ["balanced"])
    assert table["split"].tolist() == ["all"]
    assert table["subjects"].tolist() == [1]


def test_constant_scores_have_no_interval(study: pd.DataFrame) -> None:
    table = interval_table(study.assign(words=8.0), ["words"], StatisticsSettings())
    assert table["mean"].tolist() == [8, 8, 8, 0] * 2
    assert table[["low", "high", "low_fixed", "high_fixed"]].isna().all(axis=None)
