"""What is minimised: an objective says which sequences its examples are made of, and their loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from equipoise.model.prefix_tree import PrefixTree, TokenSequence, target_log_probabilities
from equipoise.training.losses import cross_entropy_sum

ExampleT = TypeVar("ExampleT")


@dataclass(frozen=True)
class MicroBatch(Generic[ExampleT]):
    """Examples computed together.

    Attributes:
        examples: The examples.
        tree: All their sequences, example by example.
    """

    examples: Sequence[ExampleT]
    tree: PrefixTree

    def to(self, device: torch.device | str) -> MicroBatch[ExampleT]:
        """The same with its tensors on ``device``."""
        return replace(self, tree=self.tree.to(device))


class Loss(NamedTuple):
    """The part that a micro-batch has in an update's loss.

    Attributes:
        value: To be added up over micro-batches, and minimised.
        metrics: What to log, by name; added up likewise.
    """

    value: Tensor
    metrics: Mapping[str, float] = {}


@dataclass
class Objective(ABC, Generic[ExampleT]):
    """A loss on examples that consist of token sequences.

    Attributes:
        unit: What an example is called, in the plural.
    """

    unit: ClassVar[str] = "sequences"

    @abstractmethod
    def sequences(self, example: ExampleT) -> tuple[TokenSequence, ...]:
        """The sequences of one example, in the order in which its tree holds them."""

    @abstractmethod
    def counts(self, examples: Sequence[ExampleT]) -> tuple[int, ...]:
        """What sums over ``examples`` must be divided by to be means, such as targets or pairs.

        Counts of parts of an update add up, over devices as well.
        """

    @abstractmethod
    def loss(self, model: Any, batch: MicroBatch[ExampleT], counts: Sequence[float]) -> Loss:
        """The part of ``batch`` in the loss of an update that has ``counts``."""

    def prepare(self, examples: Sequence[Any], model: Any, step: int) -> Sequence[ExampleT]:
        """The examples of update number ``step``, from 0, made from those of the data set."""
        return examples


@dataclass
class NextToken(Objective[TokenSequence]):
    """Cross-entropy of the targets: supervised fine-tuning. The loss is in nats a target token."""

    def sequences(self, example: TokenSequence) -> tuple[TokenSequence, ...]:
        """See ``Objective``: an example is a sequence."""
        return (example,)

    def counts(self, examples: Sequence[TokenSequence]) -> tuple[int, ...]:
        """See ``Objective``: the number of targets."""
        return (sum(len(e.tokens) - e.start for e in examples),)

    def loss(self, model: Any, batch: MicroBatch[TokenSequence], counts: Sequence[float]) -> Loss:
        """See ``Objective``."""
        return Loss(cross_entropy_sum(target_log_probabilities(model, batch.tree)) / counts[0])


@dataclass
class Update:
    """The examples of one update, hidden from libraries that would go through their tokens."""

    examples: Sequence[Any]


@dataclass
class TreeCollator:
    """Packs the examples of one update into prefix trees of ``micro_batch`` examples each.

    Attributes:
        objective: Says what the examples consist of.
        micro_batch: Examples computed at a time. It may be lowered while training runs: the
            result does not depend on it, only memory does.
    """

    objective: Objective[Any]
    micro_batch: int = field(kw_only=True)

    def __call__(self, examples: Sequence[Any]) -> dict[str, Update]:
        """The examples under the key ``update``; a dict, because the Trainer wants a mapping."""
        return {"update": Update(examples)}

    def pack(self, examples: Sequence[Any]) -> list[MicroBatch[Any]]:
        """The examples, in order, in micro-batches."""
        starts = range(0, len(examples), self.micro_batch)
        return [self.batch(examples[i : i + self.micro_batch]) for i in starts]

    def batch(self, examples: Sequence[Any]) -> MicroBatch[Any]:
        """The examples as one micro-batch."""
        sequences = [s for example in examples for s in self.objective.sequences(example)]
        return MicroBatch(examples, PrefixTree.build(sequences))
