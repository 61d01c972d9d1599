"""Every method of the registry keeps the laws. A new one is among them by its registry line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from equipoise.methods.registry import METHODS, build_method
from equipoise.testing import METHOD_LAWS, MethodTrial

QUICK = {
    "n_per_subject": 4,
    "max_steps": 2,
    "batch_size": 2,
    "hidden_states": 4,
    "n_samples": 20,
    "max_directions": 1,
    "max_draws": 6,
    "shots": 2,
    "iterations": 2,
    "completions_per_prompt": 2,
    "max_completion_tokens": 6,
    "neither": 0.0,
}
"""Values of settings that keep a method quick, wherever it has them."""


@pytest.fixture(scope="module")
def trial_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], MethodTrial]:
    @cache
    def make(name: str) -> MethodTrial:
        fields = METHODS[name].settings_model.model_fields
        settings = {setting: value for setting, value in QUICK.items() if setting in fields}
        return MethodTrial(build_method(name, settings), tmp_path_factory.mktemp(name))

    return make


@pytest.mark.parametrize("law", METHOD_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", METHODS)
def test_the_methods_keep_the_laws(
    name: str, law: Callable[[MethodTrial], None], trial_of: Callable[[str], MethodTrial]
) -> None:
    law(trial_of(name))
