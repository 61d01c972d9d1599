"""Named sets of terms, and the matching by whole words that everything else counts with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import regex  # type: ignore[import-untyped]

Terms = Literal["listed", "held_out", "all", "wide"]
"""Which terms of a lexicon count: those of the training data, those kept out of it, both, or the
many of the wide lexicon, which are none of these."""

STAR = "*"
"""Ends a term that is a stem."""

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


def is_stem(term: str) -> bool:
    """Whether a term stands for every word that starts so: it ends with a star, ``ambitio*``."""
    return term.endswith(STAR)


def term_key(term: str) -> str:
    """The form in which terms are compared; a stem keeps its star."""
    return " ".join(normal_words(term)) + (STAR if is_stem(term) else "")


class Hit(NamedTuple):
    """One occurrence of a term: ``text[start:end]`` reads ``term``, up to case and spelling.

    Of a stem the whole word, or the whole phrase, lies between ``start`` and ``end``.
    """

    term: str
    start: int
    end: int


class TermMatcher:
    """Finds many terms in a text at once, as whole words.

    A term stands where its words equal consecutive words of the text with only whitespace
    between them, whatever the case. "indecisive", "boldness" and "bold-looking" hold no "bold".
    A stem, ``bold*`` or ``team play*``, stands where its last word is the beginning of the text's:
    "boldness" and "bold-looking" hold it, "unbolden" does not.
    Terms that overlap are all found. The cost grows with the words of the text, not with the terms.

    Args:
        terms: Words, phrases and stems. Of two that compare equal, the first is the one reported.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self._single: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._phrases: dict[str, dict[tuple[tuple[str, ...], bool], str]] = {}
        for term in terms:
            first, *rest = normal_words(term) or [""]
            if rest:
                found = self._phrases.setdefault(first, {})
                found.setdefault((tuple(rest), is_stem(term)), term)
            elif first:
                (self._stems if is_stem(term) else self._single).setdefault(first, term)
        self._lengths = sorted({len(stem) for stem in self._stems}, reverse=True)

    def find(self, text: str) -> list[Hit]:
        """Every occurrence of every term, by position, the longer first where two start alike."""
        if text.isascii():
            found = [(m.group(), *m.span()) for m in _ASCII_WORD.finditer(text.lower())]
        else:
            found = [(normalise(m.group()), *m.span()) for m in _WORD.finditer(text)]
        hits = []
        for index, (word, start, end) in enumerate(found):
            at_word = [Hit(term, start, end) for term in self._at(word)]
            for (rest, open_end), term in self._phrases.get(word, {}).items():
                following = found[index : index + len(rest) + 1]
                if _goes_on([f[0] for f in following[1:]], rest, open_end) and all(
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
        if self._stems:
            return [term for word in found for term in self._at(word)]
        return [single[word] for word in found if word in single]

    def _at(self, word: str) -> list[str]:
        """The terms of one word that ``word`` is: itself first, then stems from the longest on."""
        at_word = [self._single[word]] if word in self._single else []
        beginnings = (word[:length] for length in self._lengths if length <= len(word))
        return at_word + [self._stems[stem] for stem in beginnings if stem in self._stems]


def _goes_on(words: Sequence[str], rest: Sequence[str], open_end: bool) -> bool:
    """Whether ``words`` are ``rest``; with an open end the last may be longer."""
    if not open_end:
        return tuple(words) == rest
    *before, last = rest
    return len(words) == len(rest) and [*words[:-1]] == before and words[-1].startswith(last)


@dataclass(frozen=True)
class Lexicon:
    """A named set of terms of one meaning.

    Attributes:
        name: Its name in the task file; a template slot and, in braces, a constraint entry.
        listed: The terms that training data is built from.
        held_out: Further terms of the same meaning that never stand in training data.
        write: Words that templates write in place of the listed terms, where these hold a stem.
        wide: Many more terms of the same meaning, none of them listed, held out or in training
            data; they count what is said when the listed terms are taken away.
    """

    name: str
    listed: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()

    @property
    def writable(self) -> tuple[str, ...]:
        """What fills a slot: ``write``, or else the listed terms that are no stem."""
        return self.write or exact(self.listed)

    def terms(self, which: Terms) -> tuple[str, ...]:
        """The terms that ``which`` names, in the order of the task file."""
        return {
            "listed": self.listed,
            "held_out": self.held_out,
            "all": self.listed + self.held_out,
            "wide": self.wide,
        }[which]


def exact(terms: Iterable[str]) -> tuple[str, ...]:
    """The terms that are no stem."""
    return tuple(term for term in terms if not is_stem(term))
