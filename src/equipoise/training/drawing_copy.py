"""A model in training as something that completions are drawn from, fast."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch

from equipoise.model.language_model import LanguageModel
from equipoise.training.lora import merge_adapters


class DrawingCopy:
    """The current policy with weights in the compute type.

    Decoding with float32 weights converts all of them for every token. Where weights are in the
    compute type already, as those of large models with adapters are, there is no copy.

    Args:
        lm: The model before training; says in which type to compute.
        adapters: Whether it will be trained through adapters.
    """

    def __init__(self, lm: LanguageModel, *, adapters: bool) -> None:
        self._lm = lm
        self._copy: LanguageModel | None = None
        if not adapters and lm.model.dtype != lm.dtype:
            self._copy = replace(lm, model=copy.deepcopy(lm.model))
            self._copy.use_compute_type()

    @torch.no_grad()
    def of(self, model: Any) -> LanguageModel:
        """``model`` as it is now; valid until the next update."""
        if model.dtype == self._lm.dtype:
            return replace(self._lm, model=model)
        if self._copy is None:
            merged = replace(self._lm, model=merge_adapters(copy.deepcopy(model)).eval())
            merged.use_compute_type()
            return merged
        for mine, theirs in zip(self._copy.model.parameters(), model.parameters(), strict=True):
            mine.copy_(theirs)
        return self._copy
