"""A cell: the unit of work of a study, and of what its folder holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One method with one seed.

    Attributes:
        label: The method's label in the study file.
        seed: Its seed.
    """

    label: str
    seed: int

    def __str__(self) -> str:
        return f"{self.label}, seed {self.seed}"
