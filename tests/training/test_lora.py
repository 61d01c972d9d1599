from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from training.runs import Run, Weights

# peft 0.21 reads an attribute that transformers 5.23 has renamed.
PEFT_WARNING = "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"
pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

RANK = 3
OPTIONS = {"lora": True, "lora_rank": RANK, "epochs": 3, "learning_rate": 1e-2}
PROJECTIONS = [f"{name}_proj" for name in ("q", "k", "v", "o", "gate", "up", "down")]


def test_the_change_of_every_linear_layer_has_the_rank_of_its_adapter(
    run: Run, examples: list[TokenSequence], start: Weights
) -> None:
    trained = run(examples, **OPTIONS)
    assert trained.keys() == start.keys()
    changed = 0
    for name, before in start.items():
        if not any(projection in name for projection in PROJECTIONS):
            assert torch.equal(trained[name], before), f"{name} was frozen"
            continue
        singular = torch.linalg.svdvals((trained[name] - before).double())
        assert singular[RANK - 1] > 1e-4, "all of the rank is used"
        assert singular[RANK] < 1e-4 * singular[0]
        changed += 1
    assert changed == 2 * len(PROJECTIONS)


def test_only_adapters_are_trained(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], examples: list[TokenSequence]
) -> None:
    lm = fresh_tiny_lm()
    linear = [m for n, m in lm.model.named_modules() if any(p in n for p in PROJECTIONS)]
    run(examples, lm=lm, **OPTIONS)
    assert run.record is not None
    assert run.record.trainable_parameters == sum(
        RANK * (layer.in_features + layer.out_features) for layer in linear
    )
    losses = [row["loss"] for row in run.record.history if "loss" in row]
    assert losses[-1] < losses[0]


def test_the_merged_model_needs_no_peft(
    run: Run, examples: list[TokenSequence], start: Weights, tmp_path: Path
) -> None:
    trained = run(examples, **OPTIONS)
    assert not any("lora" in name for name, _ in run.lm.model.named_modules())
    run.lm.save(tmp_path / "model")
    assert not list((tmp_path / "model").glob("adapter*"))
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", local_files_only=True)
    assert type(loaded) is type(run.lm.model)
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, trained[name])


def test_scale_is_alpha_over_rank(run: Run, examples: list[TokenSequence], start: Weights) -> None:
    """One update: the change is proportional to the scale, gradients being cut to one norm."""
    name = "model.layers.0.mlp.up_proj.weight"
    once = {**OPTIONS, "max_steps": 1, "warmup_ratio": 0.0, "batch_size": 20}
    one, two = (
        run(examples, **once, lora_alpha=alpha)[name] - start[name] for alpha in (6.0, 12.0)
    )
    assert one.norm() > 0
    assert (two.norm() / one.norm()).item() == pytest.approx(2, rel=0.05)
