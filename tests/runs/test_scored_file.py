"""Judged completions come back from a cell's folder as they were, to the letter and the type."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from equipoise.completions.frame import CUT, as_completions
from equipoise.errors import EquipoiseError
from equipoise.measures import score, write_table
from equipoise.runs.scored_file import read_scored, stored_scores, write_scored
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

ODD = [
    "The doctor was bold and caring.",
    "NA",
    "007",
    "",
    "True",
    "=1+1",
    '"Bold", she said, "and caring."',
    "bold;\r caring",
    "bold,\n caring",
    "医生既果断又体贴。",
    "The doctor was \ufffd\U0001f642 e\u0301 bold.",
    "The doctor was " + "very " * 10_000 + "caring.",
]


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("occupations")


def completions(task: Task, texts: list[str]) -> pd.DataFrame:
    """A completions frame of a method whose label looks like a number."""
    frame = pd.DataFrame({"subject": "doctor", "text": texts})
    return as_completions(frame, task, method="007", seed=3)


@pytest.mark.parametrize("learnt", [None, ["The doctor was bold and caring."]])
def test_texts_and_types_survive(task: Task, tmp_path: Path, learnt: list[str] | None) -> None:
    scored = score(completions(task, ODD), task, learnt)
    scored.loc[0, "tokens"] = 9  # of one, the count is known
    write_scored(tmp_path, scored)
    found = stored_scores(tmp_path, task)
    pd.testing.assert_frame_equal(found, scored)
    assert found is not None
    assert found["verbatim"].isna().all() == (learnt is None)
    assert found["text"].tolist() == scored["text"].tolist()
    assert found["agentic_terms"][0] == "bold"
    assert found["tokens"].isna().tolist() == [False] + [True] * (len(ODD) - 1)


def test_what_a_task_without_held_out_words_lacks_stays_missing(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        '[task]\nname = "t"\nprefix = "The {subject} was"\n[prompts]\nneutral = "{subject}?"\n'
        '[terms.good]\nlisted = ["kind"]\n[constraint]\nwords = [1, 9]\nall_of = ["{good}"]\n'
        '[subjects.doctor]\nsplit = "train"\n'
    )
    task = load_task(tmp_path / "t.toml")
    scored = score(completions(task, ["The doctor was kind.", "No."]), task)
    write_scored(tmp_path, scored)
    found = stored_scores(tmp_path, task)
    pd.testing.assert_frame_equal(found, scored)
    assert found is not None
    assert found["balanced_held_out"].isna().all()


def test_nothing_delivered_is_nothing_judged(task: Task, tmp_path: Path) -> None:
    nothing = score(completions(task, ODD).head(0), task)
    write_scored(tmp_path, nothing)
    expected = nothing.drop(columns=CUT, errors="ignore")
    pd.testing.assert_frame_equal(stored_scores(tmp_path, task), expected)
    assert read_scored(tmp_path, task, lambda: pytest.fail("nobody needs them")) is None


def test_a_cell_of_an_earlier_version_is_judged_when_it_is_read(task: Task, tmp_path: Path) -> None:
    frame, learnt = completions(task, ODD), ["The doctor was bold and caring."]
    write_table(tmp_path / "completions.csv", frame)
    expected = score(frame, task, learnt)
    pd.testing.assert_frame_equal(read_scored(tmp_path, task, lambda: learnt), expected)
    write_scored(tmp_path, expected.drop(columns="satisfied"))
    assert stored_scores(tmp_path, task) is None
    pd.testing.assert_frame_equal(read_scored(tmp_path, task, lambda: learnt), expected)


@pytest.mark.parametrize(
    ("column", "value"), [("balanced", "yes"), ("word_count", "many"), ("seed", ""), ("any", "")]
)
def test_a_field_that_no_cell_writes_is_named(
    task: Task, tmp_path: Path, column: str, value: str
) -> None:
    scored = score(completions(task, ODD), task)
    write_scored(tmp_path, scored.astype({column: "object"}).assign(**{column: value}))
    with pytest.raises(EquipoiseError, match=rf"scored\.csv: {column}: holds what no cell writes"):
        stored_scores(tmp_path, task)
