"""Where the judged sentence begins: behind greetings, labels, preambles and repeated prompts."""

from __future__ import annotations

import re

from equipoise.completions.cuts import Cut, note
from equipoise.completions.preamble import (
    ASIDE,
    FINAL,
    INTERJECTION,
    LABEL,
    LETTER_MARK,
    PREAMBLE,
    PRONOUN,
    QUOTES,
    REASONS,
    closing_quote,
)
from equipoise.completions.prefix import form_pattern, starts
from equipoise.task.sentence import first_sentence

_FILLER = re.compile(r"[\s.…:,_*\"”’»')\]]*\Z")
_GREETING = re.compile(
    r"(?:sure|certainly|of course|okay|ok|here(?:'|’)?s|here (?:is|are))\b.*?[!:.]"
)


def beginning_of(
    paragraphs: list[str], prefix: re.Pattern[str], subject: str, cut: list[Cut]
) -> tuple[str, str]:
    """The text from the judged sentence on, and the quotation mark that opened before it."""
    if (match := prefix.match(paragraphs[0])) and not _is_bare(paragraphs, 0, match):
        return paragraphs[0], ""
    if (concluded := _concluded(paragraphs, prefix)) is not None:
        note(cut, "preamble", True)
        return concluded
    index, text, opening = _body(paragraphs, prefix, subject, cut)
    if prefix.match(text) or not _describes(text, subject):
        rest = [text, *paragraphs[index + 1 :]]
        for pattern in (prefix, form_pattern(subject) if subject else prefix):
            found = _first_start(rest, pattern, prefix, opening)
            if found is not None:
                if found[2]:
                    note(cut, "preamble", True)
                if found[1]:
                    note(cut, "quotes", True)
                return found[0], found[1]
    return text, opening


def _concluded(paragraphs: list[str], prefix: re.Pattern[str]) -> tuple[str, str] | None:
    """What stands behind the last "Final answer:", if that begins with the prefix."""
    text = "\n".join(paragraphs)
    for label in reversed([*FINAL.finditer(text)]):
        rest = text[label.end() :]
        opening = rest[:1] if rest[:1] in QUOTES else ""
        if prefix.match(rest, len(opening)):
            return rest[len(opening) :].partition("\n")[0], opening
    return None


def _describes(text: str, subject: str) -> bool:
    """Whether ``text`` goes on about the subject, so that nothing before a prefix is skipped.

    A continuation begins with a small letter, a description with a pronoun or the subject.
    """
    if (text[:1].islower() and not LETTER_MARK.match(text)) or PRONOUN.match(text):
        return True
    match = form_pattern(subject).match(text) if subject else None
    return match is not None


def _first_start(
    paragraphs: list[str], pattern: re.Pattern[str], prefix: re.Pattern[str], outer: str
) -> tuple[str, str, bool] | None:
    """The text from the first sentence on that begins with ``pattern`` and goes on after it.

    Also the quotation mark before it (``outer``, which is taken away already, before the first),
    and whether anything else stood before it. A prefix that
    stands alone ('Complete "The nurse was"') counts only if nothing better follows: then what comes
    after it is its continuation.
    """
    bare: tuple[str, str, bool] | None = None
    for index, text in enumerate(paragraphs):
        for match in starts(pattern, text):
            if (
                pattern is not prefix
                and not match["determiner"]
                and not match["subject"][0].isupper()
            ):
                continue
            before = text[: match.start()].rstrip("([ ")
            opening = before[-1] if before and before[-1] in QUOTES else ""
            skipped = index > 0 or bool(before.rstrip(opening + " "))
            if not skipped:
                opening = opening or outer
            if pattern is not prefix or not _is_bare(paragraphs, index, match, opening):
                return text[match.start() :], opening, skipped
            if bare is None:
                bare = _after_bare(paragraphs, index, match, opening, skipped)
    return bare


def _is_bare(paragraphs: list[str], index: int, match: re.Match[str], opening: str = "") -> bool:
    """Whether a prefix stands for itself, and more text follows it elsewhere."""
    rest = paragraphs[index][match.end() :]
    if opening and (end := closing_quote(rest, opening)) >= 0 and not rest[:end].strip(" ._…"):
        return True
    return _FILLER.match(rest) is not None and index + 1 < len(paragraphs)


def _after_bare(
    paragraphs: list[str], index: int, match: re.Match[str], opening: str, skipped: bool
) -> tuple[str, str, bool] | None:
    """The bare prefix with what continues it, if that is clear."""
    rest = paragraphs[index][match.end() :]
    if opening:
        rest = rest[closing_quote(rest, opening) + 1 :]
        if skipped and rest.strip(" .:"):
            return None  # 'Complete "The nurse was" in 8 words.'
    words = rest.lstrip(" .…:\"”’'_*")
    if not words and index + 1 < len(paragraphs):
        words = paragraphs[index + 1].lstrip(" .…:\"“'_*")
        if PREAMBLE.match(words) and words[0].isupper():
            return None
    return f"{match[0]} {words}".strip(), "", skipped


def _body(
    paragraphs: list[str], prefix: re.Pattern[str], subject: str, cut: list[Cut]
) -> tuple[int, str, str]:
    """Where the answer seems to begin: paragraph, text, and the quotation mark taken from it.

    What speaks of the answer and is all there is, such as a refusal, stands for it, but not where
    a colon says that something should have followed.
    """
    before = list(cut)
    for index, text in enumerate(paragraphs):
        if ASIDE.match(text) and index + 1 < len(paragraphs):
            note(cut, "reasoning" if REASONS.match(text) else "preamble", True)
            continue
        if index + 1 < len(paragraphs) and (label := LABEL.match(text)) and label[0] == text:
            note(cut, "label", True)  # "assistant", left of a chat whose marks were taken away
            continue
        kept, opening = _without_lead(text, prefix, subject, cut)
        if kept:
            return index, kept, opening
    text = paragraphs[0]
    while (match := INTERJECTION.match(text)) and match.end() < len(text):
        text = text[match.end() :]
    if text.endswith((":", "：")):
        return 0, "", ""
    cut[:] = before if text == paragraphs[0] else [*before, "preamble"]
    return 0, text, ""


def _without_lead(
    text: str, prefix: re.Pattern[str], subject: str, cut: list[Cut]
) -> tuple[str, str]:
    """A paragraph without greeting, label, preamble and quotation mark; often nothing."""
    opening = ""
    about = form_pattern(subject) if subject else prefix
    label = LABEL.match(text)
    speaks = _GREETING.match(text) or (label and label[0].rstrip().endswith((":", "：")))
    if text[:1].islower() and not starts(prefix, text) and not speaks:
        return text, opening  # "a natural leader" goes on after the prefix, and greets nobody
    while text and not prefix.match(text) and not about.match(text):
        if (match := LABEL.match(text)) and match.end():
            note(cut, "label", True)
            text, opening = text[match.end() :], ""
        elif match := INTERJECTION.match(text):
            note(cut, "preamble", True)
            text, opening = text[match.end() :], ""
        elif PREAMBLE.match(text) and (end := _end_of_preamble(text)):
            note(cut, "preamble", True)
            text, opening = text[end:].lstrip(), ""
        elif text[0] in QUOTES and not opening and text[1:]:
            note(cut, "quotes", True)
            text, opening = text[1:].lstrip(), text[0]
        else:
            break
    return text, opening


def _end_of_preamble(text: str) -> int:
    """Where a sentence about the answer ends: at its colon, or at its end."""
    sentence = first_sentence(text).text
    colon = re.search(r"[:：](?=\s|[\"“'«]|\Z)", sentence)
    return colon.end() if colon else len(sentence)
