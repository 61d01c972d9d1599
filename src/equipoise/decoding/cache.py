"""A key-value cache whose rows stand at different positions, in buffers allocated ahead.

``transformers.DynamicCache`` concatenates the whole cache at every step, and both it and
``StaticCache`` expect all rows at the same position, so a finished row cannot be given to the next
completion. Here each row writes at its own position, and what all rows begin with is held once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer

WORTH_SHARING = 16
"""Tokens that all prompts begin with from which on they are held once, on the CPU."""


@dataclass(frozen=True)
class PromptStates:
    """Keys and values of C prompts, computed once and copied into rows.

    Attributes:
        keys: For each layer [C, H, P, D]: heads H, longest prompt P, head dimension D.
        values: Likewise.
        lengths: [C] tokens of each prompt.
        shared: Tokens that all prompts begin with; 0 where these are too few to be held apart.
    """

    keys: list[Tensor]
    values: list[Tensor]
    lengths: Tensor
    shared: int = 0

    @classmethod
    def cut(cls, cache: DynamicCache, paths: Sequence[Tensor], longest: int) -> PromptStates:
        """Prompts cut out of the cache of a prefix tree.

        Args:
            cache: Filled by one forward pass over the tree, [1, H, T, D] a layer.
            paths: For each prompt, its nodes in the tree, root first.
            longest: P, at least the nodes of the longest path.
        """
        lengths = torch.tensor([len(path) for path in paths], device=paths[0].device)
        nodes = torch.stack([torch.nn.functional.pad(p, (0, longest - len(p))) for p in paths])
        keys = [_at_nodes(layer.keys, nodes) for layer in cache.layers]
        return cls(keys, [_at_nodes(layer.values, nodes) for layer in cache.layers], lengths)

    @classmethod
    def joined(cls, parts: Sequence[PromptStates], order: Tensor, shared: int) -> PromptStates:
        """The prompts of all ``parts``, of one P, in the order of their numbers [C].

        Args:
            parts: Numbered one after the other.
            order: Which prompts; the same one may stand several times.
            shared: Tokens that all of them begin with.
        """
        keys = [torch.cat(layers)[order] for layers in zip(*(p.keys for p in parts), strict=True)]
        values = [
            torch.cat(layers)[order] for layers in zip(*(p.values for p in parts), strict=True)
        ]
        worth = shared if order.device.type == "cpu" and shared >= WORTH_SHARING else 0
        return cls(keys, values, torch.cat([part.lengths for part in parts])[order], worth)


def _at_nodes(states: Any, nodes: Tensor) -> Tensor:
    """[1, H, T, D] states at ``nodes`` [C, P] as [C, H, P, D]."""
    prompts: Tensor = states[0, :, nodes].transpose(0, 1).contiguous()
    return prompts


class RowCache(Cache):  # type: ignore[misc]
    """Keys and values of B rows, each at its own length, in buffers that grow in large steps.

    Attributes:
        shared: Tokens that all rows begin with. Buffers hold what comes after them.
        lengths: [B] tokens each row holds, those included.
        width: Columns of the buffers that attention looks at in the current step.
    """

    def __init__(self, prompts: PromptStates, n_rows: int, room: int = 24) -> None:
        """Allocate B = ``n_rows`` rows with ``room`` for that many tokens after the prompts."""
        super().__init__(layer_class_to_replicate=DynamicLayer)
        self._prompts = prompts
        self._room = room
        self.shared = prompts.shared
        self._capacity = prompts.keys[0].shape[2] - self.shared + room
        self._keys = [_buffer(states, n_rows, self._capacity) for states in prompts.keys]
        self._values = [_buffer(states, n_rows, self._capacity) for states in prompts.values]
        self.lengths = torch.full((n_rows,), self.shared, device=prompts.lengths.device)
        self._rows = torch.arange(n_rows, device=self.lengths.device)
        self.width = 0

    def start(self, rows: Tensor, prompts: Tensor) -> None:
        """Put prompt ``prompts[i]`` into row ``rows[i]``, whatever that row held before."""
        own = self._prompts.keys[0].shape[2] - self.shared
        for buffers, states in (
            (self._keys, self._prompts.keys),
            (self._values, self._prompts.values),
        ):
            for buffer, state in zip(buffers, states, strict=True):
                buffer[rows, :, :own] = state[prompts, :, self.shared :]
        self.lengths[rows] = self._prompts.lengths[prompts]

    def keep(self, rows: Tensor) -> None:
        """Keep only ``rows``, in that order, and free the others."""
        self._keys = [buffer[rows] for buffer in self._keys]
        self._values = [buffer[rows] for buffer in self._values]
        self.lengths = self.lengths[rows]
        self._rows = torch.arange(len(rows), device=rows.device)

    def copy(self, sources: Tensor, targets: Tensor) -> None:
        """Make each of the rows ``targets`` what the row of ``sources`` beside it is."""
        width = int(self.lengths[sources].max()) - self.shared
        for buffer in (*self._keys, *self._values):
            buffer[targets, :, :width] = buffer[sources, :, :width]
        self.lengths[targets] = self.lengths[sources]

    def rest(self, rows: Tensor) -> None:
        """Empty ``rows``, which nobody reads, so that they do not widen the attention."""
        self.lengths[rows] = self.shared

    def begin_step(self) -> tuple[Tensor, Tensor]:
        """Make room for one more token a row; its position [B, 1] and its mask [B, 1, 1, width]."""
        self.width = int(self.lengths.max()) - self.shared + 1
        if self.width > self._capacity:
            self._grow()
        columns = torch.arange(self.shared, self.shared + self.width, device=self.lengths.device)
        visible = columns <= self.lengths[:, None]
        return self.lengths[:, None], visible[:, None, None]

    def _grow(self) -> None:
        """Widen every buffer; one layer at a time, so that only one is held twice."""
        self._capacity += self._room
        for buffers in (self._keys, self._values):
            for index, buffer in enumerate(buffers):
                buffers[index] = torch.nn.functional.pad(buffer, (0, 0, 0, self._room))

    def end_step(self) -> None:
        """Count the token that the model has just put into every row."""
        self.lengths = self.lengths + 1

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Store one token a row, [B, H, 1, D]; its keys and values so far, [B, H, width, D]."""
        keys, values = self._keys[layer_idx], self._values[layer_idx]
        places = self.lengths - self.shared
        keys[self._rows, :, places] = key_states[:, :, 0]
        values[self._rows, :, places] = value_states[:, :, 0]
        return keys[:, :, : self.width], values[:, :, : self.width]

    def shared_states(self, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Keys and values of what all rows begin with, [H, shared, D]."""
        keys, values = self._prompts.keys[layer_idx], self._prompts.values[layer_idx]
        return keys[0, :, : self.shared], values[0, :, : self.shared]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens held by the longest row, the current one left out."""
        return int(self.lengths.max())


def _buffer(states: Tensor, n_rows: int, capacity: int) -> Tensor:
    """Zeros [B, H, capacity, D] like ``states``; zeros because masked values must be finite."""
    return states.new_zeros(n_rows, states.shape[1], capacity, states.shape[3])
