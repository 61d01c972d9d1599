"""Sentences about slopes: what is shown, what is not, and what could not be tested."""

from __future__ import annotations

from equipoise.report.slope_claims import slope_claims
from equipoise.runs.finished_run import FinishedRun


def test_what_is_shown_comes_first_and_one_model_is_named_once(
    run: FinishedRun,
) -> None:
    assert slope_claims(run, "association_unfitted") == [
        "The slope of prompt and filter (+2.20) is significantly higher than that of sft (+1.40): "
        "difference +0.80, 95 % interval +0.50 to +1.10; p < 0.001, Holm-corrected.",
        "The slope of dpo (+2.30) is not shown to differ from that of prompt and filter (+2.20): "
        "difference +0.10, 95 % interval −0.20 to +0.40; p = 0.400, Holm-corrected.",
    ]
    assert slope_claims(run, "terms") == []


def test_without_the_table_nothing_is_said(bare: FinishedRun) -> None:
    assert slope_claims(bare, "association_unfitted") == []
