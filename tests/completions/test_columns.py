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


# --- Texts and names where nobody looks for them ---


def test_a_text_under_any_name_is_found_by_how_it_begins(task: Task) -> None:
    frame = pd.DataFrame(
        {
            "subject": ["nurse", "doctor"],
            "output": ["all good", "all good"],
            "what it wrote": [NURSE, "The doctor was bold."],
            "prompt": ["The nurse was", "The doctor was"],
        }
    )
    read = read_anything(frame, task)
    assert read.completions["text"].tolist() == [NURSE, "The doctor was bold."]
    assert any(
        "because its values begin as the task's sentences do" in said for said in read.remarks
    )
    listed = frame.assign(output=[NURSE, "The doctor was kind."])
    assert read_anything(listed, task).completions["text"].tolist()[1] == "The doctor was kind."
    only = frame.drop(columns="output")
    assert read_anything(only, task).completions["text"].tolist()[0] == NURSE


@pytest.mark.parametrize("name", ["source", "prompt_type", "run group", "config", "template"])
def test_columns_that_methods_may_differ_in_are_named(task: Task, name: str) -> None:
    frame = pd.DataFrame(
        {"subject": ["nurse"] * 4, "text": [NURSE, OTHER] * 2, name: ["a", "a", "b", "b"]}
    )
    remarks = read_anything(frame, task).remarks
    assert any(f"column '{name}' (2) are judged together" in said for said in remarks)


def test_a_column_that_follows_from_the_subject_is_no_method(task: Task) -> None:
    frame = pd.DataFrame(
        {
            "subject": ["nurse", "nurse", "doctor", "doctor", "pilot"],
            "text": [NURSE] * 5,
            "group": ["care", "care", "care", "care", "travel"],
        }
    )
    assert not [said for said in read_anything(frame, task).remarks if "judged together" in said]


# --- Gaps ---


def test_records_that_name_a_field_differently_are_one_table(
    task: Task, write_csv: WriteCsv
) -> None:
    path = write_csv(
        f'{{"occupation": "nurse", "text": "{NURSE}", "model": "a"}}\n'
        '{"job": "doctor", "completion": "The doctor was bold.", "model": "a"}\n',
        "mixed.jsonl",
    )
    read = read_anything(path, task)
    found = read.completions[["subject", "text"]].values.tolist()
    assert found == [["nurse", NURSE], ["doctor", "The doctor was bold."]]
    assert "Columns 'completion', 'text' are read as one: no row has two of them." in read.remarks
    assert "Columns 'occupation', 'job' are read as one: no row has two of them." in read.remarks


def test_an_error_message_is_not_put_where_an_answer_lacks(task: Task) -> None:
    frame = pd.DataFrame(
        {
            "subject": ["nurse", "nurse"],
            "text": [NURSE, ""],
            "message": ["", "rate limit reached, try again"],
        }
    )
    assert read_anything(frame, task).completions["text"].tolist() == [NURSE, ""]


def test_merged_cells_are_filled_and_said(task: Task) -> None:
    frame = pd.DataFrame(
        {
            "model": ["m1", "", "", "", "m2", ""],
            "subject": ["nurse", "", "doctor", "", "nurse", ""],
            "text": [NURSE, OTHER, NURSE, OTHER, NURSE, OTHER],
        }
    )
    read = read_anything(frame, task)
    found = read.completions[["method", "subject"]].values.tolist()
    assert found == [["m1", "nurse"]] * 2 + [["m1", "doctor"]] * 2 + [["m2", "nurse"]] * 2
    assert "Rows without a subject below one that has it, read as merged cells: 3." in read.remarks
    assert "Rows without a method below one that has it, read as merged cells: 4." in read.remarks


def test_one_missing_subject_is_no_merged_cell(task: Task) -> None:
    frame = pd.DataFrame({"subject": ["nurse", "nurse", ""], "text": [NURSE, OTHER, NURSE]})
    assert read_anything(frame, task).completions["subject"].tolist() == ["nurse", "nurse", ""]


# --- Splits and silence ---


def test_the_split_of_a_benchmark_is_not_the_study_s(task: Task) -> None:
    frame = pd.DataFrame(
        {"subject": ["nurse", "teacher"], "text": [NURSE, OTHER], "split": ["test", "test"]}
    )
    read = read_anything(frame, task)
    assert read.completions["split"].tolist() == ["train", "validation"]
    assert "Split 'test' is no training or validation; the task's is used." in read.remarks
    both = read_anything(frame.assign(split=["train", "test"]), task)
    assert both.completions["split"].tolist() == ["train", "validation"]
    assert "Split 'test' is read as validation." in both.remarks
    with pytest.raises(EquipoiseError, match="split 'third' is neither"):
        read_anything(frame.assign(split=["train", "third"]), task)


def test_a_cell_without_a_single_text_has_no_rate(task: Task) -> None:
    frame = pd.DataFrame(
        {
            "subject": ["nurse"] * 4,
            "method": ["says", "says", "silent", "silent"],
            "text": [NURSE, "", "", " "],
        }
    )
    found = evaluate(frame, task)
    assert found.compliance["method"].unique().tolist() == ["says"]
    assert found.compliance["balanced_mean"].tolist()[-1] == 0.5, "one empty text satisfies nothing"
    said = "silent, seed 0: 2 texts, all of them empty; left out, as what was never answered has "
    assert f"{said}no rate." in found.remarks
    with pytest.raises(EquipoiseError, match="every text is empty"):
        evaluate(frame[frame["method"] == "silent"], task)


def test_a_column_that_never_varies_tells_no_methods_apart(task: Task) -> None:
    reading = read_anything(two_models(system=["You are helpful."] * 4, model=[*"aabb"]), task)
    assert reading.completions["method"].tolist() == [*"aabb"]
