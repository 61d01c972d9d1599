"""A listener that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Heard:
    """What was told and said.

    Attributes:
        on_report: Called with done and total besides.
        told: Stage, done, total of each report.
        said: Sentences.
    """

    on_report: Callable[[int, int], object] = lambda done, total: None
    told: list[tuple[str, int, int]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def report(self, stage: str, done: int, total: int) -> None:
        """See ``Listener.report``."""
        self.told.append((stage, done, total))
        self.on_report(done, total)

    def say(self, line: str) -> None:
        """See ``Listener.say``."""
        self.said.append(line)
