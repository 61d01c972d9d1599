"""Sentences with the words of two poles and with subjects, as one tree with labelled nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.words import MIN_PAIRS
from equipoise.model.prefix_tree import PrefixTree, TokenSequence
from equipoise.task.axis import WORD_SLOT, WordPair

MAX_TOKENS = 20_000
"""Most tree nodes: the attention mask has their square."""

FIT, STOP, PROBE, SUBJECT = 0, 1, 2, 3
"""What a sentence is for: those with a pair's words for fitting, deciding when to stop, or probing;
and those about a subject, which are fitted on."""

Encode = Callable[[str], list[int]]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledTree:
    """T tree nodes, N of which are labelled: each sentence from its word on.

    Attributes:
        tree: The sentences, what they share once.
        nodes: [N] labelled nodes of the tree, each once.
        labels: [N] 0 or 1: which of its pair's words the sentence has; -1 of a subject.
        values: [N] what is to be erased, as a number: the label less 1/2; of a subject, its share
            along the axis (0-1) less the mean over the subjects.
        parts: [N] 0 at the word, 1 after it; 2 at a subject, 3 after it.
        pairs: [N] number of the pair, or of the subject.
        roles: [N] `FIT`, `STOP`, `PROBE` or `SUBJECT`.
    """

    tree: PrefixTree
    nodes: Ints
    labels: Ints
    values: Floats
    parts: Ints
    pairs: Ints
    roles: Ints

    def some_sentences(self, n: int) -> list[tuple[int, ...]]:
        """Tokens of about ``n`` of the sentences, spread over all of them."""
        sequences = self.tree.sequences
        return [sequence.tokens for sequence in sequences[:: max(1, len(sequences) // n)]]


class _Row(NamedTuple):
    """One sentence: its tokens, the index of its word's last one, and what it is for."""

    tokens: tuple[int, ...]
    start: int
    label: int
    value: float
    pair: int
    role: int


def labelled_tree(
    encode: Encode,
    pairs: Sequence[WordPair],
    held_out: float,
    seed: int,
    announce: Callable[[str], None] = print,
    subjects: Sequence[tuple[str, float]] = (),
    subject_contexts: Sequence[str] = (),
) -> LabelledTree:
    """The sentences of all pairs whose two words are one token each, and of subjects.

    The states of a word that is split into tokens would tell its pieces apart as well as its
    pole, so such pairs are left out, and named.

    Args:
        encode: Tokens of a text by itself, as the model has it (`ContextEncoder.plain`).
        pairs: The words and their contexts.
        held_out: Share of the pairs to probe with; as many of the others say when to stop.
        seed: Of the split.
        announce: Receives a sentence about the pairs that are left out.
        subjects: Further words, each with its share along the axis in percent.
        subject_contexts: Beginnings of sentences with ``{word}`` that they stand in.

    Raises:
        EquipoiseError: Fewer than `MIN_PAIRS` are left, the sentences have too many tokens, or the
            tokenizer joins a subject with what follows.
    """
    kept, split = [], []
    for pair in pairs:
        found = [_pair_tokens(encode, context, pair) for context in pair.contexts]
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
                hint=f"Name at least {MIN_PAIRS} pairs of words that are one token each.",
            )
        announce(f"Left out of {len(pairs)} pairs of words: {named}.")
    roles = split_pairs([pair.kind for pair, _ in kept], held_out, seed)
    rows = [
        _Row(tokens, start, label, label - 0.5, number, int(roles[number]))
        for number, (_, contexts) in enumerate(kept)
        for sentences in contexts
        for label, (tokens, start) in enumerate(sentences)
    ]
    return _labelled([*rows, *_subject_rows(encode, subjects, subject_contexts, len(kept))])


def _subject_rows(
    encode: Encode, subjects: Sequence[tuple[str, float]], contexts: Sequence[str], first: int
) -> Iterator[_Row]:
    """Each subject in each context."""
    shares = np.array([percent / 100 for _, percent in subjects])
    for number, (name, _) in enumerate(subjects):
        value = shares[number] - shares.mean()
        for context in contexts:
            before, _, after = context.partition(WORD_SLOT)
            upto, tokens = (encode(text) for text in (before + name, before + name + after))
            if tokens[: len(upto)] != upto:
                raise EquipoiseError(
                    f"the tokenizer joins {before + name!r} with what follows",
                    field="subjects",
                    hint="Set subjects = false, or choose another model.",
                )
            yield _Row(tuple(tokens), len(upto) - 1, -1, value, first + number, SUBJECT)


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


def _pair_tokens(
    encode: Encode, context: str, pair: WordPair
) -> list[tuple[tuple[int, ...], int]] | None:
    """For both words, the tokens of the sentence and the index of the word; None if it is split."""
    before, _, after = context.partition(WORD_SLOT)
    start = len(encode(before.rstrip()))
    sentences = []
    for word in pair.words:
        upto = encode(before + word)
        tokens = encode(before + word + after)
        if len(upto) != start + 1 or tokens[: start + 1] != upto:
            return None
        sentences.append((tuple(tokens), start))
    return sentences


def _labelled(rows: Sequence[_Row]) -> LabelledTree:
    tree = PrefixTree.build(TokenSequence(row.tokens, len(row.tokens) - 1) for row in rows)
    if len(tree.tokens) > MAX_TOKENS:
        raise EquipoiseError(
            f"the sentences to fit on have {len(tree.tokens):,} tokens, and {MAX_TOKENS:,} are "
            "the most",
            field="contexts",
            hint="Give fewer contexts or pairs.",
        )
    found: dict[int, tuple[_Row, int]] = {}
    for row, path in zip(rows, tree.paths.tolist(), strict=True):
        ancestors = tree.visible[tree.target_nodes[path]].nonzero()[:, 0].tolist()
        for depth, node in enumerate(ancestors[row.start :]):
            found[node] = (row, min(depth, 1) + 2 * (row.role == SUBJECT))
    of_node = [row for row, _ in found.values()]
    return LabelledTree(
        tree,
        nodes=np.array(list(found)),
        labels=np.array([row.label for row in of_node]),
        values=np.array([row.value for row in of_node]),
        parts=np.array([part for _, part in found.values()]),
        pairs=np.array([row.pair for row in of_node]),
        roles=np.array([row.role for row in of_node]),
    )
