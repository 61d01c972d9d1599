"""A tiny model that knows all built-in words as single tokens, with gender planted in it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

from equipoise.measures.fitted_items import FITTED_PAIRS
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.sentences import LabelledTree, labelled_tree
from equipoise.methods.erasure.words import SLOT, word_pairs
from equipoise.model.language_model import LanguageModel
from tiny_models import byte_level_tokenizer, tiny_llama, wrap_tokenizer


def _corpus() -> list[str]:
    return [
        context.replace(SLOT, word)
        for pair in word_pairs(ErasureSettings())
        for context in pair.contexts
        for word in pair.words
    ]


@pytest.fixture(scope="session")
def _planted() -> LanguageModel:
    wrapped = wrap_tokenizer(byte_level_tokenizer(_corpus(), 700), chat=True)
    model = tiny_llama(len(wrapped))
    direction = torch.nn.functional.normalize(torch.randn(32), dim=0)
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        for sign, words in zip((-1, 1), zip(*FITTED_PAIRS, strict=True), strict=True):
            for word in words:
                [token] = wrapped(" " + word)["input_ids"]
                weight[token] += 5 * sign * direction
    return LanguageModel(model, wrapped, "planted", torch.device("cpu"), torch.float32)


@pytest.fixture
def make_planted(_planted: LanguageModel) -> Callable[[], LanguageModel]:
    """Makes models whose embeddings of female and male words differ along one direction."""

    def make() -> LanguageModel:
        lm = _planted
        return LanguageModel(copy.deepcopy(lm.model), lm.tokenizer, lm.name, lm.device, lm.dtype)

    return make


@pytest.fixture
def labelled(_planted: LanguageModel) -> LabelledTree:
    """The built-in sentences for `make_planted`'s models."""
    return labelled_tree(_planted.encoder.plain, word_pairs(ErasureSettings()), 0.25, 1)
