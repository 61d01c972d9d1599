"""The divergence from the untuned model, by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from equipoise.measures.divergence import divergence_table
from equipoise.measures.model_answers import FluencyScores


def test_by_hand() -> None:
    completions = pd.DataFrame(
        [
            ("sft", 1, "train", "doctor", "a"),
            ("sft", 1, "train", "doctor", "a"),
            ("sft", 1, "validation", "nurse", "b"),
            ("prompt", 1, "train", "doctor", "a"),
        ],
        columns=["method", "seed", "split", "subject", "text"],
    )
    own = pd.DataFrame(
        [("sft", 1, "doctor", "a", -3.0), ("sft", 1, "nurse", "b", -5.0)],
        columns=["method", "seed", "subject", "text", "log_probability"],
    )
    base = FluencyScores(
        "tiny",
        pd.DataFrame(
            [("doctor", "a", -10.0), ("nurse", "b", -6.0)],
            columns=["subject", "text", "log_probability"],
        ),
    )
    table = divergence_table(completions, own, base).set_index(["method", "split"])["divergence"]
    assert table["sft", "train"] == 7  # -3 + 10, twice
    assert table["sft", "validation"] == 1
    assert table["sft", "all"] == pytest.approx((7 + 7 + 1) / 3)
    assert math.isnan(table["prompt", "all"]), "nobody asked its model"
