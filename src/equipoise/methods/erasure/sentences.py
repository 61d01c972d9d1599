"""Sentences with words of opposite gender, as one prefix tree with labelled nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.words import MIN_PAIRS, SLOT, WordPair
from equipoise.model.prefix_tree import PrefixTree, TokenSequence

MAX_TOKENS = 20_000
"""Most tree nodes: the attention mask has their square."""

FIT, STOP, PROBE = 0, 1, 2
"""What a pair of words is for: fitting, deciding when to stop, probing."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledTree:
    """T tree nodes, N of which are labelled: each sentence from its word on.

    Attributes:
        tree: The sentences, what they share once.
        nodes: [N] labelled nodes of the tree, each once.
        labels: [N] 0 or 1: which of its pair's words the sentence has.
        parts: [N] 0 at the word, 1 after it.
        pairs: [N] number of the pair.
        roles: [N] `FIT`, `STOP` or `PROBE`.
    """

    tree: PrefixTree
    nodes: Ints
    labels: Ints
    parts: Ints
    pairs: Ints
    roles: Ints

    def some_sentences(self, n: int) -> list[tuple[int, ...]]:
        """Tokens of about ``n`` of the sentences, spread over all of them."""
        sequences = self.tree.sequences
        return [sequence.tokens for sequence in sequences[:: max(1, len(sequences) // n)]]


def labelled_tree(
    tokenizer: Any,
    pairs: Sequence[WordPair],
    held_out: float,
    seed: int,
    announce: Callable[[str], None] = print,
) -> LabelledTree:
    """The sentences of all pairs whose two words are one token each.

    The states of a word that is split into tokens would tell its pieces apart as well as its
    gender, so such pairs are left out, and named.

    Args:
        tokenizer: The model's; it adds a start token where the model wants one.
        pairs: The words and their contexts.
        held_out: Share of the pairs to probe with; as many of the others say when to stop.
        seed: Of the split.
        announce: Receives a sentence about the pairs that are left out.

    Raises:
        EquipoiseError: Fewer than `MIN_PAIRS` are left, or the sentences have too many tokens.
    """
    kept, split = [], []
    for pair in pairs:
        found = [_tokens(tokenizer, context, pair) for context in pair.contexts]
        whole = [sentences for sentences in found if sentences]
        if len(whole) == len(found):
            kept.append((pair, whole))
        else:
            split.append("/".join(pair.words))
    if split:
        named = f"the tokenizer splits {', '.join(split)}"
        if len(kept) < MIN_PAIRS:
            raise EquipoiseError(
                f"{len(kept)} pairs of words are left, as {named}",
                field="pairs",
                mend=f"Name at least {MIN_PAIRS} pairs of words that are one token each.",
            )
        announce(f"Left out of {len(pairs)} pairs of words: {named}.")
    roles = split_pairs([pair.kind for pair, _ in kept], held_out, seed)
    rows = [
        (tokens, start, label, number, int(roles[number]))
        for number, (_, contexts) in enumerate(kept)
        for sentences in contexts
        for label, (tokens, start) in enumerate(sentences)
    ]
    return _labelled(rows)


def split_pairs(kinds: Sequence[str], held_out: float, seed: int) -> Ints:
    """Role of each pair: about a share of ``held_out`` probes, as many stop, the others fit.

    Pairs of one kind are spread over the roles as evenly as their number allows, and of any
    `MIN_PAIRS` pairs at least two have each role.
    """
    generator = np.random.default_rng(seed)
    period = min(round(1 / held_out), len(kinds) // 2)
    order = sorted(generator.permutation(len(kinds)), key=lambda i: kinds[i])
    turns = (np.arange(len(kinds)) + generator.integers(period)) % period
    roles = np.full(len(kinds), FIT)
    roles[order] = np.select([turns == 0, turns == period // 2], [PROBE, STOP], FIT)
    return roles


def _tokens(
    tokenizer: Any, context: str, pair: WordPair
) -> list[tuple[tuple[int, ...], int]] | None:
    """For both words, the tokens of the sentence and the index of the word; None if it is split."""
    before, _, after = context.partition(SLOT)
    start = len(tokenizer(before.rstrip())["input_ids"])
    sentences = []
    for word in pair.words:
        upto = tokenizer(before + word)["input_ids"]
        tokens = tokenizer(before + word + after)["input_ids"]
        if len(upto) != start + 1 or tokens[: start + 1] != upto:
            return None
        sentences.append((tuple(tokens), start))
    return sentences


def _labelled(rows: Sequence[tuple[tuple[int, ...], int, int, int, int]]) -> LabelledTree:
    tree = PrefixTree.build(TokenSequence(tokens, len(tokens) - 1) for tokens, *_ in rows)
    if len(tree.tokens) > MAX_TOKENS:
        raise EquipoiseError(
            f"the sentences to fit on have {len(tree.tokens):,} tokens, and {MAX_TOKENS:,} are "
            "the most",
            field="contexts",
            mend="Give fewer contexts or pairs.",
        )
    found: dict[int, tuple[int, int, int, int]] = {}
    for (_, start, label, pair, role), path in zip(rows, tree.paths.tolist(), strict=True):
        ancestors = tree.visible[tree.target_nodes[path]].nonzero()[:, 0].tolist()
        for depth, node in enumerate(ancestors[start:]):
            found[node] = (label, min(depth, 1), pair, role)
    columns = torch.tensor(list(found.values())).numpy().T
    labels, parts, pairs, roles = columns
    return LabelledTree(tree, np.array(list(found)), labels, parts, pairs, roles)
