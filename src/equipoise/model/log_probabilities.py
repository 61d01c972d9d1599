"""Log-probabilities of single tokens, without a float32 copy of all logits.

The plain formula, ``logits.float().log_softmax(-1)`` at the tokens, holds several float32 matrices
of rows x vocabulary at once, the gradient among them, which is mostly filled with zeros first. Here
both passes go through the logits in chunks that stay in the processor's cache, and what is kept is
the logits as the model gave them and one normaliser a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

CHUNK_BYTES = {"cpu": 4 << 20, "cuda": 256 << 20, "mps": 256 << 20}
"""Size of a chunk in float32."""


def token_log_probabilities(logits: Tensor, rows: Tensor, tokens: Tensor) -> Tensor:
    """``log softmax(logits[rows])[tokens]``: float32 [E], in nats, differentiable once.

    Args:
        logits: [R, V] in any floating-point type.
        rows: [E] indices into the R rows.
        tokens: [E] indices into the V columns.
    """
    values: Tensor = _TokenLogProbabilities.apply(logits, rows, tokens)  # type: ignore[no-untyped-call]
    return values


class _TokenLogProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, rows: Tensor, tokens: Tensor) -> Tensor:
        normalisers = torch.empty(len(logits), device=logits.device)
        for start, end in _chunks(logits):
            normalisers[start:end] = torch.logsumexp(logits[start:end].float(), dim=-1)
        ctx.save_for_backward(logits, normalisers, rows, tokens)
        return logits[rows, tokens].float() - normalisers[rows]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        logits, normalisers, rows, tokens = ctx.saved_tensors
        order = rows.argsort(stable=True)
        rows, tokens, gradient = rows[order], tokens[order], gradient[order]
        of_row = torch.zeros_like(normalisers).index_add_(0, rows, gradient)
        result = torch.empty_like(logits)
        for start, end in _chunks(logits):
            part = (logits[start:end].float() - normalisers[start:end, None]).exp_()
            part *= -of_row[start:end, None]
            first, last = torch.searchsorted(rows, torch.tensor([start, end], device=rows.device))
            here = slice(int(first), int(last))
            part.index_put_((rows[here] - start, tokens[here]), gradient[here], accumulate=True)
            result[start:end] = part
        return result, None, None


def _chunks(logits: Tensor) -> Iterator[tuple[int, int]]:
    """First row and end of each chunk of ``logits`` [R, V]."""
    size = max(1, CHUNK_BYTES[logits.device.type] // (4 * logits.shape[-1]))
    for start in range(0, len(logits), size):
        yield start, min(start + size, len(logits))
