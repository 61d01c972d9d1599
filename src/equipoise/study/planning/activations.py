"""What a forward pass keeps for the backward pass, found by running it without memory.

torch's fake tensors have shapes and no content: the model's own code runs, and what it saves is
counted. Layers are alike, so one and two of them tell how much all of them keep.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from transformers import AutoModelForCausalLM


def saved_bytes(
    config: Any, nodes: int, rows: int, *, weights: torch.dtype, lora_rank: int | None
) -> tuple[int, int]:
    """Bytes that training on a tree takes: below the output layer, and for the logits.

    The former are kept by the forward pass. The logits are kept in the compute type and in float32;
    when the backward pass begins, their softmax and their gradients in both types are added.

    Args:
        config: Of a transformers model.
        nodes: Tokens of the tree, each computed once.
        rows: Those at which something is predicted.
        weights: Type of the weights; products are computed in bfloat16.
        lora_rank: Rank of adapters, if they are trained instead of all weights.
    """
    layers = int(config.get_text_config().num_hidden_layers)
    one, two = (_saved(config, n, nodes, rows, weights, lora_rank) for n in (1, 2))
    logits = rows * int(config.get_text_config().vocab_size)
    return one + (layers - 1) * (two - one) - logits * (2 + 4), logits * (2 + 4 + 4 + 4 + 2)


def _saved(
    config: Any,
    layers: int,
    nodes: int,
    rows: int,
    weights: torch.dtype,
    lora_rank: int | None,
) -> int:
    """Bytes kept by a model of so many layers, its parameters left out."""
    config = copy.deepcopy(config)
    config.get_text_config().num_hidden_layers = layers
    if getattr(config.get_text_config(), "layer_types", None):
        config.get_text_config().layer_types = config.get_text_config().layer_types[:layers]
    kept: dict[int, int] = {}
    with FakeTensorMode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_config(
            config, dtype=weights, attn_implementation="sdpa"
        ).train()
        if lora_rank:
            _adapt(model, lora_rank)
        own = {p.untyped_storage()._cdata for p in model.parameters()}

        def note(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = storage.nbytes()
                alive.append(tensor)
            return tensor

        alive: list[Tensor] = []  # else a freed storage's address is given out again
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            with torch.autocast("cpu", torch.bfloat16):
                output = model(
                    input_ids=torch.zeros(1, nodes, dtype=torch.long),
                    position_ids=torch.zeros(1, nodes, dtype=torch.long),
                    attention_mask=torch.ones(1, 1, nodes, nodes, dtype=torch.bool),
                    logits_to_keep=torch.zeros(rows, dtype=torch.long),
                    use_cache=False,
                )
            logits = output.logits[0].float()
            torch.logsumexp(logits, dim=-1).sum()
    return sum(kept.values())


class _Adapted(torch.nn.Module):
    """A linear layer with an adapter, as peft computes it; peft itself refuses fake tensors."""

    def __init__(self, base: torch.nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = torch.nn.Linear(base.in_features, rank, bias=False)
        self.up = torch.nn.Linear(rank, base.out_features, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """The layer's output, and the adapter's scaled by some number."""
        added: Tensor = self.base(states) + 2.0 * self.up(self.down(states.float()))
        return added


def _adapt(model: Any, rank: int) -> None:
    """Freeze ``model``, and put an adapter beside each linear layer but the output."""
    model.requires_grad_(False)
    for name, module in list(model.named_modules()):
        parent, _, child = name.rpartition(".")
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings():
            setattr(model.get_submodule(parent), child, _Adapted(module, rank))
