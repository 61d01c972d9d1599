"""Attention for short prefix trees on the CPU, in the compute type.

There torch's fused kernel has a slow backward pass, and its plain one multiplies in float32
whatever the autocast type is. On a few hundred tree nodes two plain products in the compute type
take half of the time. The softmax computes in float32, whatever type it is given and gives.
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
    bias = attention_mask[0].to(_product_type(rows)).repeat(1, heads // key.shape[1], 1)
    scores = torch.baddbmm(bias.expand(groups, -1, -1), rows, keys.mT)
    weights = torch.softmax(scores, dim=-1)
    if dropout:
        weights = torch.dropout(weights, dropout, train=True)
    mixed = torch.bmm(weights, values)
    return mixed.view(batch, heads, length, -1).transpose(1, 2).contiguous(), None


def _product_type(states: Tensor) -> torch.dtype:
    """The type in which products of ``states`` are computed, within autocast and without."""
    device = states.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else states.dtype


AttentionInterface.register(NAME, tree_attention)
