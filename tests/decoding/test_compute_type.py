"""Weights in the compute type, as decoding uses them: the same before and after being saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from decoding.twins import character_language_model
from equipoise.model.language_model import LanguageModel
from tiny_architectures import ARCHITECTURES


@pytest.fixture(params=ARCHITECTURES)
def lm(request: pytest.FixtureRequest) -> LanguageModel:
    lm = character_language_model(ARCHITECTURES[request.param](17), "abcdefghijklmnop")
    lm.dtype = torch.bfloat16
    return lm


def test_parameters_change_type_and_buffers_do_not(lm: LanguageModel) -> None:
    before = {name: buffer.clone() for name, buffer in lm.model.named_buffers()}
    assert any("inv_freq" in name for name in before)
    lm.use_compute_type()
    assert {p.dtype for p in lm.model.parameters()} == {torch.bfloat16}
    assert not any(p.requires_grad for p in lm.model.parameters())
    for name, buffer in lm.model.named_buffers():
        assert buffer.dtype == before[name].dtype
        assert torch.equal(buffer, before[name]), name
    assert {b.dtype for n, b in before.items() if "inv_freq" in n} == {torch.float32}
    assert lm.model.get_output_embeddings().weight.dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_saved_folder_gives_the_same_logits(
    lm: LanguageModel, dtype: torch.dtype, tmp_path: Path
) -> None:
    lm.dtype = dtype
    lm.use_compute_type()
    lm.save(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto", local_files_only=True)
    assert loaded.dtype == dtype
    tokens = torch.tensor([[1, 5, 2, 16, 3, 3, 7]])
    with torch.no_grad():
        assert torch.equal(loaded.eval()(tokens).logits, lm.model(tokens).logits)
