"""The rules of the text checker, read one character at a time.

Each rule is a deterministic automaton over characters whose states are made as they are met. What
all of them accept, `equipoise.task` finds satisfying; the tests hold the two together. Where the
checker looks at more than an automaton should remember, a rule is stricter than it, never laxer: a
full stop after an abbreviation ("Dr.", "e.g.", "U.S.") is not written, nor are characters that
Unicode normalisation joins with their neighbours, such as combining marks, nor what
`equipoise.completions.markup` would take away so that other words were left: tags, entities, links,
characters nobody sees, and a dash that is read as a hyphen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

from equipoise.completions.markup import INVISIBLE
from equipoise.task.abbreviations import ABBREVIATIONS, CONTEXTUAL, is_abbreviation
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import STAR, Terms, is_stem, term_key, words
from equipoise.task.sentence import CLOSERS, EMPHASIS, END, LINE_BREAKS

State = Hashable
Symbol = Hashable

DONE = "done"
"""State of `SentenceRule` once nothing that follows can change the first sentence."""


class Rule(Protocol):
    """A deterministic automaton over characters; ``None`` in place of a state is a dead end."""

    @property
    def start(self) -> Any:
        """The state before the first character."""

    def symbol(self, character: str) -> Symbol | None:
        """What the rule sees of a character; ``None`` for one that is never written."""

    def step(self, state: Any, symbol: Symbol) -> Any:
        """The state after one more character."""


class Words(NamedTuple):
    """State of `WordRule`.

    Attributes:
        words: Words so far.
        counted: Whether the current chunk is one of them.
        held: ``&`` or ``]`` just read, with which an entity or a link's address may begin.
    """

    words: int = 0
    counted: bool = False
    held: str = ""


class WordRule:
    """Words as ``count_words`` counts them: at most ``most``, or any number from ``fewest`` on."""

    start = Words()

    def __init__(self, fewest: int, most: int | None) -> None:
        self.fewest, self.most = fewest, most

    def symbol(self, character: str) -> Symbol | None:
        """``space``, ``word`` for what makes a chunk a word, marks of HTML and links, ``other``."""
        if character in "<◁":
            return None
        if character.isspace():
            return "space"
        if character in "&](#":
            return character
        return "word" if character.isalnum() else "other"

    def step(self, state: Words, symbol: Symbol) -> Words | None:
        """See `Rule`; a word too many is a dead end."""
        if (state.held == "&" and symbol in ("word", "#")) or (state.held == "]" and symbol == "("):
            return None
        if symbol == "space":
            return Words(state.words, False)
        if symbol == "word" and not state.counted:
            if self.most is None:
                return Words(min(state.words + 1, self.fewest), True)
            return Words(state.words + 1, True) if state.words < self.most else None
        return state._replace(held=str(symbol) if symbol in ("&", "]") else "")


class Run(NamedTuple):
    """State of `SentenceRule` inside a run of letters and digits, or right after one.

    ``spelt`` is what has been read of an abbreviation it may be, "?" for one other capital, and
    ``None`` if it is none. After an inner full stop ("3.5") a run is ``dotted``. Emphasis ends it:
    it is ``over``, but a full stop may still be that of an abbreviation ("**Dr**.").
    """

    spelt: str | None
    dotted: bool = False
    over: bool = False


class SentenceRule:
    """One sentence that comes to its end, as ``first_sentence`` finds it.

    States: ``unseen`` before the first letter, ``gap`` between words, `Run` in a word, and `DONE`.
    After marks: ``dot`` (of a word), ``lone`` (a full stop elsewhere), ``mark``, and ``closed`` and
    ``marked`` with a closing quote or emphasis: white space ends the sentence. ``ellipsis``, and
    ``quoted`` (a quote after anything but a full stop): a line break ends it, and white space would
    leave it to what follows. ``brief``, after "no." and the like: the text may only stop.
    ``inner``: after a full stop that does not end the sentence whatever follows.
    """

    start = "unseen"
    endings = frozenset(["dot", "lone", "mark", "marked", "closed", "ellipsis", "quoted", "brief"])
    """States in which a text may stop."""

    _certain = frozenset(["dot", "lone", "mark", "marked", "closed"])
    _at_line_break = _certain | {"ellipsis", "quoted"}
    _beginnings = frozenset(
        word[:n] for word in ABBREVIATIONS | CONTEXTUAL for n in range(1, len(word) + 1)
    )
    _letters = frozenset("".join(_beginnings))

    def symbol(self, character: str) -> Symbol | None:
        """The kind of character; for letters of abbreviations, the letter itself."""
        if character in LINE_BREAKS:
            return "break"
        if character.isspace():
            return "space"
        if character in END:
            return character if character in ".…" else "end"
        if character in EMPHASIS:
            return "emphasis"
        if character in CLOSERS:
            return "closer"
        if not character.isalnum():
            return "other"
        if character.isdecimal():
            return "digit"
        known = character in self._letters
        return ("letter", character if known else "?" if character.isupper() else "")

    def step(self, state: State, symbol: Symbol) -> State | None:
        """See `Rule`. The end of the text is not a character: see ``endings``."""
        if state == DONE or (state == "unseen" and not isinstance(symbol, tuple)):
            return state
        if isinstance(symbol, tuple) or symbol == "digit":
            return self._run(state, symbol)
        if symbol in ("space", "break"):
            return self._space(state, symbol == "break")
        if symbol in (".", "…", "end"):
            return self._mark(state, symbol)
        if state == "inner" or (state == "brief" and symbol != "other"):
            return None
        if symbol == "other" or state not in self.endings:
            if symbol == "emphasis" and isinstance(state, Run) and self._after(state) != "dot":
                return state._replace(over=True)
            return "gap"
        if state in ("mark", "marked"):
            return "marked" if symbol == "emphasis" else "quoted"
        return "closed" if state in self._certain else "quoted"

    def _space(self, state: State, line_break: bool) -> State | None:
        if state in (self._at_line_break if line_break else self._certain):
            return DONE
        return None if line_break or state in self.endings or state == "inner" else "gap"

    def _mark(self, state: State, symbol: Symbol) -> State:
        if symbol == "end" or state == "mark":
            return "mark"
        if symbol == "…" or state in ("dot", "lone", "inner", "brief", "ellipsis"):
            return "ellipsis"
        return self._after(state) if isinstance(state, Run) else "lone"

    def _run(self, state: State, symbol: Symbol) -> Run:
        letter = symbol[1] if isinstance(symbol, tuple) else ""
        if state in ("dot", "inner", "brief"):
            return Run(None, dotted=True)
        if isinstance(state, Run) and not state.over:
            spelt = None if state.spelt is None else state.spelt + letter
            return Run(spelt if letter and spelt in self._beginnings else None, state.dotted)
        if letter in self._beginnings or letter == "?":
            return Run(letter)
        return Run("?" if letter.isupper() else None)

    def _after(self, run: Run) -> State:
        """What a full stop after ``run`` is: ``dot`` only where it surely ends the sentence."""
        if run.dotted or run.spelt == "?":
            return "inner"
        if run.spelt in CONTEXTUAL:
            return "brief"
        return "dot" if run.spelt is None or not is_abbreviation(run.spelt) else "inner"


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
        self.goal = frozenset(range(len(groups)))
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
    """Whether no neighbour changes what ``character`` is compared as."""
    folded = character.casefold()
    return (
        all(unicodedata.normalize("NFC", c) == c for c in (character, folded))
        and not any(unicodedata.category(c)[0] == "M" for c in character + folded)
        and not any("\u1100" <= c <= "\u11ff" or "\ua960" <= c <= "\ua97f" for c in character)
        and not "\ud7b0" <= character <= "\ud7ff"
        and unicodedata.category(character) != "Cs"
    )
