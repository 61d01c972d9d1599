"""The methods' names and settings, and what is found wrong before a model is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise import EquipoiseError
from equipoise.methods.method import Workspace
from equipoise.methods.registry import METHODS, build_method
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from tiny_task import TASK

VALIDATION_NURSE = '\n[subjects.nurse]\nsplit = "validation"\n'


def test_every_method_is_found_by_its_name() -> None:
    assert {"prompt", "filter", "ctrlg", "sft", "dpo", "rlhf", "inlp", "leace"} <= set(METHODS)
    for name in METHODS:
        assert build_method(name, {}).name == name


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("stf", {}, "s.toml: methods.x: there is no method 'stf'. Did you mean 'sft'?"),
        (
            "",
            {},
            f"s.toml: methods.x: there is no method ''. Valid: {', '.join(sorted(METHODS))}.",
        ),
        (
            "sft",
            {"epoch": 1},
            "s.toml: methods.x.epoch: unknown setting. Did you mean 'epochs'?",
        ),
        (
            "prompt",
            {"learning_rate": 1.0},
            "s.toml: methods.x.learning_rate: unknown setting. Valid: init_from, prompt.",
        ),
        (
            "sft",
            {"n_per_subject": "20"},
            "s.toml: methods.x.n_per_subject: input should be a valid integer, got '20'.",
        ),
        (
            "sft",
            {"n_per_subject": 0},
            "s.toml: methods.x.n_per_subject: input should be greater than or equal to 1, got 0.",
        ),
        (
            "filter",
            {"accept": "some"},
            "s.toml: methods.x.accept: input should be 'all' or 'any', got 'some'. "
            "Valid: all, any.",
        ),
        (
            "filter",
            {"max_draws": 0},
            "s.toml: methods.x.max_draws: input should be greater than or equal to 1, got 0.",
        ),
    ],
)
def test_wrong_names_and_settings(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        build_method(name, settings, file="s.toml", field="methods.x")
    assert str(caught.value) == message


def test_task_without_a_balanced_prompt(make_task: Callable[..., Task]) -> None:
    task = make_task(('balanced = "Complete with both kinds of word: The {subject} was"\n', ""))
    build_method("prompt", {}).check(task)
    asked = {"prompt": "balanced"}
    for name, settings in (("prompt-balanced", {}), ("filter", asked), ("sft", asked)):
        with pytest.raises(EquipoiseError) as caught:
            build_method(name, settings).check(task)
        assert str(caught.value) == (
            "prompt: task 'small' has no prompt 'balanced'. Valid: neutral. "
            "Or add it to the task's [prompts]."
        )


def test_task_without_templates(make_task: Callable[..., Task]) -> None:
    start = TASK.index("[templates]")
    task = make_task((TASK[start:], ""))
    build_method("prompt", {}).check(task)
    with pytest.raises(EquipoiseError, match="has no templates, so there are no training examples"):
        build_method("sft", {}).check(task)


def test_more_sentences_than_the_task_can_yield(make_task: Callable[..., Task]) -> None:
    # 3 agentic x 3 communal terms; of the two contexts one makes sentences that are too long.
    build_method("sft", {"n_per_subject": 9}).check(make_task())
    with pytest.raises(EquipoiseError) as caught:
        build_method("sft", {"n_per_subject": 10}).check(make_task())
    assert caught.value.field == "n_per_subject"
    assert caught.value.problem == (
        "task 'small' yields 9 distinct sentences about 'doctor', 10 are asked for"
    )


def test_sft_without_validation_subjects(
    make_task: Callable[..., Task], fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    task = make_task((VALIDATION_NURSE, ""))
    method = build_method("sft", {"n_per_subject": 4, "batch_size": 2, "epochs": 3.0})
    method.check(task)
    lm = fresh_tiny_lm()
    before = lm.model.get_input_embeddings().weight.clone()
    stages: list[tuple[str, int, int]] = []
    workspace = Workspace(
        tmp_path / "out", tmp_path / "out" / "model", lambda *stage: stages.append(stage)
    )
    policy = method.fit(lm, task, 7, workspace)
    assert not torch.equal(before, policy.lm.model.get_input_embeddings().weight)
    assert stages[0] == ("training", 0, 3)
    assert stages[-1] == ("training", 3, 3)
    info = json.loads((tmp_path / "out" / "training_info.json").read_text())
    assert (info["n_train"], info["n_validation"], info["eval_loss"]) == (8, 0, None)
    assert len((tmp_path / "out" / "val_examples.csv").read_text().splitlines()) == 1
    assert len(policy.training_texts) == 8
    delivery = policy.deliver("tuned", ["doctor", "pilot"], 2, Sampling(max_new_tokens=5), 7)
    assert delivery.draws is None
    frame = delivery.completions
    assert frame["method"].tolist() == ["tuned"] * 4
    assert frame["subject"].tolist() == ["doctor", "doctor", "pilot", "pilot"]
    assert frame["run"].tolist() == [0, 1, 0, 1]
    assert set(frame["split"]) == {"train"}


def test_prompting_fits_nothing_and_asks_in_its_own_words(
    make_task: Callable[..., Task], tiny_lm: LanguageModel, tmp_path: Path
) -> None:
    task, workspace = make_task(), Workspace(tmp_path / "out", tmp_path / "out" / "model")
    for name, prompt in (("prompt", "neutral"), ("prompt-balanced", "balanced")):
        method = build_method(name, {})
        policy = method.fit(tiny_lm, task, 1, workspace)
        assert policy.prompt == prompt
        assert policy.lm is tiny_lm
        assert policy.training_texts == ()
        assert not method.changes_weights
    assert not (tmp_path / "out").exists()
