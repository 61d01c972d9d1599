"""Attention for short prefix trees on the CPU, in the compute type.

There torch's fused kernel has a slow backward pass, and its plain one multiplies in float32
whatever the autocast type is. On a few hundred tree nodes two plain products in the compute type,
with the softmax in float32 as in transformers' own ``eager`` attention, take half of the time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "equipoise_tree"
"""Under which `tree_attention` is registered with transformers."""

LONGEST = 1024
"""Tree nodes up to which it is used; its memory grows with their square."""


@contextlib.contextmanager
def attention_for(config: Any, visible: Tensor) -> Iterator[Tensor]:
    """Choose the attention of the model with ``config``; gives its mask [1, 1, T, T].

    Args:
        config: Of a transformers model with ``sdpa`` attention, restored at the end.
        visible: [T, T] bool, True where a node attends to another.
    """
    if visible.device.type != "cpu" or len(visible) > LONGEST:
        yield visible[None, None]
        return
    bias = torch.zeros(visible.shape).masked_fill_(~visible, float("-inf"))
    config = config.get_text_config()
    before = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield bias[None, None]
    finally:
        config._attn_implementation = before


def tree_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Softmax attention with keys shared by groups of heads, as transformers calls it.

    Args:
        module: The attention layer; unused.
        query: [B, N, T, D] for N heads.
        key: [B, K, T, D]; K divides N.
        value: [B, K, T, D].
        attention_mask: [1, 1, T, T], added to the scores: 0 or ``-inf``.
        dropout: Share of the attention weights to drop.
        scaling: Of the scores; 1 / sqrt(D) by default.
        kwargs: What other kinds of attention take.

    Returns:
        [B, T, N, D], and None for the weights.
    """
    batch, heads, length, size = query.shape
    groups = batch * key.shape[1]
    # The heads that share keys and values stand under each other in one matrix.
    rows = (query * (size**-0.5 if scaling is None else scaling)).reshape(groups, -1, size)
    keys, values = (states.reshape(groups, length, -1) for states in (key, value))
    scores = torch.bmm(rows, keys.mT).view(groups, -1, length, length)
    weights = torch.softmax(scores.float() + attention_mask[0], dim=-1).to(value.dtype)
    if dropout:
        weights = torch.dropout(weights, dropout, train=True)
    mixed = torch.bmm(weights.view(groups, -1, length), values)
    return mixed.view(batch, heads, length, -1).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, tree_attention)
