"""Low-rank adapters (Hu et al. 2021, arXiv 2106.09685), by peft."""

from __future__ import annotations

import warnings
from typing import Any

from equipoise.training.training_settings import TrainingSettings


def add_adapters(model: Any, settings: TrainingSettings) -> Any:
    """``model`` with trainable adapters on all its linear layers; its own weights are frozen."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # peft still asks transformers 5 by an old name; nothing a user could do about it.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
        return get_peft_model(model, config)


def merge_adapters(model: Any) -> Any:
    """The plain model with the adapters added to its weights, so that it loads without peft."""
    return model.merge_and_unload()
