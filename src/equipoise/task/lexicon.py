"""Named sets of terms, and the whole-word matching that everything else counts with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import regex  # type: ignore[import-untyped]

Terms = Literal["listed", "held_out", "all"]
"""Which terms of a lexicon count: those of the training data, those kept out of it, or both."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+(?:['’\-‐‑][\p{L}\p{M}\p{N}_]+)*")
# The same pattern on ASCII text, where the standard library is several times faster.
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+(?:['\-][A-Za-z0-9_]+)*")
_ONE_FORM = str.maketrans({"’": "'", "‐": "-", "‑": "-"})


def words(text: str) -> list[re.Match[str]]:
    """The words of ``text`` in order, as matches with ``start()``, ``end()`` and ``group()``.

    A word is a run of letters, combining marks, digits and underscores; single hyphens and
    apostrophes inside it belong to it: ``self-reliant`` and ``doesn't`` are one word each.
    """
    return list(_WORD.finditer(text))


def count_words(text: str) -> int:
    """How many words ``text`` has for a word range: its whitespace-separated chunks.

    Chunks without any letter or digit, such as a dash between spaces, do not count.
    """
    count = 0
    for chunk in text.split():
        if chunk.isalnum() or any(map(str.isalnum, chunk)):
            count += 1
    return count


def normalise(word: str) -> str:
    """The form in which words are compared: NFC, case-folded, one apostrophe and one hyphen."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFC", word.translate(_ONE_FORM)).casefold()
    return unicodedata.normalize("NFC", folded)


def normal_words(text: str) -> list[str]:
    """The words of ``text`` in the form in which they are compared."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [normalise(word) for word in _WORD.findall(text)]


class Hit(NamedTuple):
    """One occurrence of a term: ``text[start:end]`` reads ``term``, up to case and spelling."""

    term: str
    start: int
    end: int


class TermMatcher:
    """Finds many terms in a text at once, as whole words.

    A term stands where its words equal consecutive words of the text with only whitespace
    between them, whatever the case. "indecisive", "boldness" and "bold-looking" hold no "bold".
    Terms that overlap are all found. The cost grows with the words of the text, not with the terms.

    Args:
        terms: Words or phrases. Of two terms that compare equal, the first is the one reported.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self._single: dict[str, str] = {}
        self._phrases: dict[str, dict[tuple[str, ...], str]] = {}
        for term in terms:
            first, *rest = normal_words(term) or [""]
            if rest:
                self._phrases.setdefault(first, {}).setdefault(tuple(rest), term)
            elif first:
                self._single.setdefault(first, term)

    def find(self, text: str) -> list[Hit]:
        """Every occurrence of every term, by position, the longer first where two start alike."""
        if text.isascii():
            found = [(m.group(), *m.span()) for m in _ASCII_WORD.finditer(text.lower())]
        else:
            found = [(normalise(m.group()), *m.span()) for m in _WORD.finditer(text)]
        hits = []
        for index, (word, start, end) in enumerate(found):
            at_word = []
            if word in self._single:
                at_word.append(Hit(self._single[word], start, end))
            for rest, term in self._phrases.get(word, {}).items():
                following = found[index : index + len(rest) + 1]
                if tuple(f[0] for f in following[1:]) == rest and all(
                    text[left[2] : right[1]].isspace() for left, right in pairwise(following)
                ):
                    at_word.append(Hit(term, start, following[-1][2]))
            hits += sorted(at_word, key=lambda hit: -hit.end) if len(at_word) > 1 else at_word
        return hits

    def terms_in(self, text: str) -> list[str]:
        """The terms of ``find(text)``, one for each occurrence, without their places; faster."""
        found = normal_words(text)
        if self._phrases and not self._phrases.keys().isdisjoint(found):
            return [hit.term for hit in self.find(text)]
        single = self._single
        return [single[word] for word in found if word in single]


@dataclass(frozen=True)
class Lexicon:
    """A named set of terms of one meaning.

    Attributes:
        name: Its name in the task file; a template slot and, in braces, a constraint entry.
        listed: The terms that training data is built from.
        held_out: Further terms of the same meaning that never stand in training data.
    """

    name: str
    listed: tuple[str, ...]
    held_out: tuple[str, ...] = ()

    def terms(self, which: Terms) -> tuple[str, ...]:
        """The terms that ``which`` names, in the order of the task file."""
        if which == "listed":
            return self.listed
        return self.held_out if which == "held_out" else self.listed + self.held_out
