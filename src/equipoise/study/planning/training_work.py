"""What a method trains on, as tokens: how many, and how large a micro-batch becomes."""

from __future__ import annotations

import random
from dataclasses import dataclass

from equipoise.methods.needs import Training
from equipoise.model.prefix_tree import PrefixTree

N_BATCHES = 12
"""Micro-batches that are looked at: their size differs with what they share."""


@dataclass(frozen=True)
class TrainedTokens:
    """Tokens of one cell's training.

    Attributes:
        nodes: Tokens of the largest micro-batch, shared ones counted once.
        rows: Those at which something is predicted.
        nodes_per_update: Mean over micro-batches, times their number.
        rows_per_update: Likewise.
        updates_to_see_all: Updates that all examples make.
    """

    nodes: int
    rows: int
    nodes_per_update: float
    rows_per_update: float
    updates_to_see_all: float


def trained_tokens(training: Training, seed: int) -> TrainedTokens:
    """The tokens of ``training``, its examples in an order that ``seed`` decides."""
    examples = list(training.examples)
    random.Random(seed).shuffle(examples)  # noqa: S311
    per_update = min(training.per_update, len(examples))
    micro = min(training.per_batch, per_update)
    starts = range(0, len(examples) - micro + 1, micro)
    trees = [
        PrefixTree.build([s for example in examples[i : i + micro] for s in example])
        for i in starts[:N_BATCHES]
    ]
    nodes, rows = [len(tree.tokens) for tree in trees], [len(tree.rows) for tree in trees]
    batches = per_update / micro * training.usual_length
    return TrainedTokens(
        max(nodes),
        max(rows),
        batches * sum(nodes) / len(nodes),
        batches * sum(rows) / len(rows),
        len(examples) / per_update,
    )
