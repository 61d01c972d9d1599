"""A finished run of a tiny model with a method of every kind, and servers of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise import Study
from equipoise.serving.app import Service
from equipoise.serving.controlled import Controlled, load_controlled
from equipoise.serving.limits import Limits
from serving_process import listening
from tiny_study import STUDY
from tiny_task import varied, write_task

METHODS = """
[methods.prompt]
[methods.prompt-balanced]
[methods.few-shot]
shots = 2
[methods.prompt-listed]
[methods.revise]
[methods.filter]
ask = "few-shot"
accept = "any"
max_draws = 400
[methods.best-of]
draws = 3
[methods.ctrlg]
hidden_states = 4
n_samples = 40
iterations = 2
[methods.beam]
use = "ctrlg"
decoding = "beam"
hidden_states = 4
n_samples = 40
iterations = 2
[methods.sft]
n_per_subject = 4
max_steps = 2
[methods.filter-sft]
use = "filter"
init_from = "sft"
accept = "any"
max_draws = 400
[measures]
side_effects = false
"""


@pytest.fixture(scope="package")
def run(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with one seed."""
    folder = tmp_path_factory.mktemp("served")
    write_task(folder)
    head = STUDY.partition("[methods.prompt]")[0]
    text = varied(
        head,
        ("MODEL", str(tiny_model_folder)),
        ("seeds = [1, 2]", 'seeds = [1]\ndtype = "float32"'),  # scores are compared to 1e-4
        ("samples_per_subject = 3", "samples_per_subject = 1"),
        ("max_new_tokens = 12", "max_new_tokens = 40"),
    )
    (folder / "study.toml").write_text(text + METHODS)
    return Study.from_toml(folder / "study.toml").run(folder / "run", quiet=True).folder


Load = Callable[[str], Controlled]


@pytest.fixture(scope="package")
def load(run: Path, tiny_model_folder: Path) -> Load:
    """Rebuilds the policy of a method of the run, once."""
    known: dict[str, Controlled] = {}

    def find(label: str) -> Controlled:
        if label not in known:
            task, model = str(run.parent / "small.toml"), str(tiny_model_folder)
            known[label] = load_controlled(run, label, 1, task, model)
        return known[label]

    return find


Address = Callable[..., str]


@pytest.fixture
def address(load: Load) -> Iterator[Address]:
    """Serves a method of the run; gives the address."""
    with contextlib.ExitStack() as stack:

        def serve(label: str, **limits: Any) -> str:
            hosts = frozenset({"127.0.0.1"})
            service = Service(load(label), Limits(**limits), hosts)
            return stack.enter_context(listening(service))

        yield serve
