"""The terms of a constraint, read one character at a time: a rule as those of ``text_rules``."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from equipoise.completions.markup import INVISIBLE, STYLED
from equipoise.methods.ctrlg.text_rules import Symbol
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import STAR, Terms, is_stem, term_key, words
from equipoise.task.sentence import EMPHASIS


class Matching(NamedTuple):
    """State of `TermRule`.

    Attributes:
        inside: In a word.
        joiner: Hyphen or apostrophe just read in it, which belongs to it if a letter follows, or an
            en dash, which no letter follows.
        items: Terms that may be under way: index of the term, and how much of it was read.
        met: Clauses met so far.
    """

    inside: bool
    joiner: str
    items: frozenset[tuple[int, int]]
    met: frozenset[int]


_ELSE = "\0"
"""A letter that stands in no term."""

_JOINERS = {"'": "'", "’": "'", "-": "-", "‐": "-", "‑": "-", "–": "–"}


class TermRule:
    """Terms as whole words: each ``all_of`` entry, one ``any_of`` entry, no ``none_of`` entry."""

    start = Matching(False, "", frozenset(), frozenset())

    def __init__(self, constraint: Constraint, terms: Terms = "listed") -> None:
        clauses: dict[str, set[int]] = {}
        banned: set[str] = set()
        groups: list[tuple[str, ...]] = [(entry,) for entry in constraint.all_of]
        if constraint.any_of:
            groups.append(constraint.any_of)
        for clause, entries in enumerate(groups):
            for entry in entries:
                for term in constraint.entry_terms(entry, terms):
                    clauses.setdefault(term_key(term), set()).add(clause)
        for entry in constraint.none_of:
            for term in constraint.entry_terms(entry, terms):
                banned.add(term_key(term))
        self._goal = frozenset(range(len(groups)))
        keys = [*dict.fromkeys((*clauses, *banned))]
        self.terms = [key.removesuffix(STAR) for key in keys]
        self._stem = [is_stem(key) for key in keys]
        self._clauses = [frozenset(clauses.get(key, ())) for key in keys]
        self._banned = [key in banned for key in keys]
        self._letters = frozenset("".join(self.terms))
        # Without marks of emphasis between them, words may be a phrase that is not to be written.
        self._never = INVISIBLE | frozenset(EMPHASIS if banned else "")

    def symbol(self, character: str) -> Symbol | None:
        """A joiner, ``space``, ``other``, or a letter as it is compared.

        Letters of no term are all one: nothing, or `_ELSE` behind a letter that is in one ("ﬂ").
        """
        if character in self._never:
            return None
        if character in _JOINERS:
            return _JOINERS[character]
        if character.isspace():
            return "space"
        if not _is_stable(character):
            return None
        if not words(character):
            return "other"
        folded = character.casefold()
        kind = "digit" if character.isdecimal() or character == "_" else "letter"
        seen = "".join(letter if letter in self._letters else _ELSE for letter in folded)
        return (kind, "" if seen.startswith(_ELSE) else seen)

    def step(self, state: Matching, symbol: Symbol) -> Matching | None:
        """See `Rule`; a word that completes a banned term is a dead end where it ends."""
        inside, joiner, items, met = state
        if joiner == "–" and isinstance(symbol, tuple):
            if symbol[0] == "letter":
                return None
            ended = self.step(state, "other")
            return ended and self.step(ended, symbol)
        if isinstance(symbol, tuple):
            letters = joiner + (symbol[1] or _ELSE)
            started = items if inside else items | {(term, 0) for term in range(len(self.terms))}
            return Matching(True, "", self._spell(started, letters, met), met)
        if inside and not joiner and symbol in ("'", "-", "–"):
            return Matching(True, str(symbol), items, met)
        if not inside:
            return Matching(False, "", items if symbol == "space" else frozenset(), met)
        # The word is over, before its joiner if it had one.
        for term, read in items:
            if read == len(self.terms[term]):
                if self._banned[term]:
                    return None
                met = met | self._clauses[term]
        awaiting = frozenset[tuple[int, int]]()
        if symbol == "space" and not joiner:
            awaiting = self._advance(items, " ", met)
        return Matching(False, "", awaiting, met)

    def accepts(self, state: Matching) -> bool:
        """See `Rule`: every clause is met."""
        return state.met >= self._goal

    def without_wanted(self, state: Matching) -> Matching:
        """``state`` as if no wanted term were under way; banned ones stay."""
        return state._replace(items=frozenset(i for i in state.items if self._banned[i[0]]))

    def _spell(
        self, items: frozenset[tuple[int, int]], letters: str, met: frozenset[int]
    ) -> frozenset[tuple[int, int]]:
        """`_advance` within a word, where a stem that has been read goes on with any letters."""
        read_on = frozenset(
            (term, len(self.terms[term]))
            for term, read in items
            if self._stem[term]
            and letters.startswith(self.terms[term][read:])
            and self._is_open(term, met)
        )
        return self._advance(items, letters, met) | read_on

    def _advance(
        self, items: frozenset[tuple[int, int]], letters: str, met: frozenset[int]
    ) -> frozenset[tuple[int, int]]:
        """The items that go on with ``letters``, but for terms whose clauses are met."""
        return frozenset(
            (term, read + len(letters))
            for term, read in items
            if self.terms[term].startswith(letters, read) and self._is_open(term, met)
        )

    def _is_open(self, term: int, met: frozenset[int]) -> bool:
        """Whether it matters that ``term`` stands in the text once more."""
        return self._banned[term] or not self._clauses[term] <= met


def _is_stable(character: str) -> bool:
    """Whether nothing changes what ``character`` is compared as."""
    folded = character.casefold()
    return (
        all(unicodedata.normalize("NFC", c) == c for c in (character, folded))
        and not any(unicodedata.category(c)[0] == "M" for c in character + folded)
        and not any("\u1100" <= c <= "\u11ff" or "\ua960" <= c <= "\ua97f" for c in character)
        and not "\ud7b0" <= character <= "\ud7ff"
        and unicodedata.category(character) != "Cs"
        and STYLED.match(character) is None
    )
