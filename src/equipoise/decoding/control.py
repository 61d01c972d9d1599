"""What may change the distribution of the next token while completions are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Control(Protocol):
    """Follows the rows of a batch and adjusts their logits; rows are reused and dropped."""

    def allocate(self, n_rows: int) -> None:
        """A new batch of ``n_rows`` rows begins; none of them is started yet."""

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """Row ``rows[i]`` begins a completion of prompt number ``prompts[i]``."""

    def adjust(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Adjusted logits [R, N] of ``rows`` from ``logits`` [R, V], and the N tokens they are of.

        All other tokens are excluded. What rows that have ended get does not matter.
        """

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """``tokens[i]`` was drawn in ``rows[i]``."""

    def keep(self, rows: Sequence[int]) -> None:
        """Only ``rows`` are left, in that order."""


class Twist(Control, Protocol):
    """A `Control` that adds to the model's logits how promising each token makes the text.

    Sequential Monte Carlo steers by that and corrects for it, so it may be any guess.
    """

    @property
    def hopes(self) -> Tensor:
        """[B] logarithm of how promising the text of each row is; 0 once it is accepted."""

    def copy(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Row ``targets[i]`` becomes what row ``sources[i]`` is; no row is both."""
