"""Prose: one finished sentence, spelt as a writer spells it, whatever it says.

Ctrl-G writes nothing else (``methods/ctrlg/prose_rule.py`` reads the same rule a character at a
time), and the measure ``well_formed`` counts it in the completions of any method.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from equipoise.task.abbreviations import CONTEXTUAL, is_abbreviation
from equipoise.task.sentence import END, first_sentence

LETTER, PLURAL, DIGIT, ACCENT = "a", "s", "0", "m"
"""What `symbol` makes of letters, of the letter s, of digits and of combining marks."""

PAIRS = {'"': '"', "“": "”", "'": "'", "‘": "’", "(": ")", "[": "]", "«": "»"}
"""Quotes and brackets that open, and what closes each."""
APOSTROPHES = "'’"
"""May stand inside a word, and behind one that ends in s: "the nurses' ward"."""
JOINERS = "-‐‑—"
"""Hyphens and the dash, between two letters or digits: "self-led", "bold—and kind"."""
POINTS = ".,:–"
"""Between two digits: "3.5", "3,000", "10:30", "8–15"."""
CURRENCIES = "$€£¥"
PERCENT = "%"
PAUSES = ",;:،؛"
"""After a word, before a space."""
MARKS = END.replace("…", "")
"""One of them ends the sentence."""


class _Symbols(dict[int, str]):
    """Symbols by code point, each worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isdecimal():
            found = DIGIT
        elif character.isalnum():
            found = PLURAL if character in "sS" else LETTER
        else:
            found = ACCENT if unicodedata.category(character)[0] == "M" else character
        self[code] = found
        return found


_SYMBOLS = _Symbols()


def symbol(character: str) -> str:
    """What prose is told by: a letter's, digit's or mark's kind, any other character itself."""
    return _SYMBOLS[ord(character)]


def _any(characters: str) -> str:
    return f"[{re.escape(characters)}]"


_CLOSING = _any("".join(PAIRS.values()))
_WORD = (
    rf"(?P<opening>{_any(''.join(PAIRS))}?)(?:{_any(CURRENCIES)}(?=0))?[as0]"
    rf"(?:[as0m]|{_any(APOSTROPHES + JOINERS)}(?=[as0])|(?<=0){_any(POINTS)}(?=0))*"
    rf"(?:(?<=0){PERCENT}|(?P<apostrophe>(?<=s){_any(APOSTROPHES)})?)"
)
_PIECE = re.compile(
    rf"{_WORD}(?:[!?](?={_CLOSING}))?(?P<pause>{_any(PAUSES)})?(?P<closing>{_CLOSING})?"
    rf"(?(pause)|{_any(PAUSES)}?)"
)
_LAST = re.compile(
    rf"{_WORD}(?P<mark>{_any(MARKS)})?(?P<closing>{_CLOSING})?(?(mark)|{_any(MARKS)})"
)
_STOPPED = re.compile(r"([as]+(?:\.[as]+)*)\.?")


def is_prose(text: str) -> bool:
    """Whether ``text`` is one sentence of prose, and nothing else.

    - It is finished, and one sentence as ``first_sentence`` has it.
    - One space stands between two pieces, and each piece has a word: letters and digits, with
      single hyphens and apostrophes inside it.
    - Commas, colons and semicolons follow a word. A dash stands between two words, without spaces.
    - Quotes and brackets hold whole pieces, are closed, and hold no others.
    - Full stops stand inside numbers, after abbreviations, and at the end.

    So ``count_words(text)`` is ``len(text.split())``.
    """
    sentence = first_sentence(text)
    if not sentence.finished or sentence.text != text:
        return False
    *pieces, last = _symbols(text).split(" ")
    matches = [*map(_PIECE.fullmatch, pieces), _LAST.fullmatch(last)]
    return _are_closed(matches)


def _symbols(text: str) -> str:
    """The symbols of ``text``; an abbreviation with its full stops reads as a word."""
    symbols = text.translate(_SYMBOLS)
    if "." not in symbols[:-1]:
        return symbols
    last = symbols.rfind(" ") + 1

    def word(match: re.Match[str]) -> str:
        spelt = text[match.start() : match.end(1)]
        if not (is_abbreviation(spelt) or spelt in CONTEXTUAL):
            return match[0]
        ends = match.start() >= last and match[0].endswith(".")
        return LETTER * (len(match[0]) - ends) + "." * ends

    return _STOPPED.sub(word, symbols)


def _are_closed(matches: Iterable[re.Match[str] | None]) -> bool:
    """Whether all pieces match, and what opens in them is closed before anything else opens."""
    closer = ""
    for match in matches:
        if match is None or (match["opening"] and closer):
            return False
        closer = PAIRS.get(match["opening"], closer)
        if closer and match["apostrophe"] == closer:
            closer = ""
        if match["closing"]:
            if match["closing"] != closer:
                return False
            closer = ""
    return not closer
