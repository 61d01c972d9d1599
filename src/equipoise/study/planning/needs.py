"""Memory that a method needs on a model, part by part."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any

import torch

from equipoise.decoding.sampler import Sampling
from equipoise.methods.ctrlg.method import CtrlGSettings
from equipoise.methods.dpo import PairSettings
from equipoise.methods.erasure.settings import ErasureSettings
from equipoise.methods.method import Method
from equipoise.methods.rlhf.method import RLHFSettings
from equipoise.model.prefix_tree import PrefixTree, TokenSequence
from equipoise.study.planning.activations import saved_bytes
from equipoise.study.planning.model_size import Encoder, ModelSize
from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.preference_file import text_pairs
from equipoise.task.task import Task
from equipoise.training.settings import TrainingSettings

PROCESS_BYTES = 490_000_000
"""Python, torch and transformers in a process on the CPU (torch 2.13, x86-64); measured."""

HEAP = 1.3
"""On the CPU the C library holds so much for buffers that come and go, to what they need; measured
on cells of SmolLM2-135M that were computed by a process of their own."""

CACHE_ROOM = 24
"""Tokens by which a row of the key-value cache grows."""

TOKENS_PER_WORD = 1.3
"""Of English, in vocabularies of 50,000 and more; what ends the sentence included."""

N_BATCHES = 12
"""Micro-batches that are looked at: their size differs with what they share."""


@dataclass(frozen=True)
class Training:
    """What one cell's training computes.

    Attributes:
        updates: Of the weights.
        nodes: Tokens of the largest micro-batch, shared ones counted once.
        rows: Those at which something is predicted.
        nodes_per_update: Mean over micro-batches, times their number.
        rows_per_update: Likewise.
        lora: Settings of adapters, if these are trained.
        examples: Of all that is trained on.
        per_update: Examples to an update.
    """

    updates: int
    nodes: int
    rows: int
    nodes_per_update: float
    rows_per_update: float
    lora: TrainingSettings | None
    examples: int
    per_update: int


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


def expected_tokens(task: Task, sampling: Sampling) -> int:
    """Tokens of a completion in the middle of the task's range of words."""
    fewest, most = task.constraint.words
    return min(sampling.max_new_tokens, round(TOKENS_PER_WORD * (fewest + most) / 2))


def adapter_parameters(size: ModelSize, lora: TrainingSettings) -> int:
    """Weights of the adapters on all linear layers but the output."""
    network = size.network
    layers = (
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module is not network.get_output_embeddings()
    )
    return sum(lora.lora_rank * (layer.in_features + layer.out_features) for layer in layers)


def training_of(method: Method[Any], task: Task, encoder: Encoder, seed: int) -> Training | None:
    """What one cell of ``method`` trains on; None if it trains nothing by gradients."""
    settings = method.settings
    if not isinstance(settings, TrainingSettings):
        return None
    examples = _examples(method, task, encoder, seed)
    random.Random(seed).shuffle(examples)  # noqa: S311
    micro, per_update = settings.batch_size, settings.effective_batch
    if isinstance(settings, RLHFSettings):
        micro = settings.rollout_batch_size
        per_update = settings.completions_per_prompt * len(task.train)
    per_update = min(per_update, len(examples))
    micro = min(micro, per_update)
    starts = range(0, len(examples) - micro + 1, micro)
    trees = [
        PrefixTree.build([s for example in examples[i : i + micro] for s in example])
        for i in starts[:N_BATCHES]
    ]
    nodes, rows = [len(tree.tokens) for tree in trees], [len(tree.rows) for tree in trees]
    batches = per_update / micro
    if isinstance(settings, RLHFSettings):  # memory is for long rollouts, time for usual ones
        usual = expected_tokens(task, Sampling(max_new_tokens=settings.max_completion_tokens))
        batches *= usual / _longest(settings, task)
    return Training(
        method.updates(task),
        max(nodes),
        max(rows),
        batches * sum(nodes) / len(nodes),
        batches * sum(rows) / len(rows),
        settings if settings.lora else None,
        len(examples),
        per_update,
    )


def _examples(
    method: Method[Any], task: Task, encoder: Encoder, seed: int
) -> list[tuple[TokenSequence, ...]]:
    """Training examples, each as the sequences that it consists of."""
    settings: Any = method.settings
    if isinstance(settings, RLHFSettings):
        return _rollouts(settings, task, encoder)
    if isinstance(settings, PairSettings):
        made = list(settings.generator(task, seed).generate(settings.n_per_subject, "train"))
        return [
            (
                _answer(encoder, pair.prompt, pair.prefix, pair.chosen),
                _answer(encoder, pair.prompt, pair.prefix, pair.rejected),
            )
            for pair in text_pairs(made, task, settings.prompt)
        ]
    sentences = BalancedExampleGenerator(task, seed).generate(settings.n_per_subject, "train")
    return [
        (
            _answer(
                encoder,
                task.prompt(sentence.subject, settings.prompt),
                task.response_prefix(sentence.subject),
                sentence.text,
            ),
        )
        for sentence in sentences
    ]


def _rollouts(
    settings: RLHFSettings, task: Task, encoder: Encoder
) -> list[tuple[TokenSequence, ...]]:
    """Completions that share nothing but their prompts, all of them long."""
    length = _longest(settings, task)
    found: list[tuple[TokenSequence, ...]] = []
    for subject in task.train:
        context = encoder.context(
            task.prompt(subject.name, settings.prompt), task.response_prefix(subject.name)
        )
        for number in range(settings.completions_per_prompt):
            own = [1000 + number, *range(2000, 2000 + length - 1)]
            found.append((TokenSequence((*context, *own), len(context)),))
    return found


def _longest(settings: RLHFSettings, task: Task) -> int:
    """Tokens of a rollout twice as long as the task's range of words."""
    most = 2 * round(TOKENS_PER_WORD * task.constraint.words[1])
    return min(settings.max_completion_tokens, most)


def _answer(encoder: Encoder, prompt: str, prefix: str, text: str) -> TokenSequence:
    context = encoder.context(prompt, prefix)
    return TokenSequence(
        (*context, *encoder.continuation(prompt, prefix, text)), start=len(context)
    )


def _kind(method: Method[Any]) -> str:
    return str(getattr(method.settings, "prompt", "neutral"))


def _guide_bytes(settings: CtrlGSettings, size: ModelSize) -> int:
    """The HMM's emissions and transitions; the automaton is as the constraint has it."""
    states = settings.hidden_states
    vocabulary = int(size.config.get_text_config().vocab_size)
    return 4 * states * (states + vocabulary)
