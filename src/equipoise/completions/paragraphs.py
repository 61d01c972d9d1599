"""A text as paragraphs: hard-wrapped lines are joined, and what leads a line is dropped."""

from __future__ import annotations

import re

from equipoise.completions import markup
from equipoise.completions.cuts import Cut, note
from equipoise.completions.preamble import LETTER_MARK, LINE_MARK, RULE
from equipoise.task.abbreviations import leads, starts_a_sentence
from equipoise.task.sentence import END, LINE_BREAKS

_LOOKED_AT = 80
"""Characters at the end of a line that say whether its sentence goes on in the next."""
_CONNECTING = re.compile(
    r"(?:,|\b(?:and|or|but|the|a|an|of|with|to|for|in|on|at|by|from|who|whose|that|which|as|than|"
    r"his|her|their|its|every|each|both|very|so|into|about))\Z",
    re.IGNORECASE,
)
_LINES = re.compile(f"\r\n|[{LINE_BREAKS}]")


def paragraphs_of(text: str, prefix: re.Pattern[str], cut: list[Cut]) -> list[str]:
    """The paragraphs of ``text``: hard-wrapped lines are joined, what leads a line is dropped."""
    found: list[str] = []
    joinable = False
    for line in _LINES.split(text):
        if prefix.match(line.strip()):
            plain, marked = line.strip(), False
        else:
            plain, marked = _without_marks(line)
        words = markup.without_emphasis(plain).strip()
        if not prefix.match(words):
            again, more = _without_marks(words)
            words, marked = again.strip(), marked or more
        if not words or RULE.match(words):
            joinable = False
            continue
        goes_on = joinable and not marked
        if goes_on and (gap := _wrapped(found[-1][-_LOOKED_AT:], words)) is not None:
            found[-1] += gap + words
            note(cut, "line breaks", True)
        else:
            found.append(words)
            note(cut, "label", marked and len(found) == 1)
        note(cut, "markup", words != plain.strip() and len(found) == 1 and not marked)
        joinable = True
    return found


def _without_marks(line: str) -> tuple[str, bool]:
    marked = False
    while (match := LINE_MARK.match(line)) and match.end() > 0:
        line, marked = line[match.end() :], True
    return line.rstrip("| \t") if marked else line, marked


def _wrapped(line: str, following: str) -> str | None:
    """What joins a line to the one above if one sentence goes on over both; else None."""
    if line[-1] in END and not line.endswith(("...", "…")) and not leads(line, len(line) - 1):
        return None
    if following[0].islower():
        if LETTER_MARK.match(following):
            return None
        return "" if re.search(r"[^\W\d_][-‐‑]\Z", line) else " "
    if _CONNECTING.search(line) or (line[-1] == "." and leads(line, len(line) - 1)):
        word = re.match(r"[^\W_]+", following)
        return " " if word and not starts_a_sentence(word[0]) else None
    return None
