"""Which column is which: by its name in any spelling, by what it holds, and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from equipoise.completions.column_names import normal, rank
from equipoise.completions.frame import read_anything
from equipoise.errors import EquipoiseError
from equipoise.measures import evaluate
from equipoise.task.task import Task

WriteCsv = Callable[..., Path]

NURSE = "The nurse was bold and caring."
OTHER = "The nurse was tall and loud."


@pytest.mark.parametrize(
    "name",
    [
        *("response", "Output", "Model Output", "GENERATION", "generated_text", "completion"),
        *("Prediction", "model-response", "answer", "Text ", "sample", "\ufeffsentence"),
    ],
)
def test_spellings_of_the_text(task: Task, name: str) -> None:
    frame = pd.DataFrame({"subject": ["nurse"], name: [NURSE]})
    assert read_anything(frame, task).completions["text"].tolist() == [NURSE]


@pytest.mark.parametrize(
    "name", ["Occupation", "JOB", "job title", "Job-Title", "profession", "Subject", "Career"]
)
def test_spellings_of_the_subject(task: Task, name: str) -> None:
    frame = pd.DataFrame({name: ["Nurse "], "text": [NURSE]})
    assert read_anything(frame, task).completions["subject"].tolist() == ["nurse"]


@pytest.mark.parametrize(
    "name",
    [
        *("Model Name", "model_name", "MODEL", "ModelName", "model-id", "system", "Approach"),
        *("method", "Condition", "technique", "model_name_or_path", "LLM"),
    ],
)
def test_spellings_of_the_method(task: Task, name: str) -> None:
    frame = pd.DataFrame({name: ["a", "b"], "subject": ["nurse"] * 2, "text": [NURSE] * 2})
    assert read_anything(frame, task).completions["method"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *((name, "run") for name in ("RunID", "run_id", "Sample ID", "idx", "draw", "epoch")),
        *((name, "seed") for name in ("Seed", "random_seed", "RNG seed")),
    ],
)
def test_spellings_of_numbers(task: Task, name: str, column: str) -> None:
    frame = pd.DataFrame({"subject": ["nurse"] * 2, "text": [NURSE, OTHER], name: [7.0, 9.0]})
    assert read_anything(frame, task).completions[column].tolist() == [7, 9]


def test_names_are_compared_without_case_and_marks() -> None:
    assert normal(" Model-Name_ ") == normal("modelName") == "modelname"
    assert rank("doc.occupation", "subject") is not None
    assert rank("input.text", "text") is None  # what was asked
    assert rank("occupations", "text") is None


@pytest.mark.parametrize("digits", [["0", "1"], ["3.5", "-1"], ["1e3", ""], ["7", "nan"]])
def test_a_column_of_numbers_is_never_the_text(task: Task, digits: list[str]) -> None:
    frame = pd.DataFrame({"subject": ["nurse"] * 2, "sample": digits, "answer": [NURSE, OTHER]})
    assert read_anything(frame, task).completions["text"].tolist() == [NURSE, OTHER]
    message = r"no column is the text \('sample' holds numbers\)"
    with pytest.raises(EquipoiseError, match=message):
        read_anything(frame.drop(columns="answer"), task)
    with pytest.raises(EquipoiseError, match="'sample' holds numbers, not texts"):
        read_anything(frame, task, text_column="sample")


def test_sample_is_the_text_or_its_number(task: Task) -> None:
    frame = pd.DataFrame({"job": ["nurse"] * 2, "sample": [NURSE, OTHER], "idx": [4, 5]})
    found = read_anything(frame, task).completions
    assert found["text"].tolist() == [NURSE, OTHER]
    frame = pd.DataFrame({"job": ["nurse"] * 2, "sample": [4, 5], "text": [NURSE, OTHER]})
    found = read_anything(frame, task).completions
    assert found[["run", "text"]].values.tolist() == [[4, NURSE], [5, OTHER]]


def test_of_two_texts_one_is_taken_and_both_are_named(task: Task) -> None:
    columns = {"subject": ["nurse"], "text": ["A prompt that asks."], "Response": [NURSE]}
    reading = read_anything(pd.DataFrame(columns), task)
    assert reading.completions["text"].tolist() == [NURSE]
    assert reading.remarks == (
        "Column 'Response' is read as the text; 'text' could be it too and is not read.",
    )
    reading = read_anything(pd.DataFrame(columns), task, text_column="text")
    assert reading.completions["text"].tolist() == ["A prompt that asks."]
    columns["response"] = ["Another one."]
    with pytest.raises(EquipoiseError, match="columns 'Response', 'response' could all be the te"):
        read_anything(pd.DataFrame(columns), task)
    columns["response"] = [NURSE]  # twins that say the same leave nothing open
    assert read_anything(pd.DataFrame(columns), task).completions["text"].tolist() == [NURSE]


def test_a_column_of_labels_is_less_a_text_than_one_of_sentences(task: Task) -> None:
    frame = pd.DataFrame({"job": ["nurse"] * 2, "output": ["ok", "ok"], "text": [NURSE, OTHER]})
    assert read_anything(frame, task).completions["text"].tolist() == [NURSE, OTHER]


def test_the_subject_is_the_column_that_holds_subjects(task: Task) -> None:
    frame = pd.DataFrame(
        {"subject": ["P01", "P02"], "job": ["nurse", "doctor"], "text": [NURSE, OTHER]}
    )
    assert read_anything(frame, task).completions["subject"].tolist() == ["nurse", "doctor"]
    frame = pd.DataFrame({"item": ["Nurse", "doctor"], "id": [1, 2], "text": [NURSE, OTHER]})
    reading = read_anything(frame, task)
    assert reading.completions["subject"].tolist() == ["nurse", "doctor"]
    assert reading.remarks == (
        "Column 'item' is read as the subject, because it holds the task's.",
    )


def two_models(**more: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"subject": ["nurse"] * 4, "text": [NURSE, OTHER] * 2, **more})


def test_methods_are_not_pooled_without_a_word(task: Task) -> None:
    models, methods = ["x", "x", "y", "y"], ["sft", "dpo", "sft", "dpo"]
    reading = read_anything(two_models(model=models, method=methods), task)
    assert reading.completions["method"].tolist() == methods
    assert reading.remarks == (
        "Column 'method' is read as the method; 'model' could be it too and is not read.",
        "Rows with different values in column 'model' (2) are judged together; to tell them apart "
        "name it with --method-column.",
    )
    found = read_anything(two_models(model=models, method=methods), task, method_column="Model")
    assert found.completions["method"].tolist() == models


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("LLM used", ["a", "a", "b", "b"], True),
        ("baseModel", ["a", "a", "b", "b"], True),
        ("which", ["meta/llama-3", "meta/llama-3", "gpt-4o", "gpt-4o"], True),
        ("LLM used", ["a", "a", "a", "a"], False),
        ("model_score", ["0.1", "0.2", "0.1", "0.2"], False),
        ("is_model_text", ["True", "False", "True", "False"], False),
        ("id", ["a-1", "a-1", "b-2", "b-2"], False),
        ("note", ["good", "good", "bad", "bad"], False),
    ],
)
def test_models_in_a_column_of_another_name_are_seen(
    task: Task, name: str, values: list[str], *, said: bool
) -> None:
    reading = read_anything(two_models(**{name: values}), task)
    assert reading.completions["method"].nunique() == 1
    assert bool(reading.remarks) == said
    if said:
        assert f"values in column '{name}' (2) are judged together" in reading.remarks[0]
        found = read_anything(two_models(**{name: values}), task, method_column=name)
        assert found.completions["method"].tolist() == values
        assert found.remarks == ()


def test_a_column_that_follows_the_method_pools_nothing(task: Task) -> None:
    frame = two_models(method=["sft", "sft", "dpo", "dpo"], checkpoint_dir=["a", "a", "b", "b"])
    assert read_anything(frame, task).remarks == ()


def test_a_chosen_column_must_be_there(task: Task) -> None:
    with pytest.raises(EquipoiseError, match=r"no column 'what'.*with --method-column"):
        read_anything(two_models(), task, method_column="what")


def test_what_was_said_of_reading_stands_under_the_scores(task: Task) -> None:
    frame = two_models(**{"LLM used": ["a", "a", "b", "b"]})
    assert any("judged together" in remark for remark in evaluate(frame, task).remarks)
