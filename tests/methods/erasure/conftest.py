"""A tiny model that knows all built-in words as single tokens, with gender planted in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.sentences import LabelledTree, labelled_tree
from equipoise.methods.erasure.words import word_pairs
from equipoise.model.language_model import LanguageModel
from equipoise.task.axis import WORD_SLOT
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from gender_axis import gender_axis
from tiny_models import byte_level_tokenizer, tiny_llama, wrap_tokenizer
from tiny_study import write_study

OCCUPATIONS = load_task("occupations")
PAIRS = word_pairs(ErasureSettings(), OCCUPATIONS)


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    """Makes the small task on the built-in axis of gender, with pieces of its file replaced."""

    def make(*replacements: tuple[str, str]) -> Task:
        axis = ("[templates]", f"{gender_axis()}\n[templates]")
        write_study(tmp_path / "files", "tiny", task=(*replacements, axis))
        return load_task(tmp_path / "files" / "small.toml")

    return make


def _corpus() -> list[str]:
    return [
        context.replace(WORD_SLOT, word)
        for pair in PAIRS
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
        for pair in PAIRS:
            for sign, word in zip((-1, 1), pair.words, strict=True):
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
    return labelled_tree(_planted.encoder.plain, PAIRS, 0.25, 1)
