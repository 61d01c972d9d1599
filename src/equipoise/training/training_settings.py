"""Settings that all trained methods share; the defaults are the protocol's."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from equipoise.settings import Settings

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class TrainingSettings(Settings):
    """How a model is trained.

    Attributes:
        init_from: Label of a method of the same study whose trained model is the start; the base
            model if it is not given.
        epochs: Passes over the training examples.
        learning_rate: Highest one, reached after the warm-up; it then falls linearly to 0.
        batch_size: Examples computed at a time on a device. Bounds memory; the result depends only
            on ``batch_size * grad_accum_steps``.
        grad_accum_steps: Batches to an update.
        warmup_ratio: Share of the updates over which the learning rate rises.
        weight_decay: Of AdamW.
        max_grad_norm: Gradients are scaled down to this norm.
        max_steps: Updates to stop after; ``epochs`` decides if it is not given.
        lora: Train low-rank adapters (arXiv 2106.09685) on all linear layers, not all weights.
        lora_rank: Their rank.
        lora_alpha: Their scale is ``lora_alpha / lora_rank``.
        lora_dropout: Dropout before them.
        optimizer: AdamW, as one fused kernel or plain.
        checkpoint_minutes: Time between checkpoints to resume from.
    """

    init_from: str | None = None
    epochs: Positive = 3.0
    learning_rate: Positive = 2e-5
    batch_size: Count = 4
    grad_accum_steps: Count = 4
    warmup_ratio: Share = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_grad_norm: Positive = 1.0
    max_steps: Count | None = None
    lora: bool = False
    lora_rank: Count = 8
    lora_alpha: Positive = 16.0
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    optimizer: Literal["adamw_torch_fused", "adamw_torch"] = "adamw_torch_fused"
    checkpoint_minutes: Positive = 5.0

    @property
    def effective_batch(self) -> int:
        """Examples to an update, on one device."""
        return self.batch_size * self.grad_accum_steps

    def updates(self, n_examples: int) -> int:
        """Updates that training on ``n_examples`` takes, on one device."""
        if self.max_steps is not None:
            return self.max_steps
        return math.ceil(math.ceil(n_examples / self.effective_batch) * self.epochs)
