"""Task vectors: both ends to the bit, the formula between and beyond them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from equipoise import EquipoiseError
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.model.language_model import LanguageModel
from equipoise.model.steering import Shift
from equipoise.task.task import Task
from equipoise.testing.models import tiny_gendered_model

Weights = dict[str, Tensor]
Mix = Callable[..., Weights]


def weights_of(lm: LanguageModel) -> Weights:
    return {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}


@pytest.fixture
def tuned(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> Mapping[str, Path]:
    """Two models that were moved away from the tiny one, one by very little."""
    folders = {}
    for number, (label, size) in enumerate({"sft": 0.1, "dpo": 1e-4}.items()):
        lm, generator = fresh_tiny_lm(), torch.Generator().manual_seed(number)
        with torch.no_grad():
            for weight in lm.model.parameters():
                weight += size * torch.randn(weight.shape, generator=generator)
        lm.save(tmp_path / label)
        folders[label] = tmp_path / label
    return folders


@pytest.fixture
def mix(
    tuned: Mapping[str, Path],
    fresh_tiny_lm: Callable[[], LanguageModel],
    make_task: Callable[..., Task],
    tmp_path: Path,
) -> Mix:
    """The weights that the method makes with some settings."""

    def make(**settings: object) -> Weights:
        method, task = build_method("task-vector", settings), make_task()
        method.check(task)
        workspace = Workspace(tmp_path / "w", tmp_path / "w" / "model", models=tuned)
        return weights_of(method.fit(fresh_tiny_lm(), task, 7, workspace).lm.weights)

    return make


def loaded(folder: Path) -> Weights:
    from equipoise import load_model

    return weights_of(load_model(folder, dtype="float32"))


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("label", ["sft", "dpo"])
def test_one_is_the_tuned_model_and_none_the_base(
    label: str, mix: Mix, tuned: Mapping[str, Path], tiny_lm: LanguageModel
) -> None:
    base, there = weights_of(tiny_lm), loaded(tuned[label])
    assert not same(base, there)
    assert same(mix(of=label, scale=1.0), there)
    assert same(mix(of=label, scale=0.0), base)
    assert same(mix(of={"sft": 0.0, "dpo": 0.0}), base)
    assert same(mix(of={name: float(name == label) for name in tuned}), there)


@pytest.mark.parametrize("weights", [{"sft": 0.3}, {"sft": -2.0}, {"sft": 1.5, "dpo": -40.0}])
def test_between_and_beyond_it_is_the_formula(
    weights: dict[str, float], mix: Mix, tuned: Mapping[str, Path], tiny_lm: LanguageModel
) -> None:
    base = weights_of(tiny_lm)
    others = {label: loaded(tuned[label]) for label in weights}
    found = mix(of=weights, scale=0.5)
    for name, weight in base.items():
        origin = weight.double()
        moves = [0.5 * w * (others[label][name].double() - origin) for label, w in weights.items()]
        torch.testing.assert_close(found[name].double(), origin + sum(moves), atol=2e-6, rtol=1e-5)


def test_what_overflows_is_found(mix: Mix) -> None:
    for scale in (1e40, 1e30, 1e15):  # weights beyond float32; squares of states; logits
        with pytest.raises(EquipoiseError, match=r"scale: with scale = 1e\+.. the model overflows"):
            mix(scale=scale)


def test_models_without_the_same_weights_have_no_difference(
    mix: Mix, tuned: Mapping[str, Path]
) -> None:
    tiny_gendered_model().save(tuned["sft"])  # of a larger vocabulary
    with pytest.raises(EquipoiseError, match=r"'sft' has other weights 'model\.embed_to"):
        mix()


def test_what_hooks_do_is_no_difference_of_weights(
    mix: Mix, tuned: Mapping[str, Path], fresh_tiny_lm: Callable[[], LanguageModel]
) -> None:
    lm = fresh_tiny_lm()
    lm.steer([Shift(0, torch.ones(1, 32))])
    lm.save(tuned["sft"])
    with pytest.raises(EquipoiseError, match="'sft' has other hooks than the base model"):
        mix()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": {}}, "of: no method is named"),
        ({"scale": float("inf")}, "scale: input should be a finite number"),
        ({"of": {"sft": float("nan")}}, "finite number"),
    ],
)
def test_settings_that_are_none(
    settings: dict[str, object], message: str, make_task: Callable[..., Task]
) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("task-vector", settings).check(make_task())
