"""Batches as prefix trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.model.prefix_tree import PrefixTree, TokenSequence


@dataclass
class TreeCollator:
    """Packs the examples of one update into prefix trees of ``micro_batch`` sequences each.

    Attributes:
        micro_batch: Sequences computed at a time. It may be lowered while training runs: the
            result does not depend on it, only memory does.
    """

    micro_batch: int

    def __call__(self, examples: Sequence[TokenSequence]) -> dict[str, list[PrefixTree]]:
        """The trees under the key ``trees``; a dict, because the Trainer wants a mapping."""
        return {"trees": self.pack(examples)}

    def pack(self, examples: Sequence[TokenSequence]) -> list[PrefixTree]:
        """The examples, in order, as trees of at most ``micro_batch`` sequences."""
        starts = range(0, len(examples), self.micro_batch)
        return [PrefixTree.build(examples[i : i + self.micro_batch]) for i in starts]
