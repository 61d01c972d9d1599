"""Tasks of lm-evaluation-harness: its own runner on a local task, tables, refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.measures.side_effects import harness
from equipoise.measures.side_effects.harness import HarnessTable, harness_instruments
from equipoise.measures.side_effects.measure import SideEffects, harms, near_chance, tables_of
from equipoise.measures.side_effects.quantities import quantity_of, share_right
from equipoise.measures.side_effects.table import BASE, labelled
from equipoise.model.language_model import LanguageModel

NAME = "colours_of_things"
TASK = """
task: {name}
dataset_path: json
dataset_kwargs:
  data_files: {data}
test_split: train
output_type: multiple_choice
doc_to_text: "Q: {{{{question}}}}\\nA:"
doc_to_target: label
doc_to_choice: options
metric_list:
  - metric: acc
  - metric: acc_norm
"""
QUESTIONS = [
    ("What is bold?", ["the pilot", "a stone"], 0),
    ("Who is kind?", ["a road", "the nurse"], 1),
    ("Who flies?", ["the pilot", "the doctor"], 0),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one task in the harness' own format, and its data."""
    made = tmp_path / "tasks"
    made.mkdir()
    rows = [{"question": q, "options": o, "label": a} for q, o, a in QUESTIONS]
    (made / "data.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (made / "task.yaml").write_text(TASK.format(name=NAME, data=made / "data.json"))
    return made


@pytest.fixture(scope="module", autouse=True)
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data sets are kept in a folder of the tests."""
    datasets = pytest.importorskip("datasets")
    with pytest.MonkeyPatch.context() as patched:
        cache = tmp_path_factory.mktemp("datasets")
        patched.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
        yield


@pytest.mark.parametrize("chance", [None, 0.25, 1 / 3])
def test_a_unit_says_what_kind_of_number_it_is(chance: float | None) -> None:
    one = quantity_of("harness: some", share_right(chance))
    assert one is not None
    assert (one.name, one.title, one.rate, one.ideal) == ("harness: some", "harness: some", True, 1)
    assert one.chance == (None if chance is None else pytest.approx(chance, abs=1e-3))
    assert one.harm(0.3, 0.5) == pytest.approx(0.2)
    score = quantity_of("harness: some", "score, 0 to 1")
    other = quantity_of("harness: some", "as the task defines it")
    assert score is not None
    assert other is not None
    assert (score.rate, score.passes, other.passes) == (False, 0.05, math.inf)
    assert quantity_of("nothing of ours", "share") is None


def test_tables_and_page_show_tasks_like_other_instruments() -> None:
    """Accuracy falls from 80 to 40 %: 8 times what is let pass. At chance nothing is claimed."""

    def items(right: int, guessed: int) -> pd.DataFrame:
        part = [
            pd.DataFrame(
                {
                    "instrument": f"harness: {name}",
                    "group": "acc",
                    "item": [str(at) for at in range(100)],
                    "value": [1.0] * ones + [0.0] * (100 - ones),
                    "unit": share_right(0.25),
                }
            )
            for name, ones in (("known", right), ("guessed", guessed))
        ]
        return pd.concat(part, ignore_index=True)

    whole = pd.concat([labelled(items(80, 25), BASE), labelled(items(40, 90), "sft", 1)])
    measured = tables_of(whole)
    row = measured.tables["side_effects"].query("instrument == 'harness: known'").iloc[-1]
    assert (row["group"], row["value"], row["base"], row["n"]) == ("acc", 0.4, 0.8, 100)
    assert row["low"] < 0.4 < row["high"]
    assert [(one.words, round(one.multiple, 1)) for one in harms(measured.tables)] == [
        ("harness: known, acc −40.0 points", 8.0)
    ]
    [remark] = measured.remarks
    assert "near chance" in remark
    assert "harness: guessed (acc 25.0 %; chance 25.0 %)" in remark
    assert near_chance(
        measured.tables["side_effects"].query("instrument == 'harness: guessed'").iloc[0]
    )
    section = SideEffects().section_of(measured.tables, ["sft"])
    assert section is not None
    assert [name for name, _ in section.rows] == ["harness: known: acc", "harness: guessed: acc"]


def test_without_the_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "find_spec", lambda name: None)
    with pytest.raises(EquipoiseError, match=r'pip install "equipoise\[harness\]"') as caught:
        harness_instruments(HarnessTable(tasks=("hellaswag",)), "measures.harness.tasks")
    assert caught.value.field == "measures.harness.tasks"


def installed() -> None:
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")


def asked(folder: Path, *names: str, **more: Any) -> HarnessTable:
    return HarnessTable(tasks=names or (NAME,), folder=str(folder), **more)


def plainly(lm: LanguageModel, context: str, rest: str) -> float:
    """Log-probability of ``rest`` after ``context``."""
    before, whole = (
        lm.tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (context, context + rest)
    )
    with torch.no_grad():
        logits = lm.model(torch.tensor([whole])).logits[0]
    values = logits.float().log_softmax(dim=-1)[range(len(whole) - 1), whole[1:]]
    return float(values[len(before) - 1 :].sum())


def test_a_local_task_gives_the_plain_computations_answers(
    folder: Path, tiny_lm: LanguageModel
) -> None:
    installed()
    padding = tiny_lm.tokenizer.pad_token
    [one] = harness_instruments(asked(folder), "tasks")
    items = one.items(tiny_lm)
    right, normed = [], []
    for question, options, label in QUESTIONS:
        values = [plainly(tiny_lm, f"Q: {question}\nA:", f" {text}") for text in options]
        by_length = [value / len(text) for value, text in zip(values, options, strict=True)]
        right.append(float(values.index(max(values)) == label))
        normed.append(float(by_length.index(max(by_length)) == label))
    assert set(items["instrument"]) == {f"harness: {NAME}"}
    assert set(items["unit"]) == {"share of questions, chance 50.0 %"}
    assert items[items["group"] == "acc"]["value"].tolist() == right
    assert items[items["group"] == "acc_norm"]["value"].tolist() == normed
    assert tiny_lm.tokenizer.pad_token == padding


def test_what_is_asked_is_written_down(folder: Path) -> None:
    installed()
    import lm_eval

    def question(**more: Any) -> dict[str, Any]:
        [one] = harness_instruments(asked(folder, **more), "tasks")
        assert one.name == f"harness_{NAME.replace('_', '-')}"
        return dict(one.question)

    first = question()
    assert first["lm_eval"] == lm_eval.__version__
    assert first["task"] == NAME
    assert json.loads(json.dumps(first)) == first
    assert question(limit=2) == {**first, "limit": 2}
    (folder / "data.json").write_text((folder / "data.json").read_text().replace("kind", "tall"))
    assert question()["folder_sha256"] != first["folder_sha256"]


def test_limit(folder: Path, tiny_lm: LanguageModel) -> None:
    installed()
    [one] = harness_instruments(asked(folder, limit=2), "tasks")
    assert one.items(tiny_lm).groupby("group").size().to_dict() == {"acc": 2, "acc_norm": 2}


@pytest.mark.usefixtures("no_model")
def test_unknown_tasks_and_damaged_ones_are_told_before_a_model_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the harness' own thousands of tasks, whose files take ten seconds to be read."""
    installed()
    from lm_eval.tasks import TaskManager

    own = TaskManager(include_path=str(folder), include_defaults=False)
    monkeypatch.setattr(harness, "_manager", lambda table: own)
    with pytest.raises(EquipoiseError, match=f"no task 'colours_of_thing'.*Did you mean '{NAME}'"):
        harness_instruments(asked(folder, "colours_of_thing"), "tasks")
    with pytest.raises(EquipoiseError, match="has no task"):  # a path is no name
        harness_instruments(asked(folder, NAME, str(folder / "task.yaml")), "tasks")
    (folder / "data.json").unlink()
    with pytest.raises(EquipoiseError, match=f"'{NAME}' .* cannot be loaded"):
        harness_instruments(asked(folder), "tasks")
