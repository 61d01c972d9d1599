"""The lookahead against its dense recursion, and against the enumeration of all continuations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg import lookahead as module
from equipoise.methods.ctrlg.automaton import TokenAutomaton
from equipoise.methods.ctrlg.hmm import HMM, from_counts
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.states import ACCEPT, DEAD
from methods.ctrlg.twins import (
    Floats,
    dense_log_weights,
    every_state,
    every_text,
    padded_to,
    random_automaton,
    random_hmm,
)


def log_weights(lookahead: Lookahead, message: Tensor, state: int, remaining: int) -> Floats:
    """Of one row, over the whole vocabulary."""
    found = lookahead.log_weights(message[None], torch.tensor([state]), torch.tensor([remaining]))
    weights = np.full(lookahead.hmm.emission.shape[1], -np.inf)
    weights[lookahead.tokens.numpy()] = found[0].double().numpy()
    return weights


def assert_equal_up_to_a_constant(found: Floats, wanted: Floats, tolerance: float) -> None:
    possible = np.isfinite(wanted)
    assert np.array_equal(np.isfinite(found), possible)
    if possible.any():
        assert not np.isnan(found).any()
        difference = found[possible] - wanted[possible]
        assert difference == pytest.approx(difference[0], abs=tolerance)


@pytest.mark.parametrize("large", [0, 2, 10**6])
@pytest.mark.parametrize("states_at_a_time", [1, 3, 64])
def test_equals_the_dense_recursion(
    large: int, states_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", large)
    monkeypatch.setattr(module, "STATES_AT_A_TIME", states_at_a_time)
    for seed, n_states, n_hidden, n_tokens, n_classes in (
        (0, 3, 1, 5, 5),
        (1, 5, 3, 7, 4),
        (2, 9, 5, 40, 6),
        (3, 20, 8, 60, 25),
        (4, 7, 4, 30, 1),
    ):
        hmm = random_hmm(n_hidden, n_tokens, seed)
        automaton = random_automaton(n_states, n_tokens, seed, n_classes)
        lookahead = Lookahead(hmm, automaton, max_tokens=8)
        for state, remaining in product(range(2, n_states), (1, 2, 5, 8)):
            message = hmm.start(range(state % n_tokens))
            wanted = dense_log_weights(hmm, automaton, message, state, remaining)
            found = log_weights(lookahead, message, state, remaining)
            assert_equal_up_to_a_constant(found, wanted, 1e-5)


@pytest.mark.parametrize("large", [0, 3, 10**6])
def test_tokens_that_no_sample_had_share_a_weight(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", large)
    counts = torch.rand(4, 40, generator=torch.Generator().manual_seed(0))
    counts[:, 5:] = 0  # most of a real vocabulary
    hmm = from_counts(torch.ones(4), torch.rand(4, 4), counts, 0.1)
    automaton = random_automaton(9, 40, 1, n_classes=3)
    lookahead = Lookahead(hmm, automaton, max_tokens=6)
    for state, remaining in product(range(2, 9), (1, 3, 6)):
        message = hmm.start([state])
        wanted = dense_log_weights(hmm, automaton, message, state, remaining)
        found = log_weights(lookahead, message, state, remaining)
        assert_equal_up_to_a_constant(found, wanted, 1e-5)
        assert len(np.unique(found)) <= 5 + 3


def test_a_batch_equals_its_rows() -> None:
    """Rows of other states, messages and remaining tokens do not touch each other."""
    hmm, automaton = random_hmm(5, 30, 0), random_automaton(8, 30, 0, n_classes=9)
    lookahead = Lookahead(hmm, automaton, max_tokens=6)
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.integers(2, 8, 40))
    remaining = torch.from_numpy(rng.integers(1, 7, 40))
    messages = torch.rand(40, 5)
    found = lookahead.log_weights(messages, states, remaining)
    assert found.shape == (40, len(lookahead.tokens))
    for i in range(40):
        wanted = dense_log_weights(hmm, automaton, messages[i], int(states[i]), int(remaining[i]))
        of_tokens = wanted[lookahead.tokens.numpy()]
        assert_equal_up_to_a_constant(found[i].double().numpy(), of_tokens, 1e-5)


def live_prefixes(automaton: TokenAutomaton, length: int) -> list[tuple[tuple[int, ...], int]]:
    """Texts of ``length`` tokens that are neither dead nor accepted, and their states."""
    found = []
    for tokens in product(range(len(automaton.classes)), repeat=length):
        state = automaton.run(automaton.starts[""], tokens)
        if state > ACCEPT:
            found.append((tokens, state))
    return found


CASES = [(1, 3, 2, 5), (2, 4, 5, 4), (3, 6, 3, 4), (4, 5, 4, 3), (5, 6, 1, 4), (7, 3, 5, 5)]
"""Seed, V, H, length."""


@pytest.mark.parametrize(("seed", "n_tokens", "n_hidden", "length"), CASES)
def test_equals_the_enumeration_of_all_continuations(
    seed: int, n_tokens: int, n_hidden: int, length: int
) -> None:
    hmm, automaton = random_hmm(n_hidden, n_tokens, seed), random_automaton(6, n_tokens, seed)
    lookahead = Lookahead(hmm, automaton, max_tokens=length)
    texts = every_text(hmm, length)
    accepted = texts * (every_state(automaton, length) == ACCEPT)
    assert texts.sum() == pytest.approx(1, abs=1e-5)
    checked = 0
    for drawn in range(length):
        for prefix, state in live_prefixes(automaton, drawn):
            where, rest = padded_to(length, prefix), tuple(range(1, length - drawn))
            num, den = accepted[where].sum(rest), texts[where].sum(rest)
            message, remaining = hmm.start(prefix), length - drawn
            p_next = (message @ hmm.emission).double().numpy()
            assert p_next == pytest.approx(den / den.sum(), rel=1e-4, abs=1e-9)
            with np.errstate(divide="ignore"):
                wanted = np.log(num / den)
            found = log_weights(lookahead, message, state, remaining)
            assert_equal_up_to_a_constant(found, wanted, 1e-4)
            total = lookahead.probability(message, state, remaining)
            assert total == pytest.approx(num.sum() / den.sum(), rel=1e-4, abs=1e-12)
            checked += 1
    assert checked >= 4


@pytest.mark.parametrize("seed", range(5))
def test_probability_is_that_of_the_next_tokens(seed: int) -> None:
    """sum_v p(v | x) P(a | x, v) = P(a | x), and it lies between 0 and 1."""
    hmm, automaton = random_hmm(6, 20, seed), random_automaton(8, 20, seed, n_classes=7)
    lookahead = Lookahead(hmm, automaton, max_tokens=12)
    for state, remaining in product(range(2, 8), range(2, 13)):
        message = hmm.start([seed, state])
        p_next = message @ hmm.emission
        total = 0.0
        for token in range(20):
            following = automaton.run(state, [token])
            if following != DEAD:
                after = hmm.advance(message[None], torch.tensor([token]))[0]
                p_after = lookahead.probability(after, following, remaining - 1)
                total += float(p_next[token]) * p_after
        found = lookahead.probability(message, state, remaining)
        assert found == pytest.approx(total, rel=1e-4, abs=1e-12)
        assert 0 <= found <= 1 + 1e-6
        assert found >= lookahead.probability(message, state, remaining - 1) - 1e-6


def test_probability_of_what_is_accepted_already() -> None:
    lookahead = Lookahead(random_hmm(2, 5, 0), random_automaton(4, 5, 0), max_tokens=3)
    assert lookahead.probability(torch.tensor([0.5, 0.5]), ACCEPT, 2) == 1


@pytest.mark.parametrize("seed", range(6))
def test_excludes_exactly_what_cannot_be_accepted_in_time(seed: int) -> None:
    hmm = random_hmm(4, 50, seed)
    automaton = random_automaton(25, 50, seed, n_classes=12)
    lookahead = Lookahead(hmm, automaton, max_tokens=7)
    message = hmm.initial
    for state, remaining in product(range(2, 25), range(1, 8)):
        after = automaton.distances[automaton.table[state, automaton.classes]]
        in_time = (after >= 0) & (after < remaining)
        found = log_weights(lookahead, message, state, remaining)
        assert np.array_equal(np.isfinite(found), in_time)


def test_a_row_without_hope_is_minus_infinity() -> None:
    """Beam search asks about texts that it has not ruled out yet; a NaN would win there."""
    lookahead = Lookahead(random_hmm(4, 10, 0), chain(10, 5), max_tokens=5)
    for remaining in range(1, 5):
        found = log_weights(lookahead, lookahead.hmm.initial, 2, remaining)
        assert np.isneginf(found).all()


def chain(n_tokens: int, length: int) -> TokenAutomaton:
    """Accepts one text only: the last token ``length`` times."""
    table = np.zeros((length + 2, 2), np.int32)
    table[ACCEPT] = ACCEPT
    table[2:, 1] = [*range(3, length + 2), ACCEPT]
    classes = np.zeros(n_tokens, np.int32)
    classes[-1] = 1
    distances = np.array([-1, 0, *range(length, 0, -1)], np.int32)
    return TokenAutomaton(table, classes, {"": 2}, distances)


def never_says(token: int, n_hidden: int, n_tokens: int) -> HMM:
    """Smoothing is all that ``token`` has: about 1e-9 in every state."""
    emitted = torch.full((n_hidden, n_tokens), 1e4)
    emitted[:, token] = 0
    return from_counts(torch.ones(n_hidden), torch.rand(n_hidden, n_hidden), emitted, 1e-3)


def test_very_unlikely_constraints_do_not_underflow() -> None:
    """About (1e-9) ** 60: less than any float64 that is not zero."""
    hmm, automaton = never_says(9, 4, 10), chain(10, 60)
    lookahead = Lookahead(hmm, automaton, max_tokens=60)
    message = hmm.initial
    for i in range(60):
        found = log_weights(lookahead, message, 2 + i, 60 - i)
        assert np.flatnonzero(np.isfinite(found)).tolist() == [9]
        message = hmm.advance(message[None], torch.tensor([9]))[0]
        assert float(message.sum()) == pytest.approx(1, abs=1e-5)


def test_very_unlikely_constraints_keep_their_ratios() -> None:
    """Two ways of 1e-60 and less to acceptance, compared with the recursion in float64."""
    hmm, automaton = never_says(9, 4, 10), chain(10, 9)
    automaton.table[2, 0] = 3  # every other token is as good as the last one at the beginning
    lookahead = Lookahead(hmm, automaton, max_tokens=9)
    message = hmm.start([3])
    wanted = dense_log_weights(hmm, automaton, message, 2, 9)
    assert wanted.max() < np.log(1e-60)
    found = log_weights(lookahead, message, 2, 9)
    assert_equal_up_to_a_constant(found, wanted, 1e-5)
    assert np.isfinite(found).all()


def test_tables_beyond_the_memory_budget_are_refused_with_what_fits() -> None:
    hmm, automaton = random_hmm(50, 30, 0), random_automaton(20, 30, 0)
    needed = 4 * 20 * 50 * 100 / 1e9
    Lookahead(hmm, automaton, 100, memory_gb=needed)
    with pytest.raises(EquipoiseError, match="GB, and the budget is") as raised:
        Lookahead(hmm, automaton, 100, memory_gb=needed / 2)
    assert raised.value.field == "hidden_states"
    assert "hidden_states = 25 or max_new_tokens = 50 or fewer" in str(raised.value.hint)
    Lookahead(hmm, automaton, 50, memory_gb=needed / 2)
    with pytest.raises(EquipoiseError) as raised:
        Lookahead(hmm, automaton, 100, memory_gb=1e-9)
    assert raised.value.hint == "What would fit: fewer words and terms."
