"""What is known of a cell of a study beside its completions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CellFacts:
    """A cell: what it was asked for, and what it was given.

    Attributes:
        method: Its label.
        seed: Its seed.
        each: Completions that were asked for of each of the task's subjects.
        told: Scored words that it was given; None where it was not taken down.
        by_construction: Whether its balance is certain; None where it was not taken down.
        untuned: Whether its model is the study's as it was.
    """

    method: str
    seed: int
    each: int
    told: int | None = None
    by_construction: bool | None = None
    untuned: bool = False
