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
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.model_size import ModelSize
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


OF_LOSS = {
    "sigmoid": {"beta": 0.1, "label_smoothing": 0.0, "sft_weight": 0.0},
    "simpo": {"beta": 2.0, "gamma": 1.0, "sft_weight": 0.0},
    "orpo": {"odds_weight": 0.1, "sft_weight": 1.0},
    "kto": {"beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0, "sft_weight": 0.0},
}


@pytest.mark.parametrize("loss", OF_LOSS)
def test_what_is_left_out_is_the_losses_own(loss: str) -> None:
    settings = build_method("dpo", {"loss": loss}).settings
    assert settings.of_loss() == OF_LOSS[loss]
    every = {name for of_loss in OF_LOSS.values() for name in of_loss}
    assert all(getattr(settings, name) is None for name in every - OF_LOSS[loss].keys())
    assert build_method("dpo", settings.model_dump()).settings == settings
    [name, *_] = OF_LOSS[loss]
    assert build_method("dpo", {"loss": loss, name: 0.7}).settings.of_loss()[name] == 0.7


@pytest.mark.parametrize(
    ("loss", "references"), [("sigmoid", 2), ("ipo", 2), ("simpo", 0), ("orpo", 0), ("kto", 4)]
)
def test_losses_learn_and_read_as_many_references_as_they_need(
    loss: str,
    references: int,
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from equipoise.training import preference, unpaired

    scored = []
    for module in (preference, unpaired):
        monkeypatch.setattr(
            module,
            "log_probabilities",
            lambda lm, sequences, of=module.log_probabilities: (
                scored.append(len(sequences)) or of(lm, sequences)
            ),
        )
    task, settings = make_task(), {"loss": loss, "learning_rate": 1e-2, "epochs": 4}
    fit(fresh_tiny_lm(), task, tmp_path, **settings)
    info = json.loads((tmp_path / "training_info.json").read_text())
    rows = [row for row in info["history"] if "loss" in row]
    assert rows[-1]["margin"] > rows[0]["margin"] + 0.05
    assert ("chosen_change" in rows[0]) == bool(references)
    # 16 pairs, and 8 to validate on; KTO's mismatched answers again in each of 4 epochs.
    again = 2 * (16 + 8) * 4 if loss == "kto" else 0
    assert sum(scored) == references * (16 + 8) + again
    lm = fresh_tiny_lm()
    size = ModelSize(lm.name, lm.model.config, lm.encoder, has_tokenizer=True)
    work = build_method("dpo", {**SMALL, **settings}).work(task, size, 3)
    assert work.training is not None
    assert work.training.scorings == {0: 0, 2: 1, 4: 2 + 4}[references]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0}, "beta: input should be greater than 0, got 0"),
        ({"beta": -1.0}, "beta: input should be greater than 0, got -1.0"),
        ({"loss": "hing"}, "Did you mean 'hinge'"),
        ({"label_smoothing": 0.5}, "label_smoothing: input should be less than 0.5"),
        ({"loss": "ipo", "label_smoothing": 0.1}, "label_smoothing has no meaning with loss"),
        ({"gamma": 0.5}, "gamma has no meaning with loss = 'sigmoid'"),
        ({"loss": "simpo", "gamma": -1.0}, "gamma: input should be greater than or equal to 0"),
        ({"loss": "orpo", "beta": 0.1}, "beta has no meaning with loss = 'orpo'"),
        ({"loss": "orpo", "odds_weight": 0}, "odds_weight: input should be greater than 0"),
        ({"loss": "simpo", "odds_weight": 0.1}, "odds_weight has no meaning with loss = 'simpo'"),
        ({"loss": "hinge", "desirable_weight": 1.0}, "desirable_weight has no meaning"),
        ({"loss": "kto", "undesirable_weight": 0}, "undesirable_weight: input should be greater"),
        ({"loss": 3}, "loss: input should be"),
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
