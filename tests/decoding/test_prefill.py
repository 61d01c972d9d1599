"""Prompts in several trees are the prompts in one."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from decoding.twins import character_language_model, prompt
from equipoise.decoding import prefill as prefill_module
from equipoise.decoding.prefill import portions, prefill
from equipoise.model.prefix_tree import PrefixTree, TokenSequence
from tiny_architectures import ARCHITECTURES

LETTERS = "abcdefghijklmnop"

Contexts = st.sets(st.lists(st.integers(1, 3), min_size=1, max_size=9).map(tuple), min_size=1)


@given(Contexts, st.integers(1, 40))
def test_parts_are_as_large_as_is_allowed(found: set[tuple[int, ...]], most: int) -> None:
    contexts = sorted(found)
    parts = list(portions(contexts, most))
    assert [context for part in parts for context in part] == contexts
    nodes = [
        len(PrefixTree.build(TokenSequence((*c, 0), len(c)) for c in part).tokens) for part in parts
    ]
    assert all(n <= most or len(part) == 1 for n, part in zip(nodes, parts, strict=True))
    for part, following in itertools.pairwise(parts):
        longer = [*part, following[0]]
        tree = PrefixTree.build(TokenSequence((*c, 0), len(c)) for c in longer)
        assert len(tree.tokens) > most, "the next one would have fitted"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_several_trees_equal_one(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = character_language_model(ARCHITECTURES[architecture](17), LETTERS)
    texts = ("abcdefg", "abc", "ponm", "abcdpp", "abcdefg", "ba")
    prompts = [prompt(lm, text) for text in texts]
    whole_logits, whole = prefill(lm, prompts)
    split = lambda contexts: portions(contexts, 8)  # noqa: E731
    monkeypatch.setattr(prefill_module, "portions", split)
    logits, states = prefill(lm, prompts)
    torch.testing.assert_close(logits, whole_logits, rtol=1e-4, atol=1e-5)
    assert states.lengths.tolist() == whole.lengths.tolist() == list(map(len, texts))
    for mine, theirs in ((states.keys, whole.keys), (states.values, whole.values)):
        for layer, other in zip(mine, theirs, strict=True):
            for row, length in enumerate(states.lengths.tolist()):
                torch.testing.assert_close(
                    layer[row, :, :length], other[row, :, :length], rtol=1e-4, atol=1e-5
                )
