"""Slow twins: what Ctrl-G should compute, written as its definitions read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.methods.ctrlg.automaton import TokenAutomaton
from equipoise.methods.ctrlg.hmm import HMM, from_counts
from equipoise.methods.ctrlg.states import ACCEPT, DEAD
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.task.constraint import Constraint
from equipoise.task.sentence import first_sentence
from tiny_models import byte_level_tokenizer, metaspace_tokenizer, wrap_tokenizer

Floats = NDArray[np.float64]


@cache
def vocabulary(kind: str = "byte-level") -> Vocabulary:
    """Of a tiny tokenizer; the model has three rows more. Two tokens end a completion."""
    made = byte_level_tokenizer() if kind == "byte-level" else metaspace_tokenizer(kind)
    tokenizer = wrap_tokenizer(made, chat=True)
    stops = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"])
    return Vocabulary.of(tokenizer, len(tokenizer) + 3, stops)


def passes(constraint: Constraint, text: str) -> bool:
    """The independent checker: one finished sentence that satisfies ``constraint``."""
    sentence = first_sentence(text)
    return sentence.finished and constraint.check(sentence.text).satisfied


def random_hmm(n_states: int, n_tokens: int, seed: int, smoothing: float = 1e-3) -> HMM:
    """Learnt from some hundred tokens: most counts are 0, and only smoothing is left of them."""
    generator = torch.Generator().manual_seed(seed)

    def counts(*shape: int) -> Tensor:
        drawn = torch.rand(2, *shape, generator=generator)
        return torch.where(drawn[0] < 0.5, 100 * drawn[1], 0)

    pairs, emitted = counts(n_states, n_states), counts(n_states, n_tokens)
    return from_counts(counts(n_states), pairs, emitted, smoothing)


def random_automaton(
    n_states: int, n_tokens: int, seed: int, n_classes: int | None = None
) -> TokenAutomaton:
    """Starts in state 2; about half of all edges lead nowhere, a tenth to acceptance."""
    rng = np.random.default_rng(seed)
    n_classes = n_classes or n_tokens
    table = rng.integers(2, n_states, (n_states, n_classes))
    kind = rng.random(table.shape)
    table[kind < 0.45] = DEAD
    table[kind > 0.9] = ACCEPT
    table[DEAD], table[ACCEPT] = DEAD, ACCEPT
    classes = rng.permutation(np.arange(n_tokens) % n_classes)
    return TokenAutomaton(
        table.astype(np.int32), classes.astype(np.int32), {"": 2}, breadth_first(table)
    )


def breadth_first(table: NDArray[np.integer]) -> NDArray[np.int32]:
    """Fewest tokens from each state to acceptance, -1 where there is no way."""
    before: dict[int, set[int]] = {}
    for state, row in enumerate(table.tolist()):
        for following in row:
            before.setdefault(following, set()).add(state)
    distances = np.full(len(table), -1, np.int32)
    distances[ACCEPT] = 0
    queue = [ACCEPT]
    for state in queue:
        for source in before.get(state, ()):
            if distances[source] < 0:
                distances[source] = distances[state] + 1
                queue.append(source)
    return distances


def arrays(hmm: HMM) -> tuple[Floats, Floats, Floats]:
    """Initial [H], transition [H, H] and emission [H, V] in float64."""
    return tuple(t.double().numpy() for t in (hmm.initial, hmm.transition, hmm.emission))  # type: ignore[return-value]


def dense_log_weights(
    hmm: HMM, automaton: TokenAutomaton, message: Tensor, state: int, remaining: int
) -> Floats:
    """log num - log den [V] by the recursion over all states and tokens, in float64."""
    _, transition, emission = arrays(hmm)
    following = automaton.table[:, automaton.classes]  # [S, V]
    hits = np.zeros((len(following), hmm.n_states))  # P(accepted within r tokens | s, h)
    hits[ACCEPT] = 1
    for _ in range(remaining - 1):
        hits = np.einsum("gh,hv,svh->sg", transition, emission, hits[following])
        hits[ACCEPT] = 1
    joint = message.double().numpy()[:, None] * emission
    num = (joint * hits[following[state]].T).sum(0)
    with np.errstate(divide="ignore"):
        log_weights: Floats = np.log(num) - np.log(joint.sum(0))
    return log_weights


def every_text(hmm: HMM, length: int) -> Floats:
    """Probability [V, ..., V] of each sequence of ``length`` tokens."""
    message, transition, emission = arrays(hmm)
    for step in range(length):
        message = message if step == 0 else message @ transition
        message = message[..., None, :] * emission.T
    probabilities: Floats = message.sum(-1)
    return probabilities


def every_state(automaton: TokenAutomaton, length: int) -> NDArray[np.integer]:
    """State [V, ..., V] after each sequence of ``length`` tokens."""
    states = np.array(automaton.starts[""])
    for _ in range(length):
        states = automaton.table[states][..., automaton.classes]
    return states


def padded_to(length: int, tokens: Sequence[int]) -> tuple[int | slice, ...]:
    """Index of all sequences of ``length`` tokens that begin with ``tokens``."""
    return (*tokens, *[slice(None)] * (length - len(tokens)))
