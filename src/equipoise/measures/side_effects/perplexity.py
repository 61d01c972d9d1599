"""Perplexity of a text, in windows that slide over it.

The plain computation for models of limited context: a window of `WINDOW` tokens moves by `STRIDE`,
and what is predicted are the tokens that no window before it has predicted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from equipoise.measures.side_effects.quantities import COLUMNS, PERPLEXITY, PERPLEXITY_RATIO
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import tree_log_probabilities
from equipoise.progress import tracked

WINDOW, STRIDE = 1024, 512
"""Tokens; a model of a shorter context has its own window, and half of it as stride."""

MOST_TOKENS = 32_768
"""Tokens of a text that are read; of a longer one the first ones."""

CHARACTERS_A_TOKEN = 20
"""Characters that are tokenised for each token that is read, at most."""


def perplexity_items(lm: LanguageModel, text: str, group: str) -> pd.DataFrame:
    """One item a window: its nats over the mean number of predicted tokens a window.

    The mean of the values is the nats a token of the whole text; its ``exp`` is the perplexity.

    Args:
        lm: The model.
        text: What it reads.
        group: Name of the text.
    """
    tokens = lm.encoder.plain(text[: CHARACTERS_A_TOKEN * MOST_TOKENS])[:MOST_TOKENS]
    found = list(windows(tokens, *sizes(lm)))
    lm.model.eval()
    nats = [
        -float(tree_log_probabilities(lm, [window])[0])
        for window in tracked(found, "perplexity", len(found))
    ]
    predicted = sum(len(window.tokens) - window.start for window in found)
    a_window = predicted / len(found)
    rows = [
        (PERPLEXITY.name, group, f"window {number}", value / a_window)
        for number, value in enumerate(nats, 1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def sizes(lm: LanguageModel) -> tuple[int, int]:
    """Window and stride for a model."""
    longest = getattr(lm.model.config.get_text_config(), "max_position_embeddings", None) or WINDOW
    window = min(WINDOW, longest)
    return window, max(1, window // 2) if window < WINDOW else STRIDE


def windows(tokens: Sequence[int], window: int, stride: int) -> Iterator[TokenSequence]:
    """The windows of a text of two tokens or more; each token but the first is predicted once."""
    begin, predicted = 0, 1
    while predicted < len(tokens):
        end = min(begin + window, len(tokens))
        yield TokenSequence(tuple(tokens[begin:end]), predicted - begin)
        predicted, begin = end, begin + stride


def ratio_items(own: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Items of the ratio of a model's perplexity to the base model's, over the same windows.

    Args:
        own: What `perplexity_items` gave of the model.
        base: What it gave of the base model.
    """
    parts = []
    for group, mine in own.groupby("group", sort=False):
        theirs = base[base["group"] == group].set_index("item")["value"]
        risen = mine["value"].to_numpy() - theirs.reindex(mine["item"]).to_numpy()
        ratio = math.exp(risen.mean())
        values = ratio * (1 + risen - risen.mean())
        parts.append(mine.assign(instrument=PERPLEXITY_RATIO.name, value=values))
    return pd.concat(parts, ignore_index=True) if parts else own
