"""Attention of rows that all begin alike: what they share is read once a step, not once a row.

Prompts of a task share the chat template and most of their words. With the keys and values of that
beginning in one copy, the scores of all rows on it are one product of matrices; those on what is a
row's own are as before. Both go through one softmax, so that nothing but rounding changes.

Prior art: shared-prefix attention (Hydragen, arXiv 2402.05099; cascade attention in FlashInfer).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

from equipoise.decoding.cache import RowCache

NAME = "equipoise_shared_prefix"
"""Under which `shared_prefix_attention` is registered with transformers."""

_CURRENT: ContextVar[RowCache] = ContextVar("current")


@contextlib.contextmanager
def attention_for(config: Any, cache: RowCache) -> Iterator[None]:
    """Within it, a model with ``config`` attends to what rows of ``cache`` share, and to their own.

    Args:
        config: Of a transformers model with ``sdpa`` attention, restored at the end.
        cache: Where nothing is shared, nothing changes.
    """
    if not cache.shared:
        yield
        return
    config = config.get_text_config()
    before, token = config._attn_implementation, _CURRENT.set(cache)
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = before
        _CURRENT.reset(token)


def shared_prefix_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Softmax attention of one new token a row, as transformers calls it.

    Args:
        module: The attention layer, of which the number is needed.
        query: [B, N, 1, D] for N heads.
        key: [B, K, W, D] of what is a row's own; K divides N.
        value: [B, K, W, D].
        attention_mask: [B, 1, 1, W], True where a row has such a token.
        dropout: Unused: nothing is dropped in drawing.
        scaling: Of the scores; 1 / sqrt(D) by default.
        kwargs: What other kinds of attention take.

    Returns:
        [B, 1, N, D], and None for the weights.
    """
    shared_keys, shared_values = _CURRENT.get().shared_states(module.layer_idx)
    (batch, heads, _, size), groups = query.shape, key.shape[1]
    each = heads // groups
    rows = query * (size**-0.5 if scaling is None else scaling)
    rows = rows.reshape(batch, groups, each, size)
    # [K, B * N / K, S]: rows of all completions stand under each other, one matrix a key head.
    common = torch.bmm(_together(rows), shared_keys.mT)
    own = torch.matmul(rows, key.mT).masked_fill(~attention_mask, float("-inf"))
    weights = torch.softmax(torch.cat([_apart(common, batch), own], dim=-1), dim=-1)
    shared = shared_keys.shape[1]
    mixed = _apart(torch.bmm(_together(weights[..., :shared]), shared_values), batch)
    mixed = mixed + torch.matmul(weights[..., shared:], value)
    return mixed.reshape(batch, 1, heads, -1), None


def _together(of_rows: Tensor) -> Tensor:
    """[B, K, G, X] as [K, B * G, X]."""
    return of_rows.transpose(0, 1).flatten(1, 2)


def _apart(of_groups: Tensor, batch: int) -> Tensor:
    """The inverse of `_together`."""
    groups, rows, last = of_groups.shape
    return of_groups.view(groups, batch, rows // batch, last).transpose(0, 1)


AttentionInterface.register(NAME, shared_prefix_attention)
