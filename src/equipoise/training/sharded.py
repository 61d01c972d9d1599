"""Weights that FSDP has split among processes, made whole again."""

from __future__ import annotations

from typing import Any

from torch import nn


def make_whole(model: Any) -> None:
    """Put whole weights in the place of shards, in place; every process must call it.

    Afterwards the model can be saved, not run: FSDP's hooks still stand where shards were expected.
    A model that was not split stays as it is.
    """
    from torch.distributed.tensor import DTensor

    whole: dict[int, nn.Parameter] = {}  # tied weights stay tied
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if not isinstance(parameter, DTensor):
                continue
            if id(parameter) not in whole:
                full = parameter.full_tensor().detach()
                whole[id(parameter)] = nn.Parameter(full, requires_grad=False)
            module._parameters[name] = whole[id(parameter)]
