"""A constraint given by flags: words with their inflections, and a range of words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from equipoise.cli.options import naming_flags

if TYPE_CHECKING:
    from equipoise.task.constraint import Constraint
    from equipoise.task.lexicon import Lexicon

MOST_WORDS = 100
"""Longer sentences are not asked for: time and memory grow with the words that are counted."""


def constraint_of(
    all_of: str | None, any_of: str | None, none_of: str | None, words: str | None
) -> Constraint:
    """The constraint of the flags ``--all-of``, ``--any-of``, ``--none-of`` and ``--words``.

    ``dog|dogs,park`` are two entries: a term set ``dog`` of two terms, and ``park`` of one.

    Raises:
        EquipoiseError: A flag cannot be read, or a word is given twice; it names the flag.
    """
    from equipoise.task.constraint import Constraint

    lexicons: dict[str, Lexicon] = {}
    entries: dict[str, tuple[str, ...]] = {}
    for kind, listed in (("all_of", all_of), ("any_of", any_of), ("none_of", none_of)):
        with naming_flags():
            found = [] if listed is None else list(_lexicons(listed, kind))
        entries[kind] = tuple(f"{{{lexicon.name}}}" for lexicon in found)
        lexicons.update({lexicon.name: lexicon for lexicon in found})
    with naming_flags(constraint="--all-of, --any-of, --none-of"):
        return Constraint(
            lexicons,
            entries["all_of"],
            entries["any_of"],
            entries["none_of"],
            (1, 1000) if words is None else _range(words),
        )


def _lexicons(listed: str, kind: str) -> Iterator[Lexicon]:
    """The term set of each entry in ``a|b,c``."""
    from equipoise.errors import EquipoiseError
    from equipoise.task.constraint import phrase_problem
    from equipoise.task.lexicon import Lexicon

    for item in listed.split(","):
        terms = tuple(term.strip() for term in item.split("|"))
        for number, term in enumerate(terms):
            if not term:
                problem, hint = f"an item of {listed!r} is empty", "Write such as: dog|dogs,park"
            elif fault := phrase_problem(term):
                problem, hint = f"{term!r} {fault}", "Write a word or phrase."
            elif term in terms[:number]:
                problem, hint = f"{term!r} stands twice in {item.strip()!r}", "Keep one of the two."
            else:
                continue
            raise EquipoiseError(problem, field=kind, hint=hint)
        yield Lexicon(terms[0], terms)


def _range(words: str) -> tuple[int, int]:
    """Fewest and most words in ``8:15``."""
    from equipoise.errors import EquipoiseError

    match = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", words.strip())
    fewest, most = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= fewest <= most <= MOST_WORDS:
        raise EquipoiseError(
            f"{words!r} is no range of words",
            field="words",
            hint=f"Write FEWEST:MOST, such as 8:15, from 1 to {MOST_WORDS}.",
        )
    return fewest, most
