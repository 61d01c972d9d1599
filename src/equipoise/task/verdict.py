"""What a constraint says about one sentence: the verdict, and the explanation of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.task.lexicon import Hit

Kind = Literal["all_of", "any_of", "none_of", "words"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a constraint finds in one sentence.

    Attributes:
        balanced: Every ``all_of``, one ``any_of`` and no ``none_of`` entry is present.
        in_range: The word count is within the range; judged apart from ``balanced``.
        word_count: Words of the sentence, as ``count_words`` counts them.
        present: For each wanted entry (``all_of``, then ``any_of``; sets by their bare name),
            whether it is present.
        hits: For each term set of the task, its distinct terms found, in order of appearance.
        forbidden: The ``none_of`` entries that are present.
    """

    balanced: bool
    in_range: bool
    word_count: int
    present: Mapping[str, bool]
    hits: Mapping[str, tuple[str, ...]]
    forbidden: tuple[str, ...] = ()

    @property
    def satisfied(self) -> bool:
        """Balanced and in range."""
        return self.balanced and self.in_range

    @property
    def any(self) -> bool:
        """Whether at least one wanted entry is present."""
        return True in self.present.values()

    @property
    def neither(self) -> bool:
        """Whether no wanted entry is present."""
        return not self.any

    @property
    def label(self) -> str:
        """``balanced``, ``neither``, ``forbidden``, or what alone is present: ``agentic only``."""
        if self.balanced:
            return "balanced"
        if self.forbidden:
            return "forbidden"
        return (
            "+".join(k for k, v in self.present.items() if v) + " only" if self.any else "neither"
        )


@dataclass(frozen=True)
class Clause:
    """One clause of a constraint, judged on one text.

    Attributes:
        kind: ``all_of``, ``any_of``, ``none_of`` or ``words``.
        passed: Whether the text meets it.
        message: What was asked and what was found, in one line.
        hits: Where the clause's terms stand (character offsets), in order.
    """

    kind: Kind
    passed: bool
    message: str
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why a text satisfies a constraint or does not; ``str()`` gives one line a clause."""

    text: str
    clauses: tuple[Clause, ...]

    @property
    def satisfied(self) -> bool:
        """Whether every clause passed, the word range included."""
        return all(clause.passed for clause in self.clauses)

    def __str__(self) -> str:
        lines = [f"{'ok    ' if c.passed else 'FAILED'} {c.message}" for c in self.clauses]
        return "\n".join([repr(self.text), *lines])
