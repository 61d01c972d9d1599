"""How likely a model finds sequences: each computed once, packed as prefix trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import (
    PrefixTree,
    TokenSequence,
    sequence_log_probabilities,
    tree_logits,
)
from equipoise.progress import tracked

BATCH = 32
"""Sequences scored at a time: few enough for the trees to keep within the short attention."""

ROWS = 512
"""Tokens of one sequence whose logits are in memory at a time."""


class TokenScores(NamedTuple):
    """How likely a model finds each predicted token of a sequence, given all before it.

    Attributes:
        values: [N] log-probabilities in nats.
        top_values: [N, K] those of the likeliest tokens, the highest first.
        top_tokens: [N, K] these tokens.
    """

    values: Tensor
    top_values: Tensor
    top_tokens: Tensor


def token_scores(lm: LanguageModel, tokens: Sequence[int], start: int, top: int) -> TokenScores:
    """Scores of the N tokens of a sequence from ``start`` on; on the CPU, in float32.

    Args:
        lm: In evaluation mode.
        tokens: The sequence.
        start: Index of the first predicted token, at least 1.
        top: K, how many of the likeliest tokens are told at each place.
    """
    parts: list[TokenScores] = []
    starts = range(start, len(tokens), ROWS)
    for first in tracked(starts, "scoring", len(starts)):
        end = min(first + ROWS, len(tokens))
        tree = PrefixTree.build([TokenSequence(tuple(tokens[:end]), first)]).to(lm.device)
        with torch.no_grad(), lm.autocast():
            logits = tree_logits(lm.model, tree)
        values = logits.float().log_softmax(dim=-1).cpu()[tree.target_rows[tree.paths].cpu()]
        own = values.gather(1, torch.tensor(tokens[first:end])[:, None])[:, 0]
        top_values, top_tokens = values.topk(top, dim=-1)
        parts.append(TokenScores(own, top_values, top_tokens))
    return TokenScores(
        torch.cat([part.values for part in parts]),
        torch.cat([part.top_values for part in parts]),
        torch.cat([part.top_tokens for part in parts]),
    )


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
