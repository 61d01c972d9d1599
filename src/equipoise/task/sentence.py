"""Where the first sentence of a text ends: the unit that every method is judged on.

This is the core of the rule, for plain text. ``equipoise.completions.judged_sentence`` finds where
in a stranger's text the sentence begins, and takes Markdown and the like away.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from equipoise.task.abbreviations import Outlook, leads, outlook

END = ".!?…。！？؟।"
"""Marks that end a sentence."""
EMPHASIS = "*_~`"
"""Marks of Markdown that stand around words and sentences."""
CLOSERS = "\"'”’»›)]}）」』" + EMPHASIS
"""Quotes, brackets and emphasis that belong to the sentence whose mark they follow."""
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
END_CHARACTERS = frozenset(END + LINE_BREAKS)
"""Characters one of which ends every sentence that is complete."""

_CLOSING = re.escape(CLOSERS)
# One set of characters is searched for ten times as fast as a pattern that begins with several.
_STOP = re.compile(rf"[{END}{LINE_BREAKS}]")
_MARK = re.compile(rf"(?P<mark>[{END}]++)[{_CLOSING}]*+(?P<over>(?=\s|\Z))?")
_LETTER = re.compile(r"[^\W\d_]")
# What follows on the same line: nothing yet, a line break, or the first character of a word.
_FOLLOWING = re.compile(rf"[^\S{LINE_BREAKS}]*+[{re.escape(EMPHASIS)}]*+(.?)", re.DOTALL)


class Sentence(NamedTuple):
    """A first sentence, stripped, and whether it came to its end (a ``.``, ``!``, ``?``)."""

    text: str
    finished: bool


def first_sentence(text: str) -> Sentence:
    """The first sentence of ``text``: the one rule for all methods and all files.

    It ends at the first ``.``, ``!`` or ``?`` (or run of them, or ellipsis; closing quotes,
    brackets and emphasis right after it belong to it) that whitespace or the end of the text
    follows, or at a line break.

    - A full stop does not end it before any letter has been seen ("1. The nurse"), nor after an
      abbreviation or initial unless what follows says so (``abbreviations.outlook``): "No. 1",
      "John F. Kennedy" go on, "vitamin C. She" does not. No space follows the point of "3.5".
    - An ellipsis does not end it where a small letter follows on the line ("kind... and bold"),
      nor does a ``!`` or ``?`` inside quotes or brackets ('asked "Why?" and left').

    A sentence cut off by the end of the text or by a line break is not finished.
    """
    text = text.strip()
    end, _ = _find_end(text)
    sentence = text[:end].rstrip()
    return Sentence(sentence, _ends_with_mark(sentence))


def sentence_is_complete(text: str) -> bool:
    """Whether no text put after ``text`` can change its first sentence: decoding may stop.

    True once the sentence's last mark is followed by whitespace and, where what follows decides
    (after an abbreviation or an ellipsis), by that; or once a line has ended.
    """
    text = text.lstrip()
    return _find_end(text)[1]


def _find_end(text: str) -> tuple[int, bool]:
    """Where the first sentence ends, and whether text appended to ``text`` cannot change that."""
    letter = _LETTER.search(text)
    if letter is None:
        return len(text), False
    position = letter.end()
    while stop := _STOP.search(text, position):
        match = _MARK.match(text, start := stop.start())
        if match is None:
            return start, True  # a line break
        end, position = match.end(), match.end("mark")  # a run of marks is tried once
        if match["over"] is None:
            continue
        mark = match["mark"]
        if mark == ".":
            found = outlook(text, start, end)
        elif mark.strip(".…") and not text[position:end].strip(EMPHASIS):
            found = "ends"
        else:
            found = _after_pause(text, end)
        if found != "goes on":
            return end, found == "ends" and end < len(text)
    return len(text), False


def _after_pause(text: str, end: int) -> Outlook:
    """What an ellipsis, or a mark inside quotes or brackets, means: a small letter goes on."""
    match = _FOLLOWING.match(text, end)
    following = match[1] if match else ""
    if not following:
        return "open"
    return "goes on" if following.islower() else "ends"


def _ends_with_mark(sentence: str) -> bool:
    """Whether a sentence that nothing follows has come to its end."""
    inside = sentence.rstrip(CLOSERS)
    words = inside.rstrip(END)
    if words == inside or not _LETTER.search(words):
        return False
    return inside[len(words) :] != "." or not leads(sentence, len(words))
