"""A constraint as a request: what it demands, in words that a model or a person can follow.

It is made of the constraint alone, so that whoever is asked knows as much as the checker does.
"""

from __future__ import annotations

from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import STAR, is_stem
from equipoise.task.verdict import Kind

_ONE = {"all_of": "Use the word", "any_of": "Use the word", "none_of": "Do not use the word"}
_SEVERAL = {
    "all_of": "Use at least one of these words:",
    "any_of": "Use at least one of these words:",
    "none_of": "Use none of these words:",
}


def request(constraint: Constraint, text: str | None = None) -> list[str]:
    """What ``constraint`` demands, a sentence a clause, every listed term named.

    Of a stem its beginning is named, ``ambitio-``.

    Args:
        constraint: Whose clauses.
        text: A sentence; then only the clauses that it fails are asked for, and none where it
            satisfies all of them.
    """
    asked = [_sentence(constraint, kind, entries) for kind, entries in constraint.clauses()]
    asked.append(_length(*constraint.words))
    if text is None:
        return asked
    clauses = constraint.explain(text).clauses
    return [one for one, clause in zip(asked, clauses, strict=True) if not clause.passed]


def _sentence(constraint: Constraint, kind: Kind, entries: tuple[str, ...]) -> str:
    terms = [_named(term) for entry in entries for term in constraint.entry_terms(entry)]
    if len(terms) == 1:
        return f'{_ONE[kind]} "{terms[0]}".'
    return f"{_SEVERAL[kind]} {', '.join(terms)}."


def _named(term: str) -> str:
    return f"{term.removesuffix(STAR)}-" if is_stem(term) else term


def _length(fewest: int, most: int) -> str:
    words = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"Write one sentence of {words} words."
