"""Diversity: how many different things the completions say, and how much of it is learnt by heart.

Every function takes texts or counts and gives a number. What a number needs and does not get (a
term, a word, a second sentence) makes it NaN: not measured, which is not 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import numpy as np

SAMPLE = 500
"""Sentences at most on which self-BLEU and MTLD are computed."""

SAMPLE_SEED = 0

MTLD_THRESHOLD = 0.72
"""Type-token ratio at which a factor is complete (McCarthy & Jarvis 2010)."""

MAX_ORDER = 4
"""Longest n-grams of BLEU."""

LONGEST = 200
"""Tokens of a sentence that self-BLEU reads; of a longer one the first ones."""

_LONGEST_CHARACTERS = 20 * LONGEST
"""Characters that are tokenised at all: a text may have ten thousand words."""


def distinct_pairs(
    found: Iterable[Mapping[str, Sequence[str]]], sets: Sequence[str]
) -> set[tuple[str, str, str, str]]:
    """The pairs of terms, from two different ones of ``sets``, that stand in one completion.

    Args:
        found: For each completion, its terms by set.
        sets: Names of term sets; for the built-in task ``agentic`` and ``communal``.

    Returns:
        Set and term of the one and of the other. With k terms in each of two sets there are at
        most k² (the protocol's "pairs of 100").
    """
    return {
        (first, one, second, other)
        for terms in found
        for first, second in combinations(sets, 2)
        for one, other in product(terms.get(first, ()), terms.get(second, ()))
    }


def distinct_n(sentences: Iterable[Sequence[str]], n: int) -> float:
    """Different n-grams of words as a share of all n-grams, in (0, 1].

    NaN where no sentence has n words. It falls as texts are added, since new words run out: compare
    equal numbers of completions only. distinct-1 and distinct-2 of Li et al. (2016,
    arXiv 1510.03055, section 5.2).
    """
    total, seen = 0, set()
    for words in sentences:
        grams = list(zip(*(words[start:] for start in range(n)), strict=False))
        total += len(grams)
        seen.update(grams)
    return len(seen) / total if total else math.nan


def mtld(words: Sequence[str], threshold: float = MTLD_THRESHOLD) -> float:
    """Measure of textual lexical diversity: the mean length of a run of varied words.

    Mean words in a row until the share of different ones has fallen to ``threshold``, read forwards
    and backwards and averaged; what is left at the end counts as the part of a run that it is. At
    least 1, and 2 for two words or more; a text in which no word stands twice counts as one run, so
    that its length is the result. NaN without words.

    Unlike distinct-n it hardly depends on how much text there is (McCarthy & Jarvis 2010,
    Behavior Research Methods 42, 381-392).

    Args:
        words: In the order of the text.
        threshold: In (0, 1).
    """
    if not words:
        return math.nan
    return (_mtld_one_way(words, threshold) + _mtld_one_way(words[::-1], threshold)) / 2


def _mtld_one_way(words: Sequence[str], threshold: float) -> float:
    factors, length, ratio = 0.0, 0, 1.0
    seen: set[str] = set()
    for word in words:
        seen.add(word)
        length += 1
        ratio = len(seen) / length
        if ratio <= threshold:
            factors, length, ratio = factors + 1, 0, 1.0
            seen.clear()
    factors += (1 - ratio) / (1 - threshold)
    return len(words) / factors if factors else float(len(words))


def self_bleu(sentences: Sequence[str]) -> float:
    """Mean BLEU of each sentence against all others, in [0, 1]: 1 where all are the same.

    NaN with fewer than two sentences. More sentences make it higher, as each finds more to be like.
    Each BLEU is sacrebleu's ``sentence_bleu`` (tokenizer 13a, exponential smoothing, effective
    order) divided by 100; the references' n-grams are counted once for all. Zhu et al. (2018,
    arXiv 1802.01886), section 2.2. Of each sentence the first `LONGEST` tokens count, at most
    4,000 characters, so that memory is bounded whatever the texts are.
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    if len(sentences) < 2:
        return math.nan
    tokenize = Tokenizer13a()
    texts = [
        tokenize(sentence[:_LONGEST_CHARACTERS].rstrip()).split()[:LONGEST]
        for sentence in sentences
    ]
    grams = [_ngrams(words) for words in texts]
    most = _two_highest(grams)
    lengths = Counter(map(len, texts))
    total = 0.0
    for number, (words, own) in enumerate(zip(texts, grams, strict=True)):
        correct, possible = [0] * MAX_ORDER, [0] * MAX_ORDER
        for gram, count in own.items():
            highest, holder, second = most[gram]
            correct[len(gram) - 1] += min(count, second if holder == number else highest)
            possible[len(gram) - 1] += count
        score = BLEU.compute_bleu(
            correct,
            possible,
            len(words),
            _closest(len(words), lengths),
            smooth_method="exp",
            effective_order=True,
        ).score
        total += score / 100
    return total / len(sentences)


def _ngrams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    """All n-grams of up to `MAX_ORDER` words."""
    return Counter(
        tuple(words[start : start + order])
        for order in range(1, MAX_ORDER + 1)
        for start in range(len(words) - order + 1)
    )


def _two_highest(
    grams: Sequence[Mapping[tuple[str, ...], int]],
) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """For each n-gram its highest count in a sentence, that sentence, and the next highest."""
    most: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for number, own in enumerate(grams):
        for gram, count in own.items():
            highest, holder, second = most.get(gram, (0, -1, 0))
            if count > highest:
                most[gram] = (count, number, highest)
            elif count > second:
                most[gram] = (highest, holder, count)
    return most


def _closest(length: int, lengths: Counter[int]) -> int:
    """The length nearest to ``length`` among all but one of it; the shorter of two as near."""
    others = (other for other, count in lengths.items() if count > (other == length))
    return min(others, key=lambda other: (abs(other - length), other))


def sample_of(n: int, size: int = SAMPLE, seed: int = SAMPLE_SEED) -> np.ndarray:
    """Indices of a random sample of ``size`` among ``n``, in random order; of all if fewer."""
    return np.random.default_rng(seed).permutation(n)[:size]
