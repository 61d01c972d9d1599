"""Abbreviations: where a full stop need not end a sentence, and what must follow where it does."""

from __future__ import annotations

import re
from typing import Literal

Outlook = Literal["goes on", "ends", "open"]
"""What is known of a full stop: the sentence goes on, has ended, or more text must be seen."""

# A name or another part of the sentence must follow: not even the end of the text is an end.
_TITLES = (
    "Dr Drs Mr Mrs Ms Mx Messrs Prof Mt Rev Hon Gov Sen Rep Gen Col Maj Capt Lt Sgt Cpl Pvt "
    "Cmdr Adm Supt Insp Asst Pres dr drs mr mrs ms prof DR MR MRS"
)
_BETWEEN = "vs v cf approx viz ca Ph e.g E.g i.e I.e"
LEADING = frozenset([*_TITLES.split(), *_BETWEEN.split()])
"""Abbreviations that stand before something; a sentence that stops there is not finished."""

# May also stand at the end of a sentence. What follows decides; a name after them goes on.
_TRAILING = (
    "St Ft Jr Sr jr sr Inc Ltd Co Corp Bros Univ Assn Assoc dept Dept est Ave Blvd Rd Esq inc ltd "
    "incl esp "
    "Ph.D Ed.D Psy.D Pharm.D B.Sc M.Sc D.Sc B.Ed M.Ed B.Eng M.Eng M.Phil D.Phil LL.B LL.M"
)
# The same, but no name goes with them: a capital after them begins a sentence.
_MONTHS = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
_DAYS = "Mon Tue Tues Wed Thu Thur Thurs Fri"
_UNITS = "ft lb lbs oz hr hrs yr yrs kg cm mm km sq tsp tbsp mins secs wk wks"
_LAST = frozenset([*f"etc al {_MONTHS} {_DAYS} {_UNITS} a.m p.m A.M P.M".split()])

ABBREVIATIONS = LEADING | _LAST | frozenset(_TRAILING.split())
"""Words whose full stop need not end a sentence, whatever stands before them."""

_NUMBERED = (
    "No no Nos nos Nr nr Fig fig Figs figs Eq Ch ch p pp c Vol vol Vols Sec Art art Pt Rm Apt "
    "Ext ext Ver ver Lvl"
)
_BEFORE_NUMBER = frozenset(_NUMBERED.split())
_AFTER_NUMBER = frozenset(["in", "m", "g", "h", "s", "l", "min", "sec", "mi", "gal"])
CONTEXTUAL = _BEFORE_NUMBER | _AFTER_NUMBER
"""Words that are abbreviations beside a number only: "No. 1", "5 in. long"."""

_NOUNS_WITH_LETTERS = (
    "vitamin vitamins grade hepatitis plan type class group section part point option "
    "appendix exhibit team room ward level block figure table size schedule category tier "
    "band letter unit building wing gate zone phase step stage variant column row note key "
    "drug hemophilia influenza streptococcus"
)
_LETTERED = frozenset(_NOUNS_WITH_LETTERS.split())
"""Words that a single letter completes: "vitamin C." may end a sentence, "John F." does not."""

_FIRST_WORDS = (
    "he she they it we you i a an the this that these those there here his her their its my "
    "our your in on at by for from with without after before although though while when "
    "whenever where who why what how if as but and or so yet because since however moreover "
    "furthermore additionally meanwhile then now yes not once every each all some many most "
    "both everyone everybody nobody someone people despite during even still also perhaps "
    "maybe often sometimes always never nevertheless nonetheless to no one another other "
    "others"
)
_STARTERS = frozenset(_FIRST_WORDS.split())
"""Words that begin sentences, and no names."""

_ROMAN = re.compile(r"[IVXLC]{2,}|[VX]")
# The next word and the character behind it; opening quotes and brackets are passed over.
_NEXT_WORD = re.compile(r"\s+[\"'“‘«(\[{*_~`#]*+([^\W_]*+)(.?)", re.DOTALL)
_WORD_BEFORE = re.compile(r"([^\W_]+(?:\.[^\W_]+)*)[*_~`]*\Z")
_NUMBER_BEFORE = re.compile(r"\d[\s-]?\Z")
_PREVIOUS = re.compile(r"([^\W_]+)\s+\Z")
_WINDOW = 40


def is_abbreviation(word: str) -> bool:
    """Whether a full stop right after ``word`` may belong to it, whatever stands before it."""
    return word in ABBREVIATIONS or _is_initials(word)


def leads(text: str, stop: int) -> bool:
    """Whether the full stop at ``stop`` is that of an abbreviation that something must follow."""
    return _word_before(text, stop) in LEADING


def starts_a_sentence(word: str) -> bool:
    """Whether ``word`` is one that begins sentences and no names: "She", "The"."""
    return word.casefold() in _STARTERS


def outlook(text: str, stop: int, end: int) -> Outlook:
    """What the full stop at ``stop`` means; white space or nothing follows at ``end``."""
    word = _word_before(text, stop)
    if word in LEADING:
        return "goes on"
    contextual = word in CONTEXTUAL
    if not contextual and not is_abbreviation(word):
        return "ends"
    before = text[max(0, stop - _WINDOW) : stop].rstrip("*_~`")[: -len(word)]
    if word in _AFTER_NUMBER and not _NUMBER_BEFORE.search(before):
        return "ends"
    match = _NEXT_WORD.match(text, end)
    if match is None or not any(match.groups()):
        return "open"
    following, after = match.groups()
    if word in _BEFORE_NUMBER:
        return _before_number(following, after)
    if not following[:1].isupper():
        return "goes on"
    if contextual or word in _LAST:
        return "ends"
    return _before_name(word, before, following, after)


def _before_number(following: str, after: str) -> Outlook:
    """After "No.": only a number goes on."""
    if following[:1].isdecimal() or _ROMAN.fullmatch(following):
        return "goes on"
    return "ends" if after or following.strip("IVXLC") else "open"


def _before_name(word: str, before: str, following: str, after: str) -> Outlook:
    """After an abbreviation or an initial that names may follow, where a capital does."""
    if _is_starter(following, after):
        return "ends" if after else "open"
    if len(word) == 1 and (found := _PREVIOUS.search(before)):
        lettered = found[1].casefold() in _LETTERED or (word == "I" and found[1].islower())
        if lettered and len(following) > 1:
            return "ends"
        return "open" if lettered and not after else "goes on"
    return "goes on"


def _word_before(text: str, position: int) -> str:
    """The word, inner full stops included, that ends right before ``position``; may be empty."""
    before = text[max(0, position - 20) : position]
    word = before[before.rfind(" ") + 1 :]
    if word.isalnum():
        return word  # as nearly always, and the same
    match = _WORD_BEFORE.search(before)
    return match[1] if match else ""


def _is_initials(word: str) -> bool:
    if len(word) > 1 and "." not in word:
        return False
    parts = word.split(".")
    if not all(len(part) == 1 and part.isalpha() for part in parts):
        return False
    return len(parts) > 1 or word.isupper()


def _is_starter(word: str, after: str) -> bool:
    """Whether ``word``, before ``after``, begins a sentence; one letter may be an initial."""
    if not starts_a_sentence(word):
        return False
    if not after or after.isspace() or after in "'’":
        return True
    return after == "," and len(word) > 1
