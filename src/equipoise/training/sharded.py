"""A model that FSDP has split among processes, made whole again."""

from __future__ import annotations

from typing import Any

import torch


def is_split(model: Any) -> bool:
    """Whether FSDP has split ``model``."""
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def whole(model: Any) -> Any:
    """``model`` as one that FSDP has never seen; every process must call it and gets all weights.

    A new model, as FSDP's hooks cannot be taken off. One that was not split is returned as it is.
    """
    from torch.distributed.fsdp import FSDPModule
    from torch.distributed.tensor import DTensor

    if not is_split(model):
        return model
    weights = {
        name: value.full_tensor() if isinstance(value, DTensor) else value
        for name, value in model.state_dict().items()
    }
    plain_class: Any = next(c for c in type(model).__mro__ if not issubclass(c, FSDPModule))
    with torch.device("meta"):
        plain: Any = plain_class(model.config)
    plain.load_state_dict(weights, assign=True)
    plain.tie_weights()
    for name, buffer in model.named_buffers():  # those that are not stored, such as frequencies
        parent, _, own = name.rpartition(".")
        plain.get_submodule(parent)._buffers[own] = buffer
    plain.generation_config = model.generation_config
    return plain
