"""Projections beside the weights: stored, taken up again, and missed when they are gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.projected import PROJECTIONS_FILE, Placed, load_projections
from equipoise.model.sites import Site
from model.test_projection import random_projection

TOKENS = torch.tensor([[5, 9, 2, 7, 11, 3]])


def placed_at(*sites: Site, size: int = 32) -> list[Placed]:
    return [
        Placed(site, random_projection(size, 3, oblique=True, seed=number))
        for number, site in enumerate(sites)
    ]


@torch.no_grad()
def logits(lm: LanguageModel) -> torch.Tensor:
    found: torch.Tensor = lm.model(TOKENS).logits
    return found


@pytest.fixture
def projected(fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> LanguageModel:
    """A model with projections, saved in ``tmp_path / "model"``."""
    lm = fresh_tiny_lm()
    plain = logits(lm)
    lm.project(placed_at(Site("stream", 0), Site("output")))
    assert (logits(lm) - plain).abs().max() > 0.01
    lm.save(tmp_path / "model")
    return lm


def test_a_saved_model_is_projected_when_it_is_loaded(
    projected: LanguageModel, tmp_path: Path
) -> None:
    again = load_model(tmp_path / "model", dtype="float32")
    assert [site for site, _ in again.projections] == [Site("stream", 0), Site("output")]
    assert torch.equal(logits(again), logits(projected))
    again.project(placed_at(Site("mlp", 1)))
    again.save(tmp_path / "more")
    third = load_model(tmp_path / "more", dtype="float32")
    assert len(third.projections) == 3
    assert torch.equal(logits(third), logits(again))


def test_weights_in_the_compute_type_are_projected_too(projected: LanguageModel) -> None:
    exact = logits(projected)
    projected.dtype = torch.bfloat16
    projected.use_compute_type()
    assert torch.allclose(logits(projected).float(), exact, atol=0.3, rtol=0.1)


def test_a_model_without_projections_leaves_no_file(
    fresh_tiny_lm: Callable[[], LanguageModel], projected: LanguageModel, tmp_path: Path
) -> None:
    fresh_tiny_lm().save(tmp_path / "model")
    assert not (tmp_path / "model" / PROJECTIONS_FILE).exists()
    assert "equipoise" not in (tmp_path / "model" / "config.json").read_text()
    assert load_model(tmp_path / "model").projections == ()


@pytest.mark.usefixtures("projected")
def test_a_missing_or_damaged_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model" / PROJECTIONS_FILE
    whole = path.read_bytes()
    path.unlink()
    for content in (None, b"", whole[:100], b"not safetensors" * 10):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(EquipoiseError, match="holds no projections that can be read") as caught:
            load_model(tmp_path / "model")
        assert caught.value.file == str(path)
    tensors = {f"0.{name}": torch.zeros(32) for name in ("left", "right", "centre")}
    for sites in ([["roof", 1]], [["output", 1]], [["mlp", None]], [["mlp"]], [["mlp", "x"]], 3):
        save_file(tensors, path, metadata={"sites": json.dumps(sites)})
        with pytest.raises(EquipoiseError, match="holds no projections that can be read"):
            load_model(tmp_path / "model")
    save_file(tensors, path)
    with pytest.raises(EquipoiseError, match="holds no projections that can be read"):
        load_model(tmp_path / "model")


def test_projections_of_another_model(projected: LanguageModel, tmp_path: Path) -> None:
    other = tmp_path / "other"
    projected.projections = tuple(placed_at(Site("output"), size=31))
    projected.save(other)
    with pytest.raises(EquipoiseError, match="at output does not fit the model's 2 layers of 32"):
        load_model(other)
    projected.projections = tuple(placed_at(Site("mlp", 7)))
    projected.save(other)
    with pytest.raises(EquipoiseError, match="at mlp of layer 7"):
        load_model(other)


def test_projections_on_the_hub_are_not_passed_over(projected: LanguageModel) -> None:
    with pytest.raises(EquipoiseError, match="read from local folders only"):
        load_projections(projected.model, None)
