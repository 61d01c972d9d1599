from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from training.runs import Run, Weights
from training.twins import make_examples


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than these small tensors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
