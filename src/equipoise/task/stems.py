"""Stems in term sets: what is written for them, how they overlap, and what looks like one.

A stem such as ``ambitio*`` stands for every word that starts so. It can be found in a text but not
be written into one, so a set that has stems and a slot in a template says which words it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from equipoise.errors import EquipoiseError
from equipoise.task.lexicon import (
    STAR,
    Hit,
    Lexicon,
    TermMatcher,
    exact,
    is_stem,
    normal_words,
    term_key,
)
from equipoise.task.task import Task

_NO_ENGLISH_END = re.compile(
    r"(?:v|iou|[bcdfgkptz]l|[dlv]g|enc|[^aeiou]tur|[iou]tio|ourag|onom|[ct]ien|fiden|penden)\Z"
)
"""Endings of many stems and of hardly any English word: assertiv-, sensibl-, nurtur-, ambitio-."""


def held_out_matcher(task: Task) -> TermMatcher:
    """Finds the held-out terms of all sets, which training data must not show."""
    return TermMatcher(t for lexicon in task.lexicons.values() for t in lexicon.held_out)


def held_out_in(terms: Iterable[str], task: Task) -> Iterator[tuple[str, str]]:
    """Terms that can read so that a held-out term of any set stands in them, and which that is."""
    held_out = held_out_matcher(task)
    endings: dict[str, str] = {}
    for term in terms:
        yield from ((term, hit.term) for hit in held_out.find(term.removesuffix(STAR)))
        if is_stem(term):
            # Its last word may go on: a held-out term may begin with what ends the stem.
            parts = term_key(term).split(" ")
            for first in range(len(parts)):
                endings.setdefault(" ".join(parts[first:]), term)
    longer = TermMatcher(endings)
    for lexicon in task.lexicons.values():
        for term in lexicon.held_out:
            plain = term.removesuffix(STAR)
            yield from ((endings[h.term], term) for h in longer.find(plain) if _is_all(h, plain))


def check_written(task: Task, lexicon: Lexicon) -> None:
    """Refuse what a set writes where that is missing, not needed, or none of its listed terms.

    Raises:
        EquipoiseError: Names the field ``terms.NAME.write``.
    """
    field = f"terms.{lexicon.name}.write"
    stems = [term for term in lexicon.listed if is_stem(term)]
    if stems and not lexicon.write:
        for template in task.templates:
            if lexicon.name in template.kinds:
                raise EquipoiseError(
                    f"missing: {template.text!r} has a slot for this set, and a stem such as "
                    f"'{stems[0]}' cannot be written into a sentence",
                    field=field,
                    hint="List words that the set's listed terms match, such as "
                    'write = ["ambitious"].',
                )
    if lexicon.write and not stems:
        raise EquipoiseError(
            "no listed term is a stem, so the listed terms are written",
            field=field,
            hint="Drop it.",
        )
    listed, seen = TermMatcher(lexicon.listed), set[str]()
    for word in lexicon.write:
        if not any(_is_all(hit, word) for hit in listed.find(word)):
            raise EquipoiseError(
                f"no listed term matches '{word}'", field=field, hint="Drop it, or list it."
            )
        if term_key(word) in seen:
            raise EquipoiseError(f"'{word}' stands in it twice", field=field, hint="Drop one.")
        seen.add(term_key(word))
    for word, term in held_out_in(lexicon.write, task):
        raise EquipoiseError(
            f"'{word}' holds the held-out term '{term}', which training data must not show",
            field=field,
            hint="Drop one of the two.",
        )


def stem_notes(task: Task) -> Iterator[str]:
    """What is said of terms without a star that look like no word, and of terms found twice.

    No list of words is at hand, so the ending decides, and in an English task alone. It misses
    stems that end as words do ("lead", "compet"), and takes some names and foreign words for stems.
    """
    english = "the" in normal_words(" ".join((task.prefix, *task.prompts.values())))
    for lexicon in task.lexicons.values():
        for term in exact(lexicon.terms("all")):
            if english and _NO_ENGLISH_END.search(term_key(term)):
                yield (
                    f"terms.{lexicon.name}: '{term}' looks like no English word, and only as a "
                    f"whole word is it found; if it is a stem, write '{term}{STAR}' and "
                    'matching = "stems"'
                )
        yield from _found_twice(lexicon)


def _found_twice(lexicon: Lexicon) -> Iterator[str]:
    """Terms that another one of the set finds too."""
    stems = TermMatcher(term for term in lexicon.terms("all") if is_stem(term))
    for term in lexicon.terms("all"):
        plain = term.removesuffix(STAR)
        for hit in stems.find(plain):
            if hit.term != term and _is_all(hit, plain):
                yield (
                    f"terms.{lexicon.name}: what '{term}' finds, '{hit.term}' finds too: such a "
                    "word counts as two terms of the set"
                )


def _is_all(hit: Hit, text: str) -> bool:
    return (hit.start, hit.end) == (0, len(text))
