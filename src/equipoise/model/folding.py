"""Projections folded into weights, so that the result is an ordinary model.

At the sites ``attention``, ``mlp`` and ``output`` (see ``sites``) a state x is read by linear maps
alone. With a projection ``x -> P x + o`` before it, a map ``W x + b`` is ``(W P) x + (b + W o)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from equipoise.model.projected import Placed
from equipoise.model.projection import Projection
from equipoise.model.sites import Site, site_readers

_BIAS_SWITCHES = {"attention": "attention_bias", "mlp": "mlp_bias"}
"""The settings of Llama's configuration, and of some others, that give the maps a bias."""

_ALL_MAPS = {
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
}
"""The maps that the switch is for."""


@torch.no_grad()
def fold(model: Any, placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """Fold projections into the weights of ``model``, in place; what is left needs a hook.

    Left are projections of the stream, those with an offset where the architecture has no bias to
    hold it, and those of maps that are no plain ``nn.Linear``. Of two at one site, the second is
    folded first, as the maps read what it puts out. An output layer that shares its weights with
    the embedding gets weights of its own.

    Args:
        model: A causal language model, saved and loaded by its configuration afterwards.
        placed: In the order in which they are applied.
    """
    left: list[Placed] = []
    hooked: set[Site] = set()
    for site, projection in reversed(placed):
        # A later projection of the same site that is a hook would then be applied too early.
        if site in hooked or not _fold_one(model, site, projection):
            hooked.add(site)
            left.insert(0, Placed(site, projection))
    return tuple(left)


def _fold_one(model: Any, site: Site, projection: Projection) -> bool:
    """Whether ``projection`` could be folded; if so, it is."""
    readers = site_readers(model, site)
    if readers is None:
        return False
    needs_bias = bool(projection.offset.any())
    if needs_bias and any(r.bias is None for r in readers) and not _give_biases(model, site):
        return False
    if site.place == "output":
        _untie(model)
    for reader in readers:
        weight = reader.weight.cpu().double()  # some devices have no float64
        if needs_bias:
            bias = reader.bias.cpu().double() + weight @ projection.offset
            reader.bias.copy_(bias.to(reader.bias.dtype))
        reader.weight.copy_((weight @ projection.matrix).to(reader.weight.dtype))
    return True


def _give_biases(model: Any, site: Site) -> bool:
    """Give biases of zero to the maps of the site's kind in all layers, if the model may have them.

    The configuration says so afterwards.
    """
    switch = _BIAS_SWITCHES.get(site.place)
    config = model.config.get_text_config()
    if switch is None or getattr(config, switch, None) is not False:
        return False
    owner = "self_attn" if site.place == "attention" else "mlp"
    maps: list[Any] = [
        getattr(module, name, None)
        for path, module in model.named_modules()
        if path.rpartition(".")[2] == owner
        for name in _ALL_MAPS[site.place]
    ]
    if not all(type(m) is nn.Linear for m in maps):
        return False
    for m in maps:
        if m.bias is None:
            m.bias = nn.Parameter(m.weight.new_zeros(m.out_features))
    setattr(config, switch, True)
    return True


def _untie(model: Any) -> None:
    """Give the output layer weights of its own, where it shares those of the embedding."""
    output = model.get_output_embeddings()
    if output.weight is model.get_input_embeddings().weight:
        output.weight = nn.Parameter(output.weight.detach().clone())
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = False
