"""Prose, read one character at a time: a rule as those of ``text_rules``.

``task/prose.py`` says what prose is. The rule is stricter in two points, which keep the automaton
small. The mark that ends the sentence is its last character, and no other full stop is written but
those inside numbers: neither ``"bold."`` nor "Dr. Smith". And it opens straight quotes and round
brackets only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from equipoise.task.prose import (
    ACCENT,
    APOSTROPHES,
    CURRENCIES,
    DIGIT,
    JOINERS,
    LETTER,
    MARKS,
    PAIRS,
    PAUSES,
    PERCENT,
    PLURAL,
    POINTS,
    symbol,
)

Place = Literal[
    "start", "gap", "opened", "joined", "sign", "letter", "plural", "digit", "apostrophe", "quote",
    "percent", "comma", "stop", "paused", "closed", "mark",
]  # fmt: skip


class Prose(NamedTuple):
    """State of `ProseRule`.

    Attributes:
        place: What has just been read. ``gap`` is a space; a letter or digit must follow upon
            ``joined``, a digit upon ``sign``. ``plural`` is the letter s, behind which an
            ``apostrophe`` may end the word. ``quote`` is one that may close a pair. ``comma`` and
            ``stop`` stand behind a digit and may belong to the number.
        closer: What closes the pair that is open, if one is.
    """

    place: Place = "start"
    closer: str = ""


_OPENING = frozenset(["start", "gap"])
_BEFORE_WORD = _OPENING | {"opened", "joined"}
_AFTER: dict[str, Place] = {LETTER: "letter", PLURAL: "plural", DIGIT: "digit", ACCENT: "letter"}
_IN_WORD = frozenset(_AFTER.values())
_AFTER_WORD = _IN_WORD | {"apostrophe", "quote", "percent"}
_MARKS = frozenset(APOSTROPHES + JOINERS + POINTS + CURRENCIES + PERCENT + PAUSES + MARKS)


class ProseRule:
    """One sentence of prose, white space before and after it not counted.

    Args:
        beginnings: Texts that go on: they may open further pairs.
    """

    start = Prose()

    def __init__(self, beginnings: Iterable[str] = ()) -> None:
        self._opening = PAIRS.keys() & {'"', "(", *"".join(beginnings)}
        self._known = _MARKS.union(
            _AFTER, " ", self._opening, (PAIRS[mark] for mark in self._opening)
        )

    def symbol(self, character: str) -> str | None:
        """The symbol of ``task.prose``, a line break for all white space but the space.

        ``None`` is what is never written.
        """
        found = symbol(character)
        if found.isspace() and found != " ":
            return "\n"
        return found if found in self._known else None

    def accepts(self, state: Prose) -> bool:
        """See `Rule`: after the mark that ends the sentence, with all pairs closed."""
        return state.place in ("mark", "stop") and not state.closer

    def step(self, state: Prose, symbol: str) -> Prose | None:
        """See `Rule`."""
        place, closer = state
        if symbol in _AFTER:
            return self._word(state, symbol)
        if symbol.isspace():
            return self._space(state, symbol)
        if place in _IN_WORD and symbol in APOSTROPHES:
            ends: Place = "apostrophe" if place == "plural" else "joined"
            return Prose("quote" if symbol == closer else ends, closer)
        if place in _IN_WORD and symbol in JOINERS:
            return Prose("joined", closer)
        if place == "digit" and symbol in "–%":
            return Prose("sign" if symbol == "–" else "percent", closer)
        if place in _OPENING | {"opened"} and symbol in CURRENCIES:
            return Prose("sign", closer)
        if place in _OPENING and symbol in self._opening:
            return None if closer else Prose("opened", PAIRS[symbol])
        return self._mark(state, symbol)

    def _word(self, state: Prose, symbol: str) -> Prose | None:
        place, closer = state
        if symbol == ACCENT:
            return Prose("letter", closer) if place in _IN_WORD else None
        follows = place in _BEFORE_WORD | _IN_WORD | {"apostrophe", "quote"}
        if follows or (symbol == DIGIT and place in ("sign", "comma", "stop")):
            return Prose(_AFTER[symbol], closer)
        return None

    def _space(self, state: Prose, symbol: str) -> Prose | None:
        place, closer = state
        if place == "start":
            return state
        if self.accepts(state):
            return Prose("mark")
        if symbol == " " and place in _AFTER_WORD | {"comma", "paused", "closed"}:
            return Prose("gap", "" if place == "quote" else closer)
        return None

    def _mark(self, state: Prose, symbol: str) -> Prose | None:
        """A closer, a pause or the mark that ends the sentence, behind a word."""
        place, closer = state
        if place == "quote":
            closer = ""
        if closer and symbol == closer:
            if place in _AFTER_WORD:
                return Prose("closed")
            return Prose("paused") if place in ("comma", "paused") else None
        if place not in _AFTER_WORD | {"closed"}:
            return None
        if symbol in PAUSES:
            return Prose("comma" if place == "digit" and symbol in POINTS else "paused", closer)
        if place == "digit" and symbol == ".":
            return Prose("stop", closer)
        return Prose("mark") if symbol in MARKS and not closer else None
