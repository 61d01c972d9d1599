"""Gendered words and the contexts that they continue: one kind of word, one probe."""

from __future__ import annotations

from dataclasses import dataclass

SLOT = "{occupation}"
"""Stands for a subject's name in a context."""


@dataclass(frozen=True)
class Probe:
    """Pairs of words and the contexts that each of them continues.

    Attributes:
        kind: What the words are, such as ``pronouns`` or ``names``.
        contexts: Beginnings of sentences with ``{occupation}``.
        pairs: Masculine and feminine word, of the same grammar.
    """

    kind: str
    contexts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
