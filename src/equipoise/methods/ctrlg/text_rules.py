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

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

from equipoise.task.abbreviations import ABBREVIATIONS, CONTEXTUAL, is_abbreviation
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

    def step(self, state: Any, symbol: Any) -> Any:
        """The state after one more character."""

    def accepts(self, state: Any) -> bool:
        """Whether a text that ends in ``state`` keeps the rule."""


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

    def accepts(self, state: Words) -> bool:
        """See `Rule`."""
        return state.words >= self.fewest


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

    States: ``unseen`` before the first letter, ``counted`` there behind a digit, ``gap`` between
    words, `Run` in a word, and `DONE`.
    After marks: ``dot`` (of a word), ``lone`` (a full stop elsewhere), ``mark``, and ``closed`` and
    ``marked`` with a closing quote or emphasis: white space ends the sentence. ``ellipsis``, and
    ``quoted`` (a quote after anything but a full stop): a line break ends it, and white space would
    leave it to what follows. ``brief``, after "no." and the like: the text may only stop.
    ``inner``: after a full stop that does not end the sentence whatever follows.
    """

    start = "unseen"
    _endings = frozenset(["dot", "lone", "mark", "marked", "closed", "ellipsis", "quoted", "brief"])
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
        """See `Rule`. The end of the text is not a character: see ``accepts``."""
        if state == DONE:
            return state
        if state in ("unseen", "counted") and not isinstance(symbol, tuple):
            return "counted" if symbol == "digit" else "unseen"
        if isinstance(symbol, tuple) or symbol == "digit":
            return self._run(state, symbol)
        if symbol in ("space", "break"):
            return self._space(state, symbol == "break")
        if symbol in (".", "…", "end"):
            return self._mark(state, symbol)
        if state == "inner" or (state == "brief" and symbol != "other"):
            return None
        if symbol == "other" or state not in self._endings:
            if symbol == "emphasis" and isinstance(state, Run) and self._after(state) != "dot":
                return state._replace(over=True)
            return "gap"
        if state in ("mark", "marked"):
            return "marked" if symbol == "emphasis" else "quoted"
        return "closed" if state in self._certain else "quoted"

    def accepts(self, state: State) -> bool:
        """See `Rule`."""
        return state == DONE or state in self._endings

    def _space(self, state: State, line_break: bool) -> State | None:
        if state in (self._at_line_break if line_break else self._certain):
            return DONE
        return None if line_break or state in self._endings or state == "inner" else "gap"

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
        if state == "counted":  # "9Sr." is no abbreviation
            return Run(None)
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
