"""DPO as a method: what it writes, what it refuses, and that it is matched with SFT."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise import EquipoiseError
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.model.language_model import LanguageModel, load_model
from equipoise.task.task import Task

SMALL = {"n_per_subject": 8, "batch_size": 2, "grad_accum_steps": 2, "epochs": 2}


def fit(lm: LanguageModel, task: Task, folder: Path, name: str = "dpo", **settings: object) -> None:
    method = build_method(name, {**SMALL, **settings})
    method.check(task)
    method.fit(lm, task, 3, Workspace(folder, folder / "model"))


def texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [row["text"] for row in csv.DictReader(lines)]


def test_what_it_writes(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task, folder = make_task(), tmp_path / "dpo"
    fit(fresh_tiny_lm(), task, folder, sft_weight=1.0)
    info = json.loads((folder / "training_info.json").read_text())
    assert info["method"] == "dpo"
    # 16 training pairs, 4 an update, 2 epochs.
    assert (info["n_train"], info["n_validation"], info["steps"]) == (16, 8, 8)
    assert info["settings"]["sft_weight"] == 1.0
    assert {"chosen", "rejected", "margin", "accuracy"} <= info["history"][0].keys()
    assert json.loads((folder / "pair_stats.json").read_text())["train"]["pairs"] == 16
    assert len((folder / "train_pairs.jsonl").read_text().splitlines()) == 16
    policy = load_model(folder / "model", progress=False)
    assert policy.model.num_parameters() == fresh_tiny_lm().model.num_parameters()


def test_chosen_sentences_number_and_updates_are_those_of_sft(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task = make_task()
    for name in ("sft", "dpo"):
        fit(fresh_tiny_lm(), task, tmp_path / name, name)
    chosen, learnt = (texts(tmp_path / name / "train_examples.csv") for name in ("dpo", "sft"))
    assert chosen == learnt
    steps = [
        json.loads((tmp_path / name / "training_info.json").read_text())["steps"]
        for name in ("sft", "dpo")
    ]
    assert steps == [8, 8]
    methods = [build_method(name, SMALL) for name in ("sft", "dpo", "rlhf")]
    methods.append(build_method("rlhf", {**SMALL, "reward": "model"}))
    assert [m.n_examples(task) for m in methods] == [16, 16, 0, 16], "a constraint learns nothing"
    assert [m.updates(task) for m in methods] == [8, 8, 8, 8]


def test_adapters(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    lm = fresh_tiny_lm()
    fit(lm, make_task(), tmp_path, lora=True, learning_rate=1e-2)
    info = json.loads((tmp_path / "training_info.json").read_text())
    assert info["trainable_parameters"] < lm.model.num_parameters()
    margins = [row["margin"] for row in info["history"] if "margin" in row]
    assert margins[0] == pytest.approx(0, abs=1e-3)
    assert margins[-1] > 0.05


def test_pairs_of_a_file(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task, path = make_task(), tmp_path / "theirs.jsonl"
    rows = [
        {"prompt": "Describe.", "chosen": f"The doctor was {a} and kind.", "rejected": "No."}
        for a in ("bold", "ambitious", "honest")
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    fit(fresh_tiny_lm(), task, tmp_path / "run", pairs_file=str(path))
    assert texts(tmp_path / "run" / "train_examples.csv") == [row["chosen"] for row in rows]
    method = build_method("dpo", {"pairs_file": str(path)})
    before = method.describe()
    path.write_text("\n".join(map(json.dumps, rows[:2])))
    assert method.describe() != before, "another content makes another cell"
    path.write_text(json.dumps({**rows[0], "chosen": ""}))
    with pytest.raises(EquipoiseError, match="line 1: 'chosen' is empty"):
        method.check(task)
    path.unlink()
    with pytest.raises(EquipoiseError, match="cannot be read"):
        method.check(task)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0}, "beta: input should be greater than 0, got 0"),
        ({"beta": -1.0}, "beta: input should be greater than 0, got -1.0"),
        ({"loss": "hing"}, "Did you mean 'hinge'"),
        ({"label_smoothing": 0.5}, "label_smoothing: input should be less than 0.5"),
        ({"loss": "ipo", "label_smoothing": 0.1}, "label_smoothing has no meaning with loss"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("dpo", settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"neither": 0.2}, "neither: a pair that differs"),
        ({"pairs": "free", "neither": 0.2}, "neither: task 'small' has no neutral words"),
        ({"prompt": "polite"}, "prompt: task 'small' has no prompt 'polite'"),
        ({"n_per_subject": 10_000}, "n_per_subject: task 'small' yields"),
    ],
)
def test_what_the_task_cannot_serve(
    make_task: Callable[..., Task], settings: dict[str, object], message: str
) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("dpo", settings).check(make_task())
