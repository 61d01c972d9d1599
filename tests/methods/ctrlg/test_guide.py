"""Sampling with the guide: the right distribution, and texts that all pass the checker."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.automaton import TokenAutomaton, compile_constraint
from equipoise.methods.ctrlg.guide import Beginning, Guide
from equipoise.methods.ctrlg.hmm import HMM, from_counts
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.states import ACCEPT
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence
from methods.ctrlg.twins import (
    every_state,
    every_text,
    passes,
    random_automaton,
    random_hmm,
    vocabulary,
)
from tiny_models import tiny_llama


def draw(guide: Guide, n: int, length: int, seed: int) -> tuple[list[tuple[int, ...]], Tensor]:
    """Completions and their log-probabilities, where the language model is the HMM itself."""
    generator = torch.Generator().manual_seed(seed)
    emission, rows = guide.lookahead.hmm.emission, range(n)
    guide.allocate(n)
    guide.start(rows, [0] * n)
    texts: list[list[int]] = [[] for _ in rows]
    log_p = torch.zeros(n, dtype=torch.float64)
    for _ in range(length):
        live = guide.states > ACCEPT
        if not bool(live.any()):
            break
        logits, tokens = guide.adjust((guide.messages @ emission).log(), rows)
        chances = logits.double().softmax(-1)
        columns = torch.multinomial(chances, 1, generator=generator)
        log_p += torch.where(live, chances.gather(-1, columns)[:, 0].log(), 0)
        drawn = tokens[columns[:, 0]].tolist()
        guide.accept(rows, drawn)
        for row in live.nonzero()[:, 0].tolist():
            texts[row].append(drawn[row])
    assert bool((guide.states == ACCEPT).all())
    return [tuple(text) for text in texts], log_p


def accepted_texts(
    hmm: HMM, automaton: TokenAutomaton, length: int
) -> dict[tuple[int, ...], float]:
    """p(x, accepted) of every text up to its acceptance, by enumeration."""
    found: dict[tuple[int, ...], float] = {}
    for n in range(1, length + 1):
        p, states = every_text(hmm, n), every_state(automaton, n)
        before = np.broadcast_to(every_state(automaton, n - 1)[..., None], states.shape)
        for text in np.argwhere((states == ACCEPT) & (before != ACCEPT)):
            found[tuple(text.tolist())] = float(p[tuple(text)])
    return found


@pytest.mark.parametrize(("seed", "n_tokens", "n_hidden", "length"), [(1, 3, 2, 5), (2, 5, 4, 4)])
def test_samples_follow_the_conditional_distribution(
    seed: int, n_tokens: int, n_hidden: int, length: int
) -> None:
    hmm = random_hmm(n_hidden, n_tokens, seed, smoothing=20)
    automaton = random_automaton(6, n_tokens, seed)
    guide = Guide(Lookahead(hmm, automaton, length), [Beginning("", ())])
    texts, log_p = draw(guide, 20_000, length, seed)
    wanted = accepted_texts(hmm, automaton, length)
    total = sum(wanted.values())
    for text, found in zip(texts, log_p.tolist(), strict=True):
        assert found == pytest.approx(np.log(wanted[text] / total), abs=1e-3)
    counts = Counter(texts)
    expected = {text: len(texts) * p / total for text, p in wanted.items()}
    often = [text for text in expected if expected[text] >= 5]
    assert len(often) >= 8
    observed = [*(counts[text] for text in often), 0.0]
    observed[-1] = len(texts) - sum(observed)
    asked = [*(expected[text] for text in often), 0.0]
    asked[-1] = len(texts) - sum(asked)
    if asked[-1] < 5:  # what is rare joins the last cell that is not
        observed[-2:], asked[-2:] = [sum(observed[-2:])], [sum(asked[-2:])]
    assert chisquare(observed, asked).pvalue > 1e-4


def test_probability_of_the_constraint_is_the_sum_over_texts() -> None:
    hmm, automaton = random_hmm(3, 4, 0), random_automaton(6, 4, 0)
    total = sum(accepted_texts(hmm, automaton, 5).values())
    found = Lookahead(hmm, automaton, 5).probability(hmm.initial, 2, 5)
    assert found == pytest.approx(total, rel=1e-4)


def small_guide() -> Guide:
    automaton = random_automaton(6, 5, 1)
    starts = {"": 2, "b": 3}
    automaton = TokenAutomaton(automaton.table, automaton.classes, starts, automaton.distances)
    lookahead = Lookahead(random_hmm(3, 5, 1), automaton, 6)
    return Guide(lookahead, [Beginning("", ()), Beginning("b", (1, 2))])


def live_tokens(guide: Guide, row: int, n: int) -> list[int]:
    """``n`` tokens that row ``row`` could draw without an end, the row left as it was."""
    automaton = guide.lookahead.automaton
    for tokens in product(range(5), repeat=n):
        if automaton.run(int(guide.states[row]), tokens) > ACCEPT:
            return list(tokens)
    raise AssertionError("no text goes on")


def assert_same(guide: Guide, row: int, prompt: int, tokens: Sequence[int]) -> None:
    """Row ``row`` is where a fresh guide is after ``tokens``."""
    fresh = small_guide()
    fresh.allocate(1)
    fresh.start([0], [prompt])
    for token in tokens:
        fresh.accept([0], [token])
    assert guide.states[row] == fresh.states[0]
    assert guide.remaining[row] == fresh.remaining[0] == 6 - len(tokens)
    assert torch.allclose(guide.messages[row], fresh.messages[0])
    logits = torch.randn(1, 5)
    found, of = guide.adjust(logits, [row])
    wanted, also_of = fresh.adjust(logits, [0])
    assert torch.equal(of, also_of)
    assert torch.allclose(found.log_softmax(-1), wanted.log_softmax(-1), atol=1e-6)


def test_rows_are_kept_and_used_again() -> None:
    guide = small_guide()
    guide.allocate(4)
    guide.start([0, 1, 2], [0, 1, 0])
    two, one = live_tokens(guide, 0, 2), live_tokens(guide, 1, 1)
    guide.accept([0, 1], [two[0], one[0]])
    guide.accept([0], [two[1]])
    assert_same(guide, 0, 0, two)
    assert_same(guide, 1, 1, one)
    assert_same(guide, 2, 0, [])
    guide.keep([2, 1])
    assert len(guide.states) == len(guide.messages) == len(guide.remaining) == 2
    assert_same(guide, 0, 0, [])
    assert_same(guide, 1, 1, one)
    guide.start([1], [0])
    guide.accept([1], two[:1])
    assert_same(guide, 0, 0, [])
    assert_same(guide, 1, 0, two[:1])
    guide.allocate(1)
    guide.start([0], [1])
    assert_same(guide, 0, 1, [])


def test_rows_that_have_ended_do_not_disturb_the_others() -> None:
    guide = small_guide()
    guide.allocate(3)
    guide.start([1], [1])
    logits = torch.randn(3, 5)
    found, tokens = guide.adjust(logits, [0, 1, 2])
    alone, _ = guide.adjust(logits[1:2], [1])
    assert torch.allclose(found[1], alone[0])
    assert bool(torch.isfinite(found).any(-1).all()), "each row can draw something"
    assert len(tokens) == found.shape[1]


WORDS = [
    *("bold", "caring", "decisive", "helpful", "friendly", "loyal", "team", "nurse"),
    *("confident", "patients", "every"),
]
PREFIXES = ("The doctor", "The nurse was")


def random_constraint(rng: np.random.Generator) -> Constraint:
    """Up to two wanted sets, one of alternatives and one that is banned; any range of words."""
    words = list(rng.permutation(WORDS))
    sets = {name: Lexicon(name, tuple(words[i : i + 2])) for i, name in enumerate("abc", start=1)}
    names = list(rng.permutation(["{a}", "{c}", words[5], f"{words[6]} {words[7]}"]))
    n_all, n_any, n_none = rng.integers(0, 3), rng.integers(0, 2), rng.integers(0, 2)
    fewest = int(rng.integers(3, 8))
    return Constraint(
        sets,
        all_of=tuple(names[:n_all]),
        any_of=tuple(names[n_all : n_all + 2 * n_any])[: 2 * n_any],
        none_of=("is", words[8]) if n_none else (),
        words=(fewest, fewest + int(rng.integers(0, 6))),
    )


def unlike_the_model(n_tokens: int) -> HMM:
    """Expects one token for ever, whatever the model says."""
    emitted = torch.zeros(4, n_tokens)
    emitted[:, 40] = 1e6
    return from_counts(torch.tensor([1e6, 0, 0, 0]), 1e6 * torch.eye(4), emitted, 1e-3)


CASES = int(os.environ.get("EQUIPOISE_CASES", "32"))
"""Random constraints, tokenizers and models; docs/ctrlg.md says how many were tried at most."""


def is_prose_case(case: int) -> bool:
    """Whether the samples of a case must be prose: two of three."""
    return case % 3 != 0


def guided_samples(case: int, n: int) -> tuple[Constraint, list[tuple[str, str]]]:
    """A random constraint, model and HMM, and ``n`` completions after each prefix."""
    rng = np.random.default_rng(case)
    tokens = vocabulary(("byte-level", "first", "byte-level", "always", "never")[case % 5])
    rows = len(tokens.pieces)
    model = tiny_llama(rows, seed=case)
    device, dtype = torch.device("cpu"), torch.float32
    lm = LanguageModel(model, tokens.tokenizer, "tiny", device, dtype)
    while True:
        constraint, max_tokens = random_constraint(rng), int(rng.integers(12, 28))
        try:
            automaton = compile_constraint(
                constraint, tokens, PREFIXES, max_tokens=max_tokens, prose=is_prose_case(case)
            )
            break
        except EquipoiseError:
            continue
    n_hidden = (1, 4, 8)[case % 3]
    hmm = unlike_the_model(rows) if case % 5 == 4 else random_hmm(n_hidden, rows, case)
    lookahead = Lookahead(hmm, automaton, max_tokens)
    contexts = [tuple(lm.context("Say something.", prefix)) for prefix in PREFIXES]
    guide = Guide(
        lookahead, [Beginning(p, c[-3:]) for p, c in zip(PREFIXES, contexts, strict=True)]
    )
    prompts = [Prompt(c, p) for p, c in zip(PREFIXES, contexts, strict=True)]
    sampling = Sampling(
        temperature=(1.0, 0.7, 0.0)[case % 3 if case % 4 == 0 else 0],
        top_p=(0.95, 1.0)[case % 2],
        top_k=(0, 5)[case % 7 == 3],
        max_new_tokens=max_tokens,
        batch_size=(250, n // 2)[case % 2],
    )
    drawn = sample(lm, prompts, [n, n], sampling, seed=case, control=guide)
    return constraint, [
        (p, draw.text) for p, draws in zip(PREFIXES, drawn, strict=True) for draw in draws
    ]


@pytest.mark.parametrize("case", range(CASES))
def test_every_sample_passes_the_checker(case: int) -> None:
    constraint, samples = guided_samples(case, 16)
    assert len(samples) == 32
    for prefix, text in samples:
        assert passes(constraint, prefix + text), (constraint, prefix + text)
        sentence = first_sentence(prefix + text).text
        assert not is_prose_case(case) or is_prose(sentence), (constraint, sentence)
