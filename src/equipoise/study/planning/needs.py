"""Memory that a method needs on a model, part by part."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch

from equipoise.decoding.sampler import Sampling
from equipoise.methods.ctrlg.method import CtrlGSettings
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.method import Method
from equipoise.methods.rlhf.method import RLHFSettings
from equipoise.study.planning.activations import saved_bytes
from equipoise.study.planning.model_size import ModelSize
from equipoise.study.planning.training_work import Training
from equipoise.task.task import Task
from equipoise.training.training_settings import TrainingSettings

PROCESS_BYTES = 490_000_000
"""Python, torch and transformers in a process on the CPU (torch 2.13, x86-64); measured."""

HEAP = 1.3
"""On the CPU the C library holds so much for buffers that come and go, to what they need; measured
on cells of SmolLM2-135M that were computed by a process of their own."""

CACHE_ROOM = 24
"""Tokens by which a row of the key-value cache grows."""


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
        others: Further models: a frozen reference, a copy to draw from, automaton and HMM.
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
    training: Training | None,
    device: torch.device,
    weights: torch.dtype,
) -> Memory:
    """What a cell of ``method`` needs.

    Args:
        method: The method.
        task: The task.
        size: The model.
        sampling: How completions are drawn.
        training: See `training_of`.
        device: Where it runs.
        weights: Type in which weights are kept while training; full training needs float32.
    """
    on_cpu = device.type == "cpu"
    parameters, settings = size.parameters, method.settings
    drawing = 2 * parameters + drawing_bytes(task, size, sampling, _kind(method))
    parts: dict[str, int] = {"process": PROCESS_BYTES if on_cpu else 0, "drawing": drawing}
    if training is None:
        tunes = isinstance(settings, ErasureSettings)
        parts["weights"] = (4 if tunes else 2) * parameters
        if tunes and on_cpu:
            parts["saving"] = parts["weights"]
        if isinstance(settings, CtrlGSettings):
            parts["others"] = _guide_bytes(settings, size)
            parts["drawing"] += parts["others"]
        return Memory(**parts)
    lora = training.lora
    bytes_each = weights.itemsize if lora else 4
    trained = adapter_parameters(size, lora) if lora else parameters
    parts |= {"weights": bytes_each * parameters, "gradients": 4 * trained}
    parts["optimizer"] = 8 * trained
    kept = saved_bytes(
        size.config,
        training.nodes,
        training.rows,
        weights=weights if lora else torch.float32,
        lora=lora,
    )
    heap = HEAP if on_cpu else 1.0
    parts["activations"], parts["logits"] = (round(heap * part) for part in kept)
    if isinstance(settings, RLHFSettings):
        reference = 0 if lora else 4 * parameters
        rollouts = Sampling(max_new_tokens=settings.max_completion_tokens)
        rows = settings.completions_per_prompt * len(task.train)
        cache = drawing_bytes(task, size, rollouts, settings.prompt, rows)
        judge = 4 * parameters if settings.reward == "model" else 0
        parts["others"] = reference + 2 * parameters + cache + judge
    if on_cpu:
        parts["saving"] = parts["weights"]
    return Memory(**parts)


def drawing_bytes(
    task: Task, size: ModelSize, sampling: Sampling, kind: str, rows: int | None = None
) -> int:
    """Keys and values of all rows, and logits with what sampling makes of them.

    One row that reaches ``max_new_tokens`` decides how wide all are.
    """
    rows = sampling.batch_size if rows is None else rows
    prompts = [
        size.encoder.context(task.prompt(s.name, kind), task.response_prefix(s.name))
        for s in task.subjects
    ]
    longest = max(map(len, prompts))
    new = CACHE_ROOM * -(-sampling.max_new_tokens // CACHE_ROOM)
    cache = (rows * (longest + new) + len(prompts) * longest) * size.kv_bytes_per_token
    vocabulary = int(size.config.get_text_config().vocab_size)
    return int(cache + rows * vocabulary * (2 + 4 + 4))


def adapter_parameters(size: ModelSize, lora: TrainingSettings) -> int:
    """Weights of the adapters on all linear layers but the output."""
    network = size.network
    layers = (
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module is not network.get_output_embeddings()
    )
    return sum(lora.lora_rank * (layer.in_features + layer.out_features) for layer in layers)


def _kind(method: Method[Any]) -> str:
    return str(getattr(method.settings, "prompt", "neutral"))


def _guide_bytes(settings: CtrlGSettings, size: ModelSize) -> int:
    """The HMM's emissions and transitions; the automaton is as the constraint has it."""
    states = settings.hidden_states
    vocabulary = int(size.config.get_text_config().vocab_size)
    return 4 * states * (states + vocabulary)
