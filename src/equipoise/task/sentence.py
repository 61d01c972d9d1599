"""Where the first sentence of a text ends: the unit that every method is judged on."""

from __future__ import annotations

import re
from typing import NamedTuple

END = ".!?…。！？؟।"
"""Marks that end a sentence."""
CLOSERS = "\"'”’»)]}"
"""Quotes and brackets that belong to the sentence whose mark they follow."""
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
END_CHARACTERS = frozenset(END + LINE_BREAKS)
"""Characters one of which ends every sentence that is complete."""

_CLOSING = re.escape(CLOSERS)
# A run of terminators is tried at its first character only: linear time on "!!!!!!!!".
_BOUNDARY = re.compile(
    rf"(?<![{END}])(?P<mark>[{END}]++)[{_CLOSING}]*+(?=\s|\Z)|(?P<line>[{LINE_BREAKS}])"
)
_LAST_MARK = re.compile(rf"(?<![{END}])(?P<mark>[{END}]++)[{_CLOSING}]*+\Z")
_LETTER = re.compile(r"[^\W\d_]")
_BEFORE_DOT = re.compile(r"[^\W_]+(?:\.[^\W_]+)*\Z")

# A name or another part of the sentence must follow: not even the end of the text is an end.
_TITLES = (
    "Dr Drs Mr Mrs Ms Mx Messrs Prof St Mt Rev Hon Gov Sen Rep Gen Col Maj Capt Lt Sgt Cpl Pvt"
)
_LEADING = frozenset([*_TITLES.split(), "vs", "cf", "approx", "viz", "e.g", "E.g", "i.e", "I.e"])
# May also stand at the end of a sentence; taken for its end only where the text or line ends.
_TRAILING = "etc al Jr Sr Inc Ltd Co Corp Bros dept Dept est Ave Blvd Ph.D Ed.D"
_MONTHS = "Jan Feb Aug Sept Oct Nov Dec"
_OTHER = frozenset([*_TRAILING.split(), *_MONTHS.split()])
ABBREVIATIONS = _LEADING | _OTHER
"""Words whose full stop need not end a sentence."""


class Sentence(NamedTuple):
    """A first sentence, stripped, and whether it came to its end (a ``.``, ``!``, ``?``)."""

    text: str
    finished: bool


def first_sentence(text: str) -> Sentence:
    """The first sentence of ``text``: the one rule for all methods and all files.

    It ends at the first ``.``, ``!`` or ``?`` (or run of them, or ellipsis; closing quotes and
    brackets right after it belong to it) that whitespace or the end of the text follows, or at a
    line break.
    A full stop does not end it after an abbreviation ("Dr.", "e.g.", "U.S.") or a single initial,
    nor before any letter has been seen ("1. The nurse"); no space follows the point of "3.5".
    A sentence cut off by the end of the text or by a line break is not finished.
    """
    text = text.strip()
    end, _ = _find_end(text)
    sentence = text[:end].rstrip()
    return Sentence(sentence, _ends_with_mark(sentence))


def sentence_is_complete(text: str) -> bool:
    """Whether no text put after ``text`` can change its first sentence: decoding may stop.

    True once the sentence's last mark is followed by whitespace, or a line has ended.
    """
    text = text.lstrip()
    return _find_end(text)[1]


def _find_end(text: str) -> tuple[int, bool]:
    """Where the first sentence ends, and whether text appended to ``text`` cannot change that."""
    letter = _LETTER.search(text)
    if letter is None:
        return len(text), False
    for match in _BOUNDARY.finditer(text, letter.end()):
        start, end = match.span()
        if match["line"]:
            return start, True
        if match["mark"] != "." or not is_abbreviation(_word_before(text, start)):
            return end, end < len(text)
    return len(text), False


def _word_before(text: str, position: int) -> str:
    """The word, inner full stops included, that ends right before ``position``; may be empty."""
    match = _BEFORE_DOT.search(text[max(0, position - 20) : position])
    return match.group() if match else ""


def is_abbreviation(word: str) -> bool:
    """Whether a full stop right after ``word`` belongs to it: an abbreviation or an initial."""
    if word in ABBREVIATIONS:
        return True
    parts = word.split(".")
    if not all(len(part) == 1 and part.isalpha() for part in parts):
        return False
    return len(parts) > 1 or word.isupper()


def _ends_with_mark(sentence: str) -> bool:
    """Whether a sentence that nothing follows has come to its end."""
    letter = _LETTER.search(sentence)
    match = _LAST_MARK.search(sentence, letter.end()) if letter else None
    if match is None:
        return False
    return match["mark"] != "." or _word_before(sentence, match.start()) not in _LEADING
