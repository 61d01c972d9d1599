"""Scores of single completions: their columns, what they miss, and that methods differ in them."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from equipoise.errors import EquipoiseError
from equipoise.measures import ByModel, as_completions, assemble, score
from equipoise.measures.evaluation import evidence_of
from equipoise.measures.model_answers import AgencyScores, FluencyScores
from equipoise.task.task import Task

TEXTS = ("The nurse was bold.", "The nurse was caring.", "The nurse was")


def judge(values: dict[str, tuple[int, float]]) -> FluencyScores:
    """A judge's scores of the nurse's texts: tokens and their log-probability."""
    rows = [("nurse", text, n, total, True, False) for text, (n, total) in values.items()]
    names = ["subject", "text", "tokens", "log_probability", "prefixed", "truncated"]
    return FluencyScores("tiny", pd.DataFrame(rows, columns=names))


SAID = ByModel(
    {"base": judge({TEXTS[0]: (4, -8.0), TEXTS[1]: (2, -3.0), TEXTS[2]: (0, 0.0)})},
    AgencyScores({TEXTS[0]: 0.75, TEXTS[1]: 0.25, TEXTS[2]: math.nan}, 7 / 8, 1372),
)


def completions(task: Task, *rows: tuple[str, int, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["method", "seed", "text"]).assign(subject="nurse")
    return score(as_completions(frame, task), task)


def test_each_completion_has_its_scores(task: Task) -> None:
    scored = completions(task, *[("sft", 1, TEXTS[i]) for i in (1, 0, 2, 0)])
    found = evidence_of(scored.set_axis([9, 8, 7, 6]), task, SAID).scored
    assert found["log_probability_base"].tolist()[:2] == [-1.5, -2.0]  # -3 / 2 and -8 / 4
    assert found["agency"].tolist()[:2] == [0.25, 0.75]
    for name in ("log_probability_base", "agency"):
        assert found[name].isna().tolist() == [False, False, True, False]
    assert found.drop(columns=["log_probability_base", "agency"]).equals(
        scored.set_axis([9, 8, 7, 6])
    )
    assert evidence_of(scored, task).scored is scored
    some = ByModel({"base": judge({TEXTS[0]: (4, -8.0), TEXTS[2]: (0, 0.0)})})
    with pytest.raises(EquipoiseError, match="1 completions have no score of 'base'"):
        evidence_of(scored, task, some)


def test_methods_are_compared_on_their_scores(task: Task) -> None:
    better = [("sft", seed, TEXTS[i]) for seed in (1, 2) for i in (1, 1, 1, 0)]
    worse = [("prompt", seed, TEXTS[i]) for seed in (1, 2) for i in (0, 0, 1, 2)]
    found = assemble(completions(task, *better, *worse), task, SAID)
    table = found.comparisons
    assert table is not None
    row = table[table["split"] == "all"].set_index("outcome").loc["log_probability_base"]
    # sft: three times -1.5, once -2; prompt: twice -2, once -1.5, one without a value
    assert row["mean_a"] == pytest.approx(-6.5 / 4)
    assert row["mean_b"] == pytest.approx(-5.5 / 3)
    # of 12 pairs: 3 x 2 higher, 1 x 1 lower
    assert row["cliffs_delta"] == pytest.approx((6 - 1) / 12)
    assert math.isnan(row["cohens_h"])
    assert math.isnan(row["p_equivalent"])
    assert "points" not in row["verdict"]
    assert set(table["outcome"]) == {
        "balanced", "satisfied", "any", "balanced_held_out", "log_probability_base", "agency",
    }  # fmt: skip
    for name in ("log_probability_base", "agency"):
        assert name in set(found.intervals["outcome"])
        assert name not in set(found.wilson["outcome"])


def test_what_agency_says_nothing_of_is_counted(task: Task) -> None:
    found = assemble(completions(task, *[("sft", 1, TEXTS[i]) for i in (0, 2, 2)]), task, SAID)
    assert found.remarks[-3:-1] == (
        "Language agency: its classifier is right on 87.5 % of LAC's 1,372 validation sentences.",
        "Texts that are empty or of one token, without an agency: 2 of 3.",
    )
    whole = assemble(completions(task, ("sft", 1, TEXTS[0])), task, SAID)
    assert not any("without an agency" in remark for remark in whole.remarks)
    silent = assemble(completions(task, ("sft", 1, TEXTS[0])), task, ByModel(SAID.fluency))
    assert not any("agency" in remark for remark in silent.remarks)
