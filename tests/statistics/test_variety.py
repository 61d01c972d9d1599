"""Diversity of texts: values by hand, bounds, and peers."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from lexicalrichness import LexicalRichness

from equipoise.statistics.variety import (
    LONGEST,
    distinct_n,
    distinct_pairs,
    mtld,
    sample_of,
    self_bleu,
)

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e-e", "f's", "g"]), max_size=60)
SENTENCES = st.lists(
    st.lists(st.sampled_from(["the", "nurse", "was", "bold,", "kind", "(and)", "it's", "."]))
    .map(" ".join),
    min_size=2,
    max_size=7,
)  # fmt: skip


def test_pairs_are_of_terms_in_one_completion_and_two_sets() -> None:
    found = [
        {"agentic": ["bold", "decisive"], "communal": ["caring"], "other": ["tall"]},
        {"agentic": ["bold"], "communal": ["caring"]},  # known already
        {"agentic": ["bold"], "communal": []},
        {"communal": ["loyal"]},
    ]
    assert distinct_pairs(found, ["agentic", "communal"]) == {
        ("agentic", "bold", "communal", "caring"),
        ("agentic", "decisive", "communal", "caring"),
    }
    assert len(distinct_pairs(found, ["agentic", "communal", "other"])) == 2 + 2 + 1
    assert distinct_pairs(found, ["agentic"]) == set()


def test_distinct_n_by_hand() -> None:
    sentences = [["a", "b", "a", "b"], ["a", "b"], ["c"], []]
    assert distinct_n(sentences, 1) == 3 / 7
    # ab ba ab | ab: two different ones among four; none across sentences
    assert distinct_n(sentences, 2) == 2 / 4
    assert distinct_n(sentences, 4) == 1 / 1
    assert math.isnan(distinct_n(sentences, 5))
    assert math.isnan(distinct_n([], 1))


def test_mtld_by_hand() -> None:
    # forwards: a 1, a 1/2 <= 0.72: a run of two; and again: 4 words / 2 runs
    assert mtld(["a"] * 4) == 2
    assert mtld(["a"]) == 1
    assert mtld(list("abcdef")) == 6  # no word twice: one run
    # forwards: a b c 1, a 3/4, b 3/5: a run of 5, then c 1: 6 / 1; backwards: c b a 1, c 3/4,
    # b 3/5: the same
    assert mtld(list("abcabc")) == 6
    # forwards: a b c 1, a 3/4, which is (1 - 3/4) / (1 - 0.72) = 0.892857 runs: 4 / 0.892857 = 4.48
    # backwards the same, as the text is: a c b a
    assert mtld(list("abca")) == pytest.approx(4.48, abs=1e-12)
    # forwards: a a: a run, b 1: 3 / 1; backwards: b a 1, a 2/3: a run: 3 / 1
    assert mtld(list("aab")) == 3
    assert math.isnan(mtld([]))


@given(WORDS.filter(bool), st.sampled_from([0.5, 0.72, 0.9]))
def test_mtld_equals_lexicalrichness(words: list[str], threshold: float) -> None:
    peer = LexicalRichness(words, preprocessor=None, tokenizer=None)
    assert mtld(words, threshold) == pytest.approx(peer.mtld(threshold), rel=1e-12)


def by_sacrebleu(sentences: Sequence[str]) -> float:
    """The twin: one call for each sentence, with all others as its references."""
    scores = [
        sacrebleu.sentence_bleu(sentence, [*sentences[:i], *sentences[i + 1 :]]).score / 100
        for i, sentence in enumerate(sentences)
    ]
    return float(np.mean(scores))


@settings(deadline=None)
@given(SENTENCES)
def test_self_bleu_equals_sacrebleu(sentences: list[str]) -> None:
    assert self_bleu(sentences) == pytest.approx(by_sacrebleu(sentences), abs=1e-12)
    assert 0 <= self_bleu(sentences) <= 1 + 1e-12


def test_self_bleu_at_its_ends() -> None:
    same = "The nurse was bold and caring."
    assert self_bleu([same] * 3) == pytest.approx(1, abs=1e-12)
    assert self_bleu(["one two three", "four five six"]) == 0
    assert self_bleu(["", ""]) == 0
    assert math.isnan(self_bleu([same]))
    assert math.isnan(self_bleu([]))


def test_self_bleu_by_hand() -> None:
    # "a b c d e" against "a b c d f": of 5, 4, 3, 2 n-grams 4, 3, 2, 1 are there; equal lengths
    expected = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert self_bleu(["a b c d e", "a b c d f"]) == pytest.approx(expected, abs=1e-12)


def varied(sentences: int, words: int) -> list[str]:
    vocabulary = np.array([f"w{number}" for number in range(5000)])
    chosen = np.random.default_rng(1).integers(5000, size=(sentences, words))
    return [" ".join(vocabulary[row]) for row in chosen]


def test_self_bleu_reads_the_beginning_of_long_sentences() -> None:
    texts = varied(6, LONGEST)
    assert self_bleu(texts) == pytest.approx(by_sacrebleu(texts), abs=1e-12)
    longer = [f"{text} {more}" for text, more in zip(texts, varied(6, 300), strict=True)]
    assert self_bleu(longer) == self_bleu(texts)
    # without a space in it, what is left of it is one word still
    assert self_bleu(["x" * 100_000, "x" * 200_000]) == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
def test_self_bleu_of_500_sentences_of_10_000_words_is_bounded() -> None:
    texts = varied(500, 10_000)
    tracemalloc.start()
    assert 0 < self_bleu(texts) < 0.2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6  # without a bound: 20 million n-grams, some 5 GB


def test_samples_are_seeded_and_without_repetition() -> None:
    assert sample_of(7, 10).tolist() == sample_of(7, 10).tolist()
    assert sorted(sample_of(7, 10)) == list(range(7))
    chosen = sample_of(1000, 50)
    assert len(set(chosen)) == 50
    assert sample_of(1000, 50, seed=1).tolist() != chosen.tolist()
    assert len(sample_of(0)) == 0
