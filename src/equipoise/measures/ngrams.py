"""N-grams of words, compared as integers, and how many different ones are to be expected."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.statistics.rarefaction import expected_distinct
from equipoise.task.lexicon import normal_words

Array = np.ndarray


@dataclass(frozen=True)
class Words:
    """The words of D distinct texts, as integers, one text after the other.

    Attributes:
        codes: [rows] for each completion, which of the distinct texts it is.
        flat: [W] the words of all distinct texts.
        owner: [W] the text each word stands in.
        lengths: [D] words of each text.
    """

    codes: Array
    flat: Array
    owner: Array
    lengths: Array

    @classmethod
    def of(cls, texts: pd.Series[str]) -> Words:
        """The words of ``texts``, compared as terms are."""
        codes, distinct = pd.factorize(texts)
        vocabulary: dict[str, int] = {}
        flat, lengths = array("q"), array("q")
        for text in distinct:
            words = normal_words(str(text))
            flat.extend([vocabulary.setdefault(word, len(vocabulary)) for word in words])
            lengths.append(len(words))
        counts = np.frombuffer(lengths, dtype=np.int64)
        owner = np.repeat(np.arange(len(counts)), counts)
        return cls(np.asarray(codes), np.frombuffer(flat, dtype=np.int64), owner, counts)

    def distinct(self, rows: Array, n: int, size: int) -> float:
        """``variety.distinct_n`` of ``size`` of the texts with these codes, as is to be expected.

        Different n-grams to be expected, as a share of the n-grams to be expected.

        Args:
            rows: Codes of the completions of a group; repeated ones count each time.
            n: 1 or 2.
            size: Of how many of them.
        """
        times = np.bincount(rows, minlength=len(self.lengths))
        there = times > 0
        owner = self.owner
        if n == 1:
            inside = there[owner]
            grams, owner = self.flat[inside], owner[inside]
        else:
            inside = there[owner[:-1]] & (owner[:-1] == owner[1:])
            grams = (self.flat[:-1] * (self.flat.max(initial=0) + 1) + self.flat[1:])[inside]
            owner = owner[:-1][inside]
        total = int(np.maximum(self.lengths[rows] - (n - 1), 0).sum())
        if not total:
            return math.nan
        # In how many completions each n-gram stands, twice in one counting once.
        kinds, which = np.unique(grams, return_inverse=True)
        once = np.unique(which * len(self.lengths) + owner)
        holding = np.bincount(
            once // len(self.lengths), times[once % len(self.lengths)], len(kinds)
        )
        return expected_distinct(holding, len(rows), size) / (total * size / len(rows))
