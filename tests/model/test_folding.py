"""Folded into weights or applied by hooks: the same logits, before and after saving."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from equipoise.model.folding import fold
from equipoise.model.projected import Placed, projecting
from equipoise.model.projection import Projection
from equipoise.model.sites import ORDER, Site, select_sites
from model.test_projection import random_projection
from tiny_architectures import ARCHITECTURES

TOKENS = torch.tensor([[5, 9, 2, 7, 11, 3]])
SIZE = 30

AFFINE_FOLDS = {
    "llama": {"attention", "mlp"},
    "qwen2": {"attention"},
    "qwen3": {"attention"},
    "gemma3": {"attention"},
}
"""Where the architecture has, or can be given, the biases that an offset needs."""


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(TOKENS).logits
    return found


def at(sites: list[Site], *, affine: bool) -> list[Placed]:
    """A random oblique projection of two directions at each site."""
    placed = []
    for number, site in enumerate(sites):
        p = random_projection(SIZE, 2, oblique=True, seed=number)
        centre = p.centre if affine else torch.zeros(SIZE, dtype=torch.float64)
        placed.append(Placed(site, Projection(p.left, p.right, centre)))
    return placed


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("place", ORDER)
@pytest.mark.parametrize("family", ARCHITECTURES)
def test_hooks_and_folded_weights_give_the_same_logits(
    family: str, place: str, affine: bool, tmp_path: Path
) -> None:
    model = ARCHITECTURES[family](20)
    placed = at(select_sites(model, (place,), ()), affine=affine)  # type: ignore[arg-type]
    plain = logits(model)
    with projecting(model, placed):
        expected = logits(model)
    assert (expected - plain).abs().max() > 0.01  # the projections matter
    assert torch.equal(logits(model), plain)  # and are gone again

    left = fold(model, placed)
    folds = place != "stream" and (not affine or place in AFFINE_FOLDS[family])
    assert list(left) == ([] if folds else placed)
    with projecting(model, left):
        assert torch.allclose(logits(model), expected, atol=2e-4, rtol=1e-4)

    model.save_pretrained(tmp_path / "model")
    again, report = AutoModelForCausalLM.from_pretrained(
        tmp_path / "model", output_loading_info=True, attn_implementation="sdpa"
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with projecting(again, left):
        assert torch.equal(logits(again), logits(model) if not left else _with(model, left))


def _with(model: Any, placed: Any) -> Tensor:
    with projecting(model, placed):
        return logits(model)


@pytest.mark.parametrize("affine", [False, True])
def test_two_projections_of_one_site(affine: bool) -> None:
    model = ARCHITECTURES["llama"](20)
    sites = [Site("mlp", 1), Site("mlp", 1), Site("attention", 0)]
    placed = at(sites, affine=affine)
    expected = _with(model, placed)
    swapped = _with(model, [placed[1], placed[0], placed[2]])
    assert not torch.allclose(expected, swapped, atol=1e-3)  # their order matters
    assert fold(model, placed) == ()
    assert torch.allclose(logits(model), expected, atol=2e-4, rtol=1e-4)


def test_nothing_is_folded_in_front_of_a_hook() -> None:
    """The second one needs a bias that Qwen's MLP cannot have; the first acts before it."""
    model = ARCHITECTURES["qwen2"](20)
    site = Site("mlp", 0)
    placed = [*at([site], affine=False), *at([site], affine=True)]
    before = copy.deepcopy(model.state_dict())
    assert list(fold(model, placed)) == placed
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_tied_output_layer_gets_weights_of_its_own() -> None:
    model = ARCHITECTURES["llama"](20)
    embedding = model.get_input_embeddings().weight.clone()
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    fold(model, at([Site("output")], affine=False))
    assert torch.equal(model.get_input_embeddings().weight, embedding)
    assert not torch.allclose(model.get_output_embeddings().weight, embedding)
    assert model.config.tie_word_embeddings is False
