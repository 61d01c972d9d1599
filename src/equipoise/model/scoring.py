"""How likely a model finds sequences: each computed once, packed as prefix trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, sequence_log_probabilities
from equipoise.progress import tracked

BATCH = 32
"""Sequences scored at a time: few enough for the trees to keep within the short attention."""


def log_probabilities(
    lm: LanguageModel, sequences: Sequence[TokenSequence], batch_size: int = BATCH
) -> Tensor:
    """Log-probability [B] in nats of the predicted part of each sequence given its context.

    On the CPU, in float32. Sequences that begin alike should stand beside each other.
    """
    was_training = lm.model.training
    lm.model.eval()
    parts = [torch.zeros(0)]
    starts = range(0, len(sequences), batch_size)
    for start in tracked(starts, "scoring", len(starts)):
        parts.append(tree_log_probabilities(lm, sequences[start : start + batch_size]))
    lm.model.train(was_training)
    return torch.cat(parts)


def tree_log_probabilities(lm: LanguageModel, sequences: Iterable[TokenSequence]) -> Tensor:
    """The same for sequences that fit into one tree; ``lm`` is in evaluation mode."""
    tree = PrefixTree.build(sequences).to(lm.device)
    with torch.no_grad(), lm.autocast():
        return sequence_log_probabilities(lm.model, tree).cpu()


def word_after(lm: LanguageModel, context: str, word: str) -> TokenSequence:
    """``word`` after ``context``, both as plain text; all tokens of the word are predicted.

    Where the tokenizer joins the two, what they share with ``context`` alone is given.
    """
    before, whole = lm.encoder.plain(context), lm.encoder.plain(f"{context} {word}")
    return TokenSequence(tuple(whole), max(1, shared_length(before, whole)))


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences begin with alike."""
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length
