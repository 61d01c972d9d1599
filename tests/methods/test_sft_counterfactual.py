"""Counterfactual sentences in SFT: how many, what is learnt of them, and that they are off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise import EquipoiseError, load_task
from equipoise.evaluation.fitted_items import FITTED_CONTEXTS
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.methods.sft import SFTSettings
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task

SETTINGS = {"n_per_subject": 4, "learning_rate": 5e-3, "batch_size": 4, "grad_accum_steps": 1}


@pytest.mark.parametrize(
    ("n", "share", "pairs"),
    [(20, 0.0, 0), (20, 0.5, 10), (20, 0.2, 2), (20, 0.75, 30), (1, 0.5, 0), (3, 0.5, 2)],
)
def test_the_share_counts_both_sentences_of_a_pair(n: int, share: float, pairs: int) -> None:
    """Of n balanced and c counterfactual sentences c / (n + c) is the share: c = n s / (1 - s)."""
    assert SFTSettings(n_per_subject=n, counterfactual=share).counterfactual_pairs == pairs
    task, settings = load_task("occupations"), {"n_per_subject": n, "counterfactual": share}
    assert build_method("sft", settings).n_examples(task) == 15 * (n + 2 * pairs)


def test_too_large_a_share_is_found_before_a_model_is_loaded(
    make_task: Callable[..., Task],
) -> None:
    method = build_method("sft", {"n_per_subject": 9, "counterfactual": 0.9})
    with pytest.raises(EquipoiseError) as caught:
        method.check(make_task())
    assert caught.value.field == "counterfactual"
    with pytest.raises(EquipoiseError, match="less than 1"):
        build_method("sft", {"counterfactual": 1.0})


@torch.no_grad()
def log_odds(lm: LanguageModel, subject: str) -> list[float]:
    """``log P(" she") - log P(" he")`` after each fitted context, by their first tokens."""
    he, she = (lm.tokenizer(word)["input_ids"][0] for word in (" he", " she"))
    found = []
    for context in FITTED_CONTEXTS:
        tokens = lm.encoder.plain(context.replace("{occupation}", subject))
        logits = lm.model(torch.tensor([tokens])).logits[0, -1]
        found.append(float(logits[she] - logits[he]))
    return found


def fitted(
    lm: LanguageModel, task: Task, folder: Path, **settings: object
) -> tuple[LanguageModel, dict[str, object]]:
    method = build_method("sft", SETTINGS | settings)
    method.check(task)
    policy = method.fit(lm, task, 7, Workspace(folder, folder / "model"))
    assert len(policy.training_texts) == 8  # the balanced ones, which completions may copy
    return policy.lm, json.loads((folder / "training_info.json").read_text())


def test_both_words_become_equally_likely(
    make_task: Callable[..., Task], fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    task = make_task()
    lm, info = fitted(fresh_tiny_lm(), task, tmp_path / "with", counterfactual=0.8, epochs=12.0)
    assert info["n_counterfactual"] == 2 * 2 * 8  # two subjects, 8 pairs each
    assert info["n_train"] == 8 + 32
    rows = (tmp_path / "with" / "counterfactuals.csv").read_text().splitlines()
    assert len(rows) == 1 + 32
    plain, info = fitted(fresh_tiny_lm(), task, tmp_path / "without", epochs=12.0)
    assert "n_counterfactual" not in info
    assert not (tmp_path / "without" / "counterfactuals.csv").exists()
    for subject in ("doctor", "pilot"):
        values = torch.tensor([log_odds(lm, subject), log_odds(plain, subject)]).abs()
        assert values[0].mean() < 0.35
        assert values[1].mean() > 0.5
