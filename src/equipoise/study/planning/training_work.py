"""What a method trains on, as tokens: how many, and how large a micro-batch becomes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from equipoise.decoding.sampler import Sampling
from equipoise.methods.dpo import PairSettings
from equipoise.methods.method import Method
from equipoise.methods.rlhf.method import RLHFSettings
from equipoise.model.prefix_tree import PrefixTree, TokenSequence
from equipoise.study.planning.model_size import Encoder
from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.preference_file import text_pairs
from equipoise.task.task import Task
from equipoise.training.training_settings import TrainingSettings

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


def expected_tokens(task: Task, sampling: Sampling) -> int:
    """Tokens of a completion in the middle of the task's range of words."""
    fewest, most = task.constraint.words
    return min(sampling.max_new_tokens, round(TOKENS_PER_WORD * (fewest + most) / 2))


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
