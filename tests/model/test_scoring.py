"""Scores of single tokens, against the plain computation."""

from __future__ import annotations

import pytest
import torch

from equipoise.model import scoring
from equipoise.model.language_model import LanguageModel
from equipoise.model.scoring import token_scores


@pytest.mark.parametrize("start", [1, 4])
def test_token_scores_are_those_of_the_plain_computation(
    tiny_plain_lm: LanguageModel, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces of three rows, so that several are put together."""
    monkeypatch.setattr(scoring, "ROWS", 3)
    tokens = tiny_plain_lm.encoder.plain("The pilot was bold and the nurse was kind.")
    with torch.no_grad():
        logits = tiny_plain_lm.model(torch.tensor([tokens])).logits[0]
    plain = logits.float().log_softmax(dim=-1)[start - 1 : -1]
    found = token_scores(tiny_plain_lm, tokens, start, 5)
    own = [row[token].item() for row, token in zip(plain, tokens[start:], strict=True)]
    assert len(own) == len(tokens) - start > 3
    assert found.values.tolist() == pytest.approx(own, abs=1e-5)
    top = plain.topk(5, dim=-1)
    assert torch.allclose(found.top_values, top.values, atol=1e-5)
    assert torch.equal(found.top_tokens, top.indices)
    assert not token_scores(tiny_plain_lm, tokens, start, 0).top_values.numel()
