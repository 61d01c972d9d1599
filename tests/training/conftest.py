from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from training.runs import Run, Weights
from training.twins import make_examples


@pytest.fixture
def run(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> Run:
    return Run(fresh_tiny_lm, tmp_path)


@pytest.fixture
def start(tiny_lm: LanguageModel) -> Weights:
    """The weights before training."""
    return copy.deepcopy(tiny_lm.model.state_dict())


@pytest.fixture
def examples() -> list[TokenSequence]:
    return make_examples(20)
