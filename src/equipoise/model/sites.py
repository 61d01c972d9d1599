"""Places in a decoder where hidden states can be read and projected.

In a block of a Llama-like model the residual stream h is read twice, each time through a norm:

    h = h + attention(norm(h))        place ``attention``: the output of this norm
    h = h + mlp(norm(h))              place ``mlp``: the output of this norm
                                      place ``stream``: h after the block
    logits = W norm(h)                place ``output``: the output of the final norm

What a norm puts out is read by linear maps alone, so a projection there can be folded into their
weights. One of the stream cannot: the next norm divides by the length of what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from equipoise.errors import EquipoiseError

Place = Literal["attention", "mlp", "stream", "output"]

ORDER: tuple[Place, ...] = ("attention", "mlp", "stream", "output")
"""The places as a state passes them within a block; ``output`` comes after all blocks."""

_NORMS = {
    "attention": ("input_layernorm",),
    # With norms on both sides of the MLP, the first of these is the one before it.
    "mlp": ("pre_feedforward_layernorm", "post_attention_layernorm"),
}
_READERS = {
    "attention": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "mlp": ("mlp", ("gate_proj", "up_proj")),
}


@dataclass(frozen=True)
class Site:
    """One place in one block.

    Attributes:
        place: See the module.
        layer: The block, from 0; None for ``output``, of which there is one.
    """

    place: Place
    layer: int | None = None

    def __str__(self) -> str:
        return self.place if self.layer is None else f"{self.place} of layer {self.layer}"


def select_sites(model: Any, places: Sequence[Place], layers: Sequence[int]) -> list[Site]:
    """The sites of ``places`` in ``layers``, in the order in which a state passes them.

    Args:
        model: A causal language model.
        places: Which places.
        layers: Which blocks: from 0, or -1, -2, ... from the last one; none stands for all.

    Raises:
        EquipoiseError: There is no such layer, or the architecture has no such place.
    """
    count = len(_blocks(model))
    for layer in layers:
        if not -count <= layer < count:
            raise EquipoiseError(
                f"there is no layer {layer}: the model has {count}",
                field="layers",
                hint=f"Name layers from 0 to {count - 1}, or -1 for the last.",
            )
    chosen = sorted({layer % count for layer in layers} or range(count))
    sites = [Site(p, layer) for layer in chosen for p in ORDER if p in places and p != "output"]
    if "output" in places:
        sites.append(Site("output"))
    for site in sites:
        site_module(model, site)
    return sites


def site_module(model: Any, site: Site) -> nn.Module:
    """The module whose output is the state at ``site``.

    Raises:
        EquipoiseError: The architecture has none.
    """
    if site.place == "output":
        return _part(_decoder(model), ("norm",), site.place, model)
    block = _block(model, site)
    return block if site.place == "stream" else _part(block, _NORMS[site.place], site.place, model)


def site_readers(model: Any, site: Site) -> list[nn.Linear] | None:
    """The linear maps that read the state at ``site``; None where others may read it too."""
    if site.place == "output":
        maps = [model.get_output_embeddings()]
    elif site.place == "stream":
        return None
    else:
        owner, names = _READERS[site.place]
        module = getattr(_block(model, site), owner, None)
        maps = [getattr(module, name, None) for name in names]
    return maps if all(type(m) is nn.Linear for m in maps) else None


def _decoder(model: Any) -> Any:
    base = model.base_model
    return getattr(base, "language_model", base)


def _blocks(model: Any) -> Any:
    """The decoder's blocks, first to last; a ``ModuleList``."""
    return _part(_decoder(model), ("layers",), "layers", model)


def _block(model: Any, site: Site) -> nn.Module:
    block: nn.Module = _blocks(model)[site.layer]
    return block


def _part(module: Any, names: Sequence[str], what: str, model: Any) -> nn.Module:
    for name in names:
        part = getattr(module, name, None)
        if isinstance(part, nn.Module):
            return part
    raise EquipoiseError(
        f"models of type '{model.config.model_type}' have no module "
        f"{' or '.join(repr(name) for name in names)}, which is needed for '{what}'",
        field="places",
        hint="Choose other places, or a Llama-like model.",
    )
