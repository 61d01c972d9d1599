"""Perplexity in sliding windows equals the plain computation with transformers."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.measures.side_effects import perplexity
from equipoise.measures.side_effects.perplexity import perplexity_items, ratio_items, windows
from equipoise.model.language_model import LanguageModel

TEXT = "The nurse said that 9 pilots flew to Oslo, and that nobody had asked them why. " * 12


def plain(lm: LanguageModel, text: str, window: int, stride: int) -> float:
    """Nats a token: each window is read, and labels that were predicted before are masked."""
    tokens = torch.tensor([lm.encoder.plain(text)])
    total, count, before = 0.0, 0, 0
    for begin in range(0, tokens.shape[1], stride):
        end = min(begin + window, tokens.shape[1])
        labels = tokens[:, begin:end].clone()
        labels[:, : -(end - before)] = -100
        with torch.no_grad():
            loss = lm.model(input_ids=tokens[:, begin:end], labels=labels).loss
        predicted = int((labels[:, 1:] != -100).sum())
        if predicted:
            total, count = total + float(loss) * predicted, count + predicted
        before = end
        if end == tokens.shape[1]:
            break
    return total / count


@pytest.mark.parametrize(("window", "stride"), [(1024, 512), (64, 32), (50, 20)])
def test_equals_the_plain_computation(
    tiny_lm: LanguageModel, monkeypatch: pytest.MonkeyPatch, window: int, stride: int
) -> None:
    monkeypatch.setattr(perplexity, "sizes", lambda lm: (window, stride))
    items = perplexity_items(tiny_lm, TEXT, "mine")
    assert items["value"].mean() == pytest.approx(plain(tiny_lm, TEXT, window, stride), abs=1e-4)
    assert set(items["group"]) == {"mine"}


@given(st.integers(2, 90), st.integers(2, 30), st.data())
def test_every_token_but_the_first_is_predicted_once(
    length: int, window: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, window - 1))
    found = list(windows(range(length), window, stride))
    predicted = [token for one in found for token in one.tokens[one.start :]]
    assert predicted == list(range(1, length))
    assert all(one.start >= 1 and len(one.tokens) <= window for one in found)
    assert all(one.start >= window - stride for one in found[1:] if len(one.tokens) == window)


def test_a_short_context_has_its_own_window(tiny_lm: LanguageModel) -> None:
    longest = tiny_lm.model.config.max_position_embeddings
    window, stride = perplexity.sizes(tiny_lm)
    assert window == min(1024, longest)
    assert stride in (512, window // 2)


def test_the_ratio_is_that_of_the_perplexities() -> None:
    base, own = (
        pd.DataFrame(
            {"instrument": "perplexity", "group": "a", "item": ["1", "2", "3"], "value": values}
        )
        for values in ([3.0, 4.0, 3.5], [3.1, 4.1, 3.9])
    )
    items = ratio_items(own, base)
    assert items["value"].mean() == pytest.approx(math.exp(0.2))
    assert set(items["instrument"]) == {"perplexity_ratio"}
