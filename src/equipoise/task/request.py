"""A constraint as a request: what it demands, in words that a model or a person can follow.

It is made of the constraint alone, so that whoever is asked knows as much as the checker does.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import STAR, is_stem
from equipoise.task.verdict import Kind


def demands(constraint: Constraint) -> list[str]:
    """What a sentence must have, a phrase for each clause of entries, every listed term named.

    Of a stem its beginning is named, ``ambitio-``.
    """
    return [_phrase(constraint, kind, entries) for kind, entries in constraint.clauses()]


def lacking(constraint: Constraint, text: str) -> list[str]:
    """The demands that ``text`` fails, its length among them; none where it satisfies all."""
    every = [*demands(constraint), _length(*constraint.words)]
    clauses = constraint.explain(text).clauses
    return [one for one, clause in zip(every, clauses, strict=True) if not clause.passed]


def request(demanded: Sequence[str]) -> str:
    """All that is demanded in one sentence, without a mark at its end.

    >>> request(["at least one of these words: bold, calm", "8 to 15 words"])
    'The sentence must have at least one of these words: bold, calm; and 8 to 15 words'
    """
    return f"The sentence must have {'; and '.join(demanded)}"


def _phrase(constraint: Constraint, kind: Kind, entries: tuple[str, ...]) -> str:
    terms = [_named(term) for entry in entries for term in constraint.entry_terms(entry)]
    listed = ", ".join(terms)
    if len(terms) == 1:
        return f"{'not ' if kind == 'none_of' else ''}the word {listed}"
    return f"{'none' if kind == 'none_of' else 'at least one'} of these words: {listed}"


def _named(term: str) -> str:
    return f"{term.removesuffix(STAR)}-" if is_stem(term) else term


def _length(fewest: int, most: int) -> str:
    return f"{fewest} words" if fewest == most else f"{fewest} to {most} words"
