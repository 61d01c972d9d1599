"""The gradient of an embedding that is the output matrix as well, without a second dense matrix.

Where both are one matrix, as in most small models, PyTorch fills a matrix of zeros for the few rows
that were looked up, and adds it to the output matrix's gradient: three passes through a tenth of a
gigabyte for some hundred rows. Here these rows are added where they belong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


@contextlib.contextmanager
def rows_added(model: Any) -> Iterator[None]:
    """Within it, gradients of looked-up rows are added to the output matrix's gradient in place.

    Nothing changes for a model whose matrices are two, or not trained, or whose embedding is more
    than a look-up, nor on other devices than the CPU, where adding rows is not reproducible. Not
    for models that are wrapped for several processes (DDP, FSDP): they exchange gradients before
    this would add to them.

    Args:
        model: A causal language model of transformers.
    """
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    tied = (
        type(embedding) is nn.Embedding
        and embedding.max_norm is None
        and embedding.weight.device.type == "cpu"
        and output is not None
        and output.weight is embedding.weight
        and embedding.weight.requires_grad
    )
    if not tied:
        yield
        return
    embedding.__class__ = _Gathering
    try:
        yield
    finally:
        embedding.__class__ = nn.Embedding


class _Gathering(nn.Embedding):
    """An embedding that adds the gradients of its rows once all others are there."""

    def forward(self, tokens: Tensor) -> Tensor:
        rows: Tensor = _LookUp.apply(self.weight, tokens, self)  # type: ignore[no-untyped-call]
        return rows

    def add(self, tokens: Tensor, gradient: Tensor) -> None:
        """Add the ``gradient`` [N, D] of the rows of ``tokens`` [N] to that of the matrix."""
        if self.padding_idx is not None:  # PyTorch gives that row no gradient
            counts = tokens != self.padding_idx
            tokens, gradient = tokens[counts], gradient[counts]
        if self.weight.grad is None:  # of a loss that asks for no logits
            self.weight.grad = torch.zeros_like(self.weight)
        self.weight.grad.index_add_(0, tokens, gradient.to(self.weight.grad.dtype))


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, tokens: Tensor, embedding: _Gathering) -> Tensor:
        ctx.embedding = embedding
        ctx.save_for_backward(tokens)
        return weight[tokens]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, None]:
        (tokens,) = ctx.saved_tensors
        rows = tokens.reshape(-1), gradient.reshape(-1, gradient.shape[-1])
        # What the output matrix gets may come later in this backward pass: rows wait for its end.
        torch.autograd.Variable._execution_engine.queue_callback(lambda: ctx.embedding.add(*rows))
        return None, None, None
