"""The summary: one row a method, whatever was measured and whatever was not."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from equipoise.completions.frame import as_completions
from equipoise.measures import ByModel, assemble, evaluate, score
from equipoise.measures.model_answers import FluencyScores
from equipoise.task.task import Task

COLUMNS = [
    "method", "control", "balanced_requested", "balanced", "told", "by_construction",
    "seeds", "n", "balanced_train", "balanced_validation",
    "balanced_held_out", "satisfied", "well_formed",
    "without_listed_held_out", "without_listed_wide", "without_listed_in_range",
    "held_out_preference", "entropy", "pairs_share", "self_bleu",
    "templates",
    "log_probability_base", "log_probability_independent", "divergence", "terms_slope",
    "stereotype_slope", "stereotype_low", "stereotype_high",
    "mean_log_odds", "mean_absolute_log_odds", "worst_side_effect",
    "tokens_per_delivered", "fit_seconds", "peak_gb", "trainable_parameters",
]  # fmt: skip
BOTH, ONE = "The nurse was bold and caring at work.", "The nurse was bold and decisive."


def frame(*rows: tuple[str, int, str, str], task: Task) -> pd.DataFrame:
    return as_completions(pd.DataFrame(rows, columns=["method", "seed", "subject", "text"]), task)


@pytest.fixture
def completions(task: Task) -> pd.DataFrame:
    return frame(
        ("sft", 1, "nurse", BOTH), ("sft", 1, "teacher", ONE),
        ("sft", 2, "nurse", BOTH), ("sft", 2, "teacher", BOTH),
        ("prompt", 1, "nurse", ONE),
        task=task,
    )  # fmt: skip


def test_of_texts_alone(completions: pd.DataFrame, task: Task) -> None:
    table = assemble(score(completions, task), task).summary
    assert table is not None
    assert table.columns.tolist() == COLUMNS
    row = table.iloc[0]
    assert (row["method"], row["control"], row["seeds"], row["n"]) == ("sft", "", 2, 4)
    assert (row["balanced_train"], row["balanced_validation"]) == (1, 0.5)
    # seed 1: bold 2, caring 1, decisive 1 of 4: 1.5 bits; seed 2: bold and caring alone: 1 bit
    assert row["entropy"] == pytest.approx(1.25)
    assert row["pairs_share"] == 1 / 4
    # in each seed the nurse's; the same text about a teacher names the wrong one
    assert row["templates"] == 1 / 2
    assert table.loc[1, ["method", "n"]].tolist() == ["prompt", 1]
    assert math.isnan(table.loc[1, "balanced_validation"])
    assert table[COLUMNS[COLUMNS.index("log_probability_base") :]].isna().all(axis=None)


def test_with_all_that_can_be_known(completions: pd.DataFrame, task: Task) -> None:
    texts = completions[["subject", "text"]].drop_duplicates()
    values = {BOTH: -8.0, ONE: -6.0}
    scores = texts.assign(
        tokens=4, log_probability=texts["text"].map(values), prefixed=True, truncated=False
    )
    costs = [
        {
            "method": method, "wanted": 4, "delivered": delivered, "draws": 8,
            "accepted": delivered, "rejects": True, "tokens": 80,
            "balanced_delivered": 0, "balanced_draws": 0,
            "fit_seconds": 3.0, "sampling_seconds": 1.0, "fit_peak_gb": 1.0,
            "sampling_peak_gb": 2.0, "trainable_parameters": 9,
        }
        for method, delivered in (("sft", 4), ("nothing", 0), ("prompt", 1))
    ]  # fmt: skip
    found = assemble(
        score(completions, task),
        task,
        ByModel({"base": FluencyScores("m", scores)}),
        costs=costs,
        controls={"sft": "parametric", "prompt": "none", "nothing": "post-hoc"},
    )
    assert found.summary is not None
    table = found.summary.set_index("method")
    assert table.index.tolist() == ["sft", "nothing", "prompt"]
    assert table["control"].tolist() == ["parametric", "post-hoc", "none"]
    # medians a token: seed 1 of -2 and -1.5, seed 2 of -2 and -2
    assert table["log_probability_base"].tolist() == pytest.approx(
        [(-1.75 - 2) / 2, math.nan, -1.5], nan_ok=True
    )
    assert table["tokens_per_delivered"].tolist() == [20, math.inf, 80]
    assert table["peak_gb"].tolist() == [2, 2, 2]
    assert table["n"].tolist() == [4, 0, 1]
    whole = ["seeds", "n", "trainable_parameters"]
    assert table[whole].to_csv().splitlines()[1:] == ["sft,2,4,9", "nothing,0,0,9", "prompt,1,1,9"]
    assert tuple(found.tables) == (
            "summary", "by_seed", "compliance", "diversity", "fluency", "stereotype", "slopes",
            "terms", "cost", "comparisons", "intervals", "wilson", "consistency",
    )  # fmt: skip


def test_texts_of_ten_thousand_words_or_another_language(task: Task) -> None:
    texts = [
        "bold " * 9_999 + "caring",
        "Die Ärztin war mutig und fürsorglich.",
        "护士很勇敢。",
        "  ",
    ]
    rows = [{"subject": "nurse", "text": text} for text in texts]
    found = evaluate(pd.DataFrame(rows), task)
    assert found.summary is not None
    assert found.summary["n"].tolist() == [4]
    assert found.summary["entropy"].tolist() == [1]  # of bold and caring, once each


def test_rates_of_exactly_one_or_nothing(task: Task) -> None:
    for text in (BOTH, "The nurse was there."):
        found = evaluate(pd.DataFrame({"subject": ["nurse"], "text": [text]}), task)
        assert found.summary is not None
        assert found.summary["balanced_train"].tolist() == [float(text == BOTH)]
        assert "–" in str(found)
