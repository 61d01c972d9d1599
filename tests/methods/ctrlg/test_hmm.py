"""The HMM against the enumeration of all its hidden paths."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.methods.ctrlg import hmm as module
from equipoise.methods.ctrlg.hmm import HMM, from_counts, padded
from methods.ctrlg.twins import Floats, arrays, random_hmm

SEQUENCES = [(0, 1, 2), (3,), (1, 1, 1, 4, 2), (2, 0, 4, 4), (0, 1)]
"""Of 5 tokens; of different lengths."""


def hidden_paths(hmm: HMM, tokens: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """P(path, tokens) of every path of hidden states."""
    initial, transition, emission = arrays(hmm)
    found = {}
    for path in product(range(hmm.n_states), repeat=len(tokens)):
        steps = [transition[a, b] for a, b in pairwise(path)]
        drawn = [emission[h, token] for h, token in zip(path, tokens, strict=True)]
        found[path] = float(initial[path[0]] * np.prod(steps) * np.prod(drawn))
    return found


def probability(hmm: HMM, tokens: tuple[int, ...]) -> float:
    return sum(hidden_paths(hmm, tokens).values())


models = st.builds(
    random_hmm, n_states=st.integers(1, 4), n_tokens=st.just(5), seed=st.integers(0, 10**6)
)
sequences = st.lists(
    st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple), min_size=1, max_size=4
)


@settings(max_examples=50, deadline=None)
@given(hmm=models, tokens=st.lists(st.integers(0, 4), max_size=4))
def test_message_is_the_posterior_of_the_next_hidden_state(hmm: HMM, tokens: list[int]) -> None:
    wanted = np.zeros(hmm.n_states)
    # One token more, whichever it is: its hidden state is what the message is about.
    for token in range(5):
        for path, p in hidden_paths(hmm, (*tokens, token)).items():
            wanted[path[-1]] += p
    assert hmm.start(tokens).numpy() == pytest.approx(wanted / wanted.sum(), rel=1e-4, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(hmm=models, several=sequences)
def test_log_likelihood(hmm: HMM, several: list[tuple[int, ...]]) -> None:
    total = sum(np.log(probability(hmm, tokens)) for tokens in several)
    # Near a probability of 1 float32 itself is off by its rounding, 6e-8, whatever is computed.
    expected = pytest.approx(total / sum(map(len, several)), rel=1e-5, abs=1e-7)
    assert hmm.log_likelihood(several) == expected


def posterior_counts(hmm: HMM, several: list[tuple[int, ...]]) -> tuple[Floats, Floats, Floats]:
    """Expected numbers of first states, of pairs of states, and of tokens in states."""
    n = hmm.n_states
    initial, pairs, emitted = np.zeros(n), np.zeros((n, n)), np.zeros((n, 5))
    for tokens in several:
        paths = hidden_paths(hmm, tokens)
        total = sum(paths.values())
        for path, p in paths.items():
            initial[path[0]] += p / total
            for a, b in pairwise(path):
                pairs[a, b] += p / total
            for h, token in zip(path, tokens, strict=True):
                emitted[h, token] += p / total
    return initial, pairs, emitted


@settings(max_examples=50, deadline=None)
@given(hmm=models, several=sequences, smoothing=st.sampled_from([1e-3, 0.1, 2.0]))
def test_reestimated(hmm: HMM, several: list[tuple[int, ...]], smoothing: float) -> None:
    found, before = hmm.reestimated(several, smoothing)
    for rows, counts in zip(arrays(found), posterior_counts(hmm, several), strict=True):
        smooth = counts + smoothing / counts.shape[-1]
        assert rows == pytest.approx(smooth / smooth.sum(-1, keepdims=True), rel=1e-3, abs=1e-5)
    assert before == pytest.approx(hmm.log_likelihood(several), rel=1e-6)


@pytest.mark.parametrize("n_states", [1, 2, 6])
def test_likelihood_never_falls_without_smoothing(n_states: int) -> None:
    rng = np.random.default_rng(n_states)
    several = [rng.integers(0, 5, rng.integers(1, 12)).tolist() for _ in range(60)]
    hmm = random_hmm(n_states, 5, seed=n_states, smoothing=1.0)
    likelihoods = []
    for _ in range(20):
        hmm, before = hmm.reestimated(several, smoothing=0)
        likelihoods.append(before)
    likelihoods.append(hmm.log_likelihood(several))
    assert all(b >= a - 1e-6 for a, b in pairwise(likelihoods))
    if n_states > 1:
        assert likelihoods[-1] > likelihoods[1] + 0.003, "it learns"


@pytest.mark.parametrize("smoothing", [0, 1e-3, 1])
def test_rows_are_probabilities_above_zero(smoothing: float) -> None:
    hmm, _ = random_hmm(3, 8, seed=1).reestimated(SEQUENCES, smoothing)  # tokens 5 to 7 unseen
    for rows in (hmm.initial, hmm.transition, hmm.emission):
        assert rows.dtype == torch.float32
        assert bool((rows > 0).all())
        assert rows.sum(-1).numpy() == pytest.approx(1, abs=1e-6)


def test_rows_without_counts_are_uniform() -> None:
    hmm = from_counts(torch.zeros(2), torch.zeros(2, 2), torch.zeros(2, 4), smoothing=0)
    assert torch.allclose(hmm.initial, torch.full((2,), 0.5))
    assert torch.allclose(hmm.emission, torch.full((2, 4), 0.25))


@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_chunks_and_padding_do_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hmm = random_hmm(3, 5, seed=2)
    expected, before = hmm.reestimated(SEQUENCES)
    likelihood = hmm.log_likelihood(SEQUENCES)
    monkeypatch.setattr(module, "CHUNK", chunk)
    found, also_before = hmm.reestimated(SEQUENCES[::-1])
    for one, other in zip(arrays(found), arrays(expected), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert also_before == pytest.approx(before, rel=1e-6)
    assert hmm.log_likelihood(SEQUENCES[::-1]) == pytest.approx(likelihood, rel=1e-6)


def test_padded() -> None:
    tokens, mask = padded([(3,), (1, 2)])
    assert tokens.tolist() == [[3, 0], [1, 2]]
    assert mask.tolist() == [[True, False], [True, True]]


def test_advance_is_start_row_by_row() -> None:
    hmm = random_hmm(4, 5, seed=3)
    messages = torch.stack([hmm.start(tokens) for tokens in SEQUENCES])
    found = hmm.advance(messages, torch.arange(5))
    for token, (row, tokens) in enumerate(zip(found, SEQUENCES, strict=True)):
        assert torch.allclose(row, hmm.start((*tokens, token)))


def test_a_long_text_does_not_underflow() -> None:
    hmm = random_hmm(4, 5, seed=4)
    tokens = np.random.default_rng(0).integers(0, 5, 2000).tolist()
    assert float(hmm.start(tokens).sum()) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(hmm.log_likelihood([tokens]))
    found, _ = hmm.reestimated([tokens])
    assert found.log_likelihood([tokens]) > hmm.log_likelihood([tokens])


def test_save_and_load(tmp_path: Path) -> None:
    hmm = random_hmm(3, 5, seed=5)
    hmm.save(tmp_path / "hmm.safetensors")
    loaded = HMM.load(tmp_path / "hmm.safetensors")
    for name in ("initial", "transition", "emission"):
        assert torch.equal(getattr(hmm, name), getattr(loaded, name))
    assert loaded.n_states == 3


def test_one_state_is_a_unigram_model() -> None:
    found, _ = random_hmm(1, 5, seed=6).reestimated(SEQUENCES, smoothing=0)
    tokens = [token for sequence in SEQUENCES for token in sequence]
    frequencies = np.bincount(tokens, minlength=5) / len(tokens)
    assert found.emission[0].numpy() == pytest.approx(frequencies, abs=1e-6)
