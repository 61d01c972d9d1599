"""Memory that a method needs on a model, part by part."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch

from equipoise.methods.method import Method
from equipoise.methods.needs import drawing_bytes
from equipoise.model.draws import Sampling
from equipoise.model.model_size import ModelSize
from equipoise.study.planning.activations import saved_bytes
from equipoise.study.planning.training_work import TrainedTokens
from equipoise.task.task import Task

PROCESS_BYTES = 490_000_000
"""Python, torch and transformers in a process on the CPU (torch 2.13, x86-64); measured."""

HEAP = 1.3
"""On the CPU the C library holds so much for buffers that come and go, to what they need; measured
on cells of SmolLM2-135M that were computed by a process of their own."""


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak of a cell.

    Attributes:
        process: The program itself; on the CPU only.
        weights: Of the model that is fitted.
        gradients: Of all weights that are trained.
        optimizer: Both moments of AdamW.
        activations: Kept by the forward pass for the backward pass, below the output layer.
        logits: Kept likewise.
        others: What the method holds beside these while it is fitted; see `Method.memory`.
        saving: A copy of the weights while they are written; on the CPU only.
        drawing: The weights in 16 bits, keys and values, and logits, while completions are drawn.
    """

    process: int = 0
    weights: int = 0
    gradients: int = 0
    optimizer: int = 0
    activations: int = 0
    logits: int = 0
    others: int = 0
    saving: int = 0
    drawing: int = 0

    @property
    def fitting(self) -> int:
        """Bytes while fitting. Saving comes after the gradients and moments are freed."""
        trained = max(self.gradients + self.optimizer, self.saving)
        kept = self.activations + self.logits + self.others
        return self.process + self.weights + trained + kept

    @property
    def peak(self) -> int:
        """Bytes at the peak of the cell."""
        return max(self.fitting, self.process + self.drawing)

    def as_gb(self) -> dict[str, float]:
        """Every part, fitting and peak in 10⁹ bytes."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        parts |= {"fitting": self.fitting, "peak": self.peak}
        return {name: round(value / 1e9, 3) for name, value in parts.items()}


def memory_of(
    method: Method[Any],
    task: Task,
    size: ModelSize,
    sampling: Sampling,
    lora_rank: int | None,
    tokens: TrainedTokens | None,
    device: torch.device,
    weights: torch.dtype,
) -> Memory:
    """What a cell of ``method`` needs.

    Args:
        method: The method.
        task: The task.
        size: The model.
        sampling: How completions are drawn.
        lora_rank: Rank of the adapters that are trained; None where all weights are, or nothing.
        tokens: What is trained on by gradients; None for nothing.
        device: Where it runs.
        weights: Type in which weights are kept while training; full training needs float32.
    """
    on_cpu, parameters = device.type == "cpu", size.parameters
    held = method.memory(task, size, sampling)
    asked = method.questions(task, [subject.name for subject in task.subjects], seed=0)
    drawing = 2 * parameters + drawing_bytes(asked, size, sampling) + held.drawing
    kept_type = weights if lora_rank else torch.float32
    bytes_each = kept_type.itemsize if method.changes_weights else 2
    parts = {
        "process": PROCESS_BYTES if on_cpu else 0,
        "weights": bytes_each * parameters,
        "others": held.fitting,
        "drawing": drawing,
    }
    if method.changes_weights and on_cpu:
        parts["saving"] = parts["weights"]
    if tokens is not None:
        trained = trained_parameters(size, lora_rank)
        parts |= {"gradients": 4 * trained, "optimizer": 8 * trained}
        kept = saved_bytes(
            size.config, tokens.nodes, tokens.rows, weights=kept_type, lora_rank=lora_rank
        )
        heap = HEAP if on_cpu else 1.0
        parts["activations"], parts["logits"] = (round(heap * part) for part in kept)
    return Memory(**parts)


def trained_parameters(size: ModelSize, lora_rank: int | None) -> int:
    """All weights, or those of adapters of that rank on all linear layers but the output."""
    if lora_rank is None:
        return size.parameters
    network = size.network
    layers = (
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module is not network.get_output_embeddings()
    )
    return sum(lora_rank * (layer.in_features + layer.out_features) for layer in layers)
