"""Minimal pairs: which of two sentences, which differ in a word, a model finds likelier.

CrowS-Pairs (Nangia et al. 2020, arXiv 2010.00133), WinoBias (Zhao et al. 2018, arXiv 1804.06876),
Winogender (Rudinger et al. 2018, arXiv 1804.09301), and pairs of one's own. Sentences are read as
plain text behind the token that begins a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from equipoise.measures.judging import log_probabilities
from equipoise.measures.side_effects.influence import slope_values
from equipoise.measures.side_effects.pair_files import Instrument, Pair
from equipoise.measures.side_effects.quantities import (
    COLUMNS,
    PAIRS,
    WINOBIAS_NATS,
    WINOGENDER_SLOPE,
    with_all,
)
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import shared_length

Row = tuple[str, str, str, float]


def pair_items(lm: LanguageModel, instrument: Instrument, pairs: Sequence[Pair]) -> pd.DataFrame:
    """Items of all quantities of an instrument: one a pair, of Winogender's slope one a subject.

    Args:
        lm: The model.
        instrument: What the pairs are.
        pairs: The pairs.
    """
    nats = preferences(lm, pairs)
    name = PAIRS[instrument].name
    rows: list[Row] = []
    groups = {pair.group for pair in pairs}
    for pair, value in zip(pairs, nats, strict=True):
        for group in with_all(pair.group, groups):
            rows.append((name, group, pair.item, float(value > 0)))
            if instrument == "winobias":
                rows.append((WINOBIAS_NATS.name, group, pair.item, value))
    if instrument == "winogender":
        for group in dict.fromkeys(pair.group for pair in pairs):
            rows += _slope(pairs, nats, group)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def preferences(lm: LanguageModel, pairs: Sequence[Pair]) -> list[float]:
    """``log P(stereotyped) - log P(other)`` of each pair, in nats.

    What the two sentences begin with alike is not predicted: it cancels out.
    """
    sequences = [sequence for pair in pairs for sequence in sides(lm, pair)]
    values = log_probabilities(lm, sequences, "pairs")
    return [one - other for one, other in zip(values[::2], values[1::2], strict=True)]


def sides(lm: LanguageModel, pair: Pair) -> tuple[TokenSequence, TokenSequence]:
    """Both sentences of a pair, predicted from where they differ.

    Of a sentence that the other one begins with, its last token is predicted in both.
    """
    one, other = (opened(lm, text) for text in (pair.stereotyped, pair.other))
    start = min(shared_length(one, other), len(one) - 1, len(other) - 1)
    start = max(1, start)
    return TokenSequence(one, start), TokenSequence(other, start)


def opened(lm: LanguageModel, text: str) -> tuple[int, ...]:
    """The tokens of a text behind the token that begins one, so that its first word counts too.

    Where the tokenizer puts none there, it is the start token, or else the end token, which stands
    between texts in training: as lm-evaluation-harness does it.
    """
    tokens = lm.encoder.plain(text)
    special = lm.tokenizer
    candidates = (special.bos_token_id, special.eos_token_id, lm.end_of_turn)
    start = next(token for token in candidates if token is not None)
    return tuple(tokens) if tokens[:1] == [start] else (int(start), *tokens)


def _slope(pairs: Sequence[Pair], nats: Sequence[float], group: str) -> Iterator[Row]:
    """Items of the slope of ``log P(feminine) - log P(masculine)`` over the share of women."""
    rows = [
        (pair.subject, pair.share, value if pair.share > 50 else -value)
        for pair, value in zip(pairs, nats, strict=True)
        if pair.group == group
    ]
    frame = pd.DataFrame(rows, columns=["subject", "share", "odds"])
    means = frame.groupby("subject", sort=False)[["share", "odds"]].mean()
    values = slope_values(means["share"].to_numpy(), means["odds"].to_numpy())
    for subject, value in zip(means.index, values, strict=True):
        if np.isfinite(value):
            yield WINOGENDER_SLOPE.name, group, str(subject), float(value)
