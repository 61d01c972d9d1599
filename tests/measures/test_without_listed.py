"""What is drawn and said without the listed terms: sentences, flags, and the table by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from equipoise.completions.frame import as_completions
from equipoise.measures import ByModel, Evaluation, assemble, score
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.model_answers import AgencyScores
from equipoise.measures.unseen import Unseen
from equipoise.measures.without_listed import forbidden_terms, without_listed_table
from equipoise.methods.policy import ask
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Task
from equipoise.testing import check_measure, made_evidence
from tiny_task import EVERY_FEATURE, tiny_task

WIDE = (
    ('held_out = ["active", "takes charge"]', 'held_out = ["active"]\nwide = ["brave", "clever"]'),
    (
        'listed = ["kind", "honest", "good with people"]',
        'listed = ["kind", "honest"]\nheld_out = ["warm"]\nwide = ["polite", "humble"]',
    ),
)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return tiny_task(tmp_path, *EVERY_FEATURE, *WIDE)


def test_a_model_says_no_listed_term_and_is_judged_by_the_others(
    task: Task, tiny_lm: LanguageModel
) -> None:
    names = [subject.name for subject in task.subjects]
    questions = [ask(task, name, "neutral") for name in names]
    table = without_listed_table(tiny_lm, task, questions, 20, Sampling(max_new_tokens=12))
    assert table.columns.tolist() == ["subject", "split", "text", "in_range", "held_out", "wide"]
    assert table["subject"].value_counts().to_dict() == dict.fromkeys(names, 20)
    matcher = TermMatcher(forbidden_terms(task, []))
    assert not any(map(matcher.find, table["text"]))
    assert table["in_range"].tolist() == [
        int(task.constraint.check(text).in_range) for text in table["text"]
    ]
    again = without_listed_table(tiny_lm, task, questions, 20, Sampling(max_new_tokens=12))
    pd.testing.assert_frame_equal(table, again)


def test_terms_are_taken_away_with_all_that_begins_so_but_for_the_subject(task: Task) -> None:
    assert forbidden_terms(task, ["The nurse was"])[0] == "bold*"
    assert "kind*" in forbidden_terms(task, ["The nurse was"])
    assert "kind" in forbidden_terms(task, ["The kindergarten teacher was"])


def test_without_other_words_nothing_is_said_of_them(
    tmp_path: Path, tiny_lm: LanguageModel
) -> None:
    plain = tiny_task(tmp_path)  # of its sets one has no held-out terms, and none a wide lexicon
    table = without_listed_table(
        tiny_lm, plain, [ask(plain, "nurse", "neutral")], 2, Sampling(max_new_tokens=4)
    )
    assert table.columns.tolist() == ["subject", "split", "text", "in_range"]


def said(task: Task) -> pd.DataFrame:
    rows = [
        ("m", 1, "doctor", "train", "The doctor was brave and humble.", 0, 1, 1),
        ("m", 1, "doctor", "train", "The doctor was active and warm.", 1, 0, 0),
        ("m", 1, "nurse", "validation", "The nurse was tall.", 0, 0, 0),
        ("m", 2, "doctor", "train", "The doctor was clever and polite.", 0, 1, 1),
    ]
    names = ["method", "seed", "subject", "split", "text", "held_out", "wide", "in_range"]
    return pd.DataFrame(rows, columns=names)


def evaluation(task: Task, by_model: ByModel, cells: Sequence[CellFacts] = ()) -> Evaluation:
    rows = [("m", seed, "doctor", "The doctor was bold and kind.") for seed in (1, 2)]
    rows += [("other", 1, "doctor", "The doctor was bold.")]
    frame = pd.DataFrame(rows, columns=["method", "seed", "subject", "text"])
    return assemble(score(as_completions(frame, task), task), task, by_model, cells=cells)


def test_the_table_by_hand_and_where_its_columns_stand(task: Task) -> None:
    agency = AgencyScores(
        {"The doctor was brave and humble.": 0.75, "The doctor was active and warm.": 0.25}, 0.9, 10
    )
    found = evaluation(task, ByModel(without_listed=said(task), agency=agency))
    table = found.unseen.set_index(["method", "seed", "split"])
    assert table["without_listed"].tolist() == [2, 1, 3, 1, 1]
    assert table.loc[("m", 1, "all"), "without_listed_wide"] == pytest.approx(1 / 3)
    assert table.loc[("m", 1, "train"), "without_listed_held_out"] == 1 / 2
    assert table.loc[("m", 1, "validation"), "without_listed_in_range"] == 0
    assert table.loc[("m", 1, "train"), "without_listed_agency_sd"] == pytest.approx(0.125**0.5)
    assert pd.isna(table.loc[("m", 2, "train"), "without_listed_agency_sd"])
    compliance = found.compliance.set_index(["method", "split"])
    assert compliance.loc[("m", "train"), "without_listed_wide"] == (1 / 2 + 1) / 2
    assert compliance.loc[("m", "all"), "without_listed_wide"] == pytest.approx((1 / 3 + 1) / 2)
    assert compliance.loc["other", "without_listed_wide"].isna().all()
    summary = found.summary.set_index("method")
    assert summary.loc["m", "without_listed_wide"] == pytest.approx((1 / 3 + 1) / 2)
    assert summary.loc["m", "without_listed_held_out"] == pytest.approx(1 / 6)
    assert pd.isna(summary.loc["other", "without_listed_in_range"])
    text = str(found)
    assert "Words it was never given" in text
    assert text.index("Words it was never given") < text.index("What else changed")


def liked(
    *log_probabilities: tuple[float, float], method: str = "m", seed: int = 1
) -> pd.DataFrame:
    names = ["log_probability_balanced", "log_probability_one_sided"]
    return pd.DataFrame(log_probabilities, columns=names).assign(method=method, seed=seed)


def test_preference_by_hand_with_the_untuned_model_beside_it(task: Task) -> None:
    pairs = [
        liked((-2.0, -3.0), (-2.0, -2.0), (-3.0, -2.0), (-1.0, -4.0)),  # 2.5 of 4
        liked((-2.0, -3.0), (-1.0, -2.0), seed=2),
        liked((-2.0, -1.0), (-1.0, -2.0), method="other"),
    ]
    cells = [CellFacts("m", 1, 1), CellFacts("m", 2, 1), CellFacts("other", 1, 1, untuned=True)]
    found = evaluation(task, ByModel(preferences=pd.concat(pairs)), cells)
    table = found.unseen.set_index(["method", "seed", "split"])
    assert table.index.tolist() == [
        (method, seed, split)
        for method, seed in (("m", 1), ("m", 2), ("other", 1))
        for split in ("validation", "all")
    ]
    assert table["pairs"].tolist() == [4, 4, 2, 2, 2, 2]
    assert table["held_out_preference"].tolist() == [0.625, 0.625, 1, 1, 0.5, 0.5]
    assert set(table["held_out_preference_untuned"]) == {0.5}
    assert table["without_listed_wide"].isna().all()
    summary = found.summary.set_index("method")
    assert summary["held_out_preference"].to_dict() == {"m": 0.8125, "other": 0.5}
    compliance = found.compliance.set_index(["method", "split"])
    assert compliance.loc[("m", "all"), "held_out_preference"] == 0.8125
    assert pd.isna(compliance.loc[("m", "train"), "held_out_preference"])


def test_both_parts_stand_in_one_row(task: Task) -> None:
    by_model = ByModel(without_listed=said(task), preferences=liked((-1.0, -2.0)))
    table = evaluation(task, by_model).unseen.set_index(["method", "seed", "split"])
    assert table.index.tolist() == [
        ("m", 1, "train"), ("m", 1, "validation"), ("m", 1, "all"), ("m", 2, "train"),
        ("m", 2, "all"),
    ]  # fmt: skip
    assert table["held_out_preference"].isna().tolist() == [True, False, False, True, True]
    assert table["held_out_preference_untuned"].isna().all()  # no cell of the study is untuned


def test_where_nobody_was_asked_there_is_no_table(task: Task) -> None:
    found = evaluation(task, ByModel())
    assert found.unseen is None
    assert "without_listed_wide" not in found.compliance
    assert "Words it was never given" not in str(found)


def test_the_laws(task: Task) -> None:
    check_measure(Unseen())
    evidence = made_evidence()
    rows = said(task).replace({"method": {"m": "one"}})
    pairs = liked((-1.0, -2.0), method="other")
    by_model = replace(evidence.by_model, without_listed=rows, preferences=pairs)
    check_measure(Unseen(), replace(evidence, by_model=by_model))
