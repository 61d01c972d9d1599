"""Counterfactual contexts in SFT: about whom, what is learnt of them, and that they are off."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise import EquipoiseError, load_task
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.methods.sft import SFT
from equipoise.model.language_model import LanguageModel
from equipoise.model.scoring import log_probabilities, word_after
from equipoise.task.task import Task
from gender_axis import GENDER, gender_axis

ON_GENDER = ("[templates]", f"{gender_axis()}\n[templates]")
OTHERS = GENDER.fitted.subjects
SETTINGS = {"n_per_subject": 4, "learning_rate": 5e-3, "batch_size": 4, "grad_accum_steps": 1}


def test_contexts_come_beside_the_examples_not_in_their_place() -> None:
    """As many updates of as many sentences as without: what differs is what accompanies them."""
    task = load_task("occupations")
    plain, accompanied = (build_method("sft", {"counterfactual": n}) for n in (0, 3))
    assert plain.n_examples(task) == accompanied.n_examples(task) == 300
    assert plain.updates(task) == accompanied.updates(task)


@pytest.mark.parametrize("wrong", [-1, 1001, 0.5])
def test_mistakes(wrong: float) -> None:
    with pytest.raises(EquipoiseError, match="counterfactual"):
        build_method("sft", {"counterfactual": wrong})


def mean_log_odds(lm: LanguageModel, rows: list[dict[str, str]]) -> float:
    """Mean ``|log P(word) - log P(counterpart)|`` after the contexts."""
    sequences = [
        word_after(lm, row["context"], row[name])
        for row in rows
        for name in ("word", "counterpart")
    ]
    values = log_probabilities(lm, sequences).view(-1, 2)
    return float((values[:, 0] - values[:, 1]).abs().mean())


def fitted(
    lm: LanguageModel, task: Task, folder: Path, **settings: object
) -> tuple[LanguageModel, dict[str, object]]:
    method = build_method("sft", SETTINGS | settings)
    method.check(task)
    policy = method.fit(lm, task, 7, Workspace(folder, folder / "model"))
    assert len(policy.training_texts) == 8  # the balanced ones, which completions may copy
    return policy.lm, json.loads((folder / "training_info.json").read_text())


@pytest.mark.slow
def test_both_words_become_equally_likely(
    make_task: Callable[..., Task], fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    task = make_task(ON_GENDER)  # trains on doctor and pilot, validates on nurse
    lm, info = fitted(fresh_tiny_lm(), task, tmp_path / "with", counterfactual=5, epochs=40.0)
    assert (info["n_train"], info["n_counterfactual"]) == (8, 40)
    with (tmp_path / "with" / "counterfactuals.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len({(row["context"], row["kind"]) for row in rows}) == 40
    subjects = {row["subject"] for row in rows}
    assert "nurse" not in subjects
    assert subjects <= {"doctor", "pilot", *OTHERS}
    plain, info = fitted(fresh_tiny_lm(), task, tmp_path / "without", epochs=40.0)
    assert "n_counterfactual" not in info
    assert not (tmp_path / "without" / "counterfactuals.csv").exists()
    assert mean_log_odds(lm, rows) < mean_log_odds(plain, rows) / 3


def test_validation_subjects_are_never_among_them(make_task: Callable[..., Task]) -> None:
    method = build_method("sft", SETTINGS | {"counterfactual": 500})
    assert isinstance(method, SFT)
    subjects = {context.subject for context in method.contexts(make_task(ON_GENDER), 7, 8)}
    assert subjects == {"doctor", "pilot", *OTHERS}
    taken = ("[subjects.nurse]", "[subjects.florist]")
    with pytest.raises(EquipoiseError, match="'florist' holds 'florist', a validation subj"):
        make_task(taken, ON_GENDER)


def test_a_task_without_an_axis_is_refused(make_task: Callable[..., Task]) -> None:
    task = make_task()
    build_method("sft", SETTINGS).check(task)
    with pytest.raises(EquipoiseError) as caught:
        build_method("sft", SETTINGS | {"counterfactual": 1}).check(task)
    assert str(caught.value).startswith("counterfactual: task 'small' has no axis, so there is")
    assert "[[axis.fitted.probes]]" in str(caught.value.hint)
