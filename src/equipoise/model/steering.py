"""Steering at work in a model: directions added to the residual stream, by hooks.

Stored as ``steering.safetensors`` beside the weights, from where ``load_model`` takes it up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.model.beside import Beside, load_beside, store_beside
from equipoise.model.sites import Site, site_module

STEERING = Beside("steering.safetensors", "equipoise_steering", "steering")


class Shift(NamedTuple):
    """What is added to the residual stream after a block.

    Attributes:
        layer: The block, from 0.
        directions: [P, D] float32: the token at position p, counted from 0 at the beginning of the
            context, gets ``directions[p % P]``. So one is added everywhere, and several take turns.
    """

    layer: int
    directions: Tensor


def attach_shifts(model: Any, shifts: Sequence[Shift]) -> None:
    """Let ``model`` add ``shifts`` whenever it runs, from now on."""
    for shift in shifts:
        module = site_module(model, Site("stream", shift.layer))
        module.register_forward_hook(_Hook(shift.directions), with_kwargs=True)


class _Hook:
    """Adds to what a block puts out; of a tuple, to the states, which come first."""

    def __init__(self, directions: Tensor) -> None:
        self.directions = directions

    def __call__(self, module: Any, args: Any, kwargs: Mapping[str, Any], output: Any) -> Any:
        states: Tensor = output[0] if isinstance(output, tuple) else output
        self.directions = self.directions.to(states.device)
        added = self.directions[0]
        if len(self.directions) > 1:
            added = self.directions[kwargs["position_ids"] % len(self.directions)]
        changed = (states.float() + added).to(states.dtype)
        return (changed, *output[1:]) if isinstance(output, tuple) else changed


def store_shifts(model: Any, shifts: Sequence[Shift], folder: Path) -> None:
    """Write ``shifts`` into the model's folder; without any, no file is left there.

    Raises:
        EquipoiseError: The folder cannot be written.
    """
    tensors = {f"{number}.{shift.layer}": shift.directions for number, shift in enumerate(shifts)}
    store_beside(STEERING, model, folder, tensors, {})


def load_shifts(model: Any, folder: Path | None) -> tuple[Shift, ...]:
    """The shifts that belong to ``model`` by its configuration, in their order.

    Raises:
        EquipoiseError: The file is missing, damaged, or of another model.
    """
    shifts = load_beside(STEERING, model, folder, _shifts) or ()
    config = model.config.get_text_config()
    for layer, directions in shifts:
        fits = directions.dim() == 2 and directions.shape[1] == config.hidden_size
        if not (fits and len(directions) and 0 <= layer < config.num_hidden_layers):
            raise EquipoiseError(
                f"what is added after layer {layer} does not fit the model's "
                f"{config.num_hidden_layers} layers of {config.hidden_size} dimensions",
                file=folder / STEERING.name if folder else None,
                hint="Restore the file that was made with the model.",
            )
    return shifts


def _shifts(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> tuple[Shift, ...]:
    """Tensors by number and layer, such as ``0.12``."""
    places = sorted(tuple(map(int, name.split("."))) for name in tensors)
    return tuple(Shift(layer, tensors[f"{number}.{layer}"].float()) for number, layer in places)
