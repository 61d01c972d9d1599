"""Projections at work in a model: as hooks, and in a file beside its weights.

A projection that cannot be folded into weights (see ``folding``) is applied by a hook whenever the
model runs. It is stored as ``projections.safetensors`` in the model's folder, from where
``load_model`` takes it up again; transformers alone reads the weights and knows nothing of it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.model.beside import Beside, load_beside, store_beside
from equipoise.model.projection import Projection
from equipoise.model.sites import ORDER, Site, site_module

PROJECTIONS_FILE = "projections.safetensors"
PROJECTIONS = Beside(PROJECTIONS_FILE, "equipoise_projections", "projections")

_FACTORS = ("left", "right", "centre")


class Placed(NamedTuple):
    """A projection and where it is applied."""

    site: Site
    projection: Projection


def hook_states(
    model: Any, site: Site, change: Callable[[Tensor], Tensor]
) -> torch.utils.hooks.RemovableHandle:
    """Replace the states [..., D] at ``site`` by ``change`` of them, until the handle is removed.

    Several hooks of a site act in the order in which they were set.
    """
    return site_module(model, site).register_forward_hook(_Hook(change))


def attach(model: Any, placed: Sequence[Placed]) -> list[torch.utils.hooks.RemovableHandle]:
    """Let ``model`` apply projections, in the order given, until their handles are removed."""
    return [hook_states(model, site, _OnDevice(projection)) for site, projection in placed]


@contextlib.contextmanager
def projecting(model: Any, placed: Sequence[Placed]) -> Iterator[None]:
    """Within it, ``model`` applies projections."""
    handles = attach(model, placed)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Hook:
    """Changes what a module puts out; blocks of some models put out a tuple, states first."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        self.change = change

    def __call__(self, module: Any, args: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (self.change(output[0]), *output[1:])
        return self.change(output)


class _OnDevice:
    """A projection in float32, kept on the device that it was last used on."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection.to(projection.left.device, torch.float32)

    def __call__(self, states: Tensor) -> Tensor:
        if self.projection.left.device != states.device:
            self.projection = self.projection.to(states.device, torch.float32)
        return self.projection(states)


def store_projections(model: Any, placed: Sequence[Placed], folder: Path) -> None:
    """Write projections into the model's folder; without any, no file is left there.

    Raises:
        EquipoiseError: The folder cannot be written.
    """
    tensors = {
        f"{number}.{name}": factor
        for number, (_, projection) in enumerate(placed)
        for name, factor in zip(_FACTORS, _factors(projection), strict=True)
    }
    sites = [[site.place, site.layer] for site, _ in placed]
    store_beside(PROJECTIONS, model, folder, tensors, {"sites": json.dumps(sites)})


def load_projections(model: Any, folder: Path | None) -> tuple[Placed, ...]:
    """The projections that belong to ``model`` by its configuration, in their order.

    Args:
        model: As loaded by transformers.
        folder: Where its files are; None if it came from the Hub.

    Raises:
        EquipoiseError: The file is missing, damaged, or of another model.
    """
    placed = load_beside(PROJECTIONS, model, folder, _placed) or ()
    config = model.config.get_text_config()
    for site, (left, right, centre) in ((s, _factors(p)) for s, p in placed):
        shapes = [list(factor.shape) for factor in (left, right, centre)]
        size, rank = config.hidden_size, left.shape[-1]
        beyond = site.layer is not None and not 0 <= site.layer < config.num_hidden_layers
        if beyond or shapes != [[size, rank], [size, rank], [size]]:
            raise EquipoiseError(
                f"the projection at {site} does not fit the model's {config.num_hidden_layers} "
                f"layers of {size} dimensions",
                file=folder / PROJECTIONS_FILE if folder else None,
                hint="Restore the file that was made with the model.",
            )
        site_module(model, site)
    return placed


def _factors(projection: Projection) -> tuple[Tensor, Tensor, Tensor]:
    return projection.left, projection.right, projection.centre


def _placed(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> tuple[Placed, ...]:
    sites = [_site(*entry) for entry in json.loads(metadata["sites"])]
    factors = [[tensors[f"{n}.{name}"] for name in _FACTORS] for n in range(len(sites))]
    return tuple(Placed(s, Projection(*f)) for s, f in zip(sites, factors, strict=True))


def _site(place: Any, layer: Any) -> Site:
    if place not in ORDER or (layer is None) != (place == "output"):
        raise ValueError(f"there is no place {place!r} in layer {layer!r}")
    return Site(place, None if layer is None else int(layer))
