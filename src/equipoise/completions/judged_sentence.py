"""Which sentence of a stranger's text is judged: the first one that describes the subject.

``docs/judged-sentence.md`` says the rule in plain sentences. The text is cleaned of reasoning,
HTML, Markdown and invisible characters; greetings, labels and repeated prompts before the sentence
are passed over; ``equipoise.task.sentence`` says where the sentence ends. What was taken away is
named, so that it can be counted.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from equipoise.completions import markup
from equipoise.completions.preamble import (
    ASIDE,
    INTERJECTION,
    LABEL,
    LINE_MARK,
    PREAMBLE,
    PRONOUN,
    QUOTES,
    REASONS,
    RULE,
    closing_quote,
)
from equipoise.completions.prefix import form_of, form_pattern, prefix_pattern, starts
from equipoise.task.abbreviations import leads, starts_a_sentence
from equipoise.task.sentence import END, LINE_BREAKS, first_sentence

Cut = Literal[
    "reasoning",
    "unended reasoning",
    "preamble",
    "label",
    "quotes",
    "markup",
    "characters",
    "line breaks",
]
"""Kinds of what is taken away before a sentence is judged."""

CUTS: dict[Cut, str] = {
    "reasoning": "reasoning before the answer",
    "unended reasoning": "reasoning that never ends",
    "preamble": "text before the sentence",
    "label": "labels, list marks and headings",
    "quotes": "quotation marks around it",
    "markup": "Markdown, HTML or code",
    "characters": "characters that cannot be seen, or stand for others",
    "line breaks": "line breaks inside it",
}
"""How each kind is called in a sentence."""


class Judged(NamedTuple):
    """The judged sentence of a text.

    Attributes:
        text: The sentence, without anything around it; empty where there is none.
        finished: It came to its end.
        form: Empty where it begins with the prefix, else its form; see ``form_of``.
        cut: What was taken away.
    """

    text: str
    finished: bool
    form: str = ""
    cut: tuple[Cut, ...] = ()


# In a text of other characters alone nothing is taken away once it begins with the prefix.
_SPECIAL = re.compile(r"[^A-Za-z0-9 ,.;:'\"!?()%$/+=@{}^à-öø-ÿ’‘“”…—-]")
_CONTINUATION = re.compile(r"[a-z][^:\"“”‘]*\Z")
_MOST_ROUNDS = 10
_LOOKED_AT = 80
"""Characters at the end of a line that say whether its sentence goes on in the next."""
_WORD = re.compile(r"[^\W_]")
_FILLER = re.compile(r"[\s.…:,_*\"”’»')\]]*\Z")
_CONNECTING = re.compile(
    r"(?:,|\b(?:and|or|but|the|a|an|of|with|to|for|in|on|at|by|from|who|whose|that|which|as|than|"
    r"his|her|their|its|every|each|both|very|so|into|about))\Z",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:sure|certainly|of course|okay|ok|here(?:'|’)?s|here (?:is|are))\b.*?[!:.]"
)
_LINES = re.compile(f"\r\n|[{LINE_BREAKS}]")
_SMALL_LIST = re.compile(r"[a-z][.)]\s")


def judge(text: str, prefix: str, subject: str = "", *, add: bool = False) -> Judged:
    """The sentence of ``text`` that is judged.

    Args:
        text: Whatever a model or a person wrote.
        prefix: How the sentence should begin: "The nurse was".
        subject: Who is described; other forms of the sentence are recognised by it.
        add: Put the prefix before a text that neither begins with it nor is a sentence about the
            subject in another form.
    """
    text = text.strip()
    if _SPECIAL.search(text) is None:
        begins = prefix_pattern(prefix).match(text)
        if begins and text.startswith(prefix):
            return Judged(*first_sentence(text))
        if (
            not begins
            and _CONTINUATION.match(text)
            and _WORD.search(text)
            and not _speaks_of_the_answer(text, subject)
        ):
            return _continued(text, prefix, (), add=add)
    return _judge_slowly(text, prefix, subject, add=add)


def _judge_slowly(text: str, prefix: str, subject: str = "", *, add: bool = False) -> Judged:
    """The same, for any text.

    A sentence that is read back from a file must be judged as it is: the rule is applied to what
    it found until nothing changes, which it does at once but for nested marks.
    """
    found = _judge_once(text, prefix, subject, add=add)
    for _ in range(_MOST_ROUNDS):
        if found.text.startswith(prefix) and _SPECIAL.search(found.text) is None:
            break  # nothing could be taken away
        again = _judge_once(found.text, prefix, subject, add=False)
        if again.text == found.text:
            break
        cut = tuple(dict.fromkeys((*found.cut, *again.cut)))
        found = again._replace(cut=cut)
    return found


def _judge_once(text: str, prefix: str, subject: str, *, add: bool) -> Judged:
    cut: list[Cut] = []
    text = _cleaned(text, cut)
    if not _WORD.search(text):
        return Judged("", False, "", tuple(dict.fromkeys(cut)))
    pattern = prefix_pattern(prefix)
    paragraphs = _paragraphs(text, pattern, cut)
    begins, opening = _beginning(paragraphs, pattern, subject, cut) if paragraphs else ("", "")
    if not begins:
        return Judged("", False, "", tuple(dict.fromkeys(cut)))
    sentence, finished = _sentence(begins, opening, pattern)
    if opening and sentence.startswith(opening):
        cut.remove("quotes")
    kinds = tuple(dict.fromkeys(cut))
    form = form_of(sentence, prefix, subject)
    if form == "…":
        refused = PREAMBLE.match(begins) is not None and begins[0].isupper()
        return _continued(sentence if opening else begins, prefix, kinds, add=add and not refused)
    return Judged(sentence, finished, form, kinds)


def _speaks_of_the_answer(text: str, subject: str) -> bool:
    found = (PREAMBLE, INTERJECTION, LABEL, LINE_MARK, ASIDE)
    if any(pattern.match(text) for pattern in found):
        return True
    return bool(subject) and form_pattern(subject).match(text) is not None


def _continued(text: str, prefix: str, cut: tuple[Cut, ...], *, add: bool) -> Judged:
    """A text without the prefix and not about the subject by name."""
    if add and text:
        text = text.removeprefix("...").removeprefix("…").lstrip()
        text = f"{prefix}{'' if text[:1] in {*',.;:!?'} else ' '}{text}" if text else text
        return Judged(*first_sentence(text), "", cut)
    return Judged(*first_sentence(text), "…" if text else "", cut)


def _cleaned(text: str, cut: list[Cut]) -> str:
    """``text`` without reasoning, HTML, fences and characters nobody sees."""
    found = markup.plain_characters(text)
    _note(cut, "characters", found != text)
    text = found
    if "<" in text or "[" in text or "◁" in text:
        found, unended = markup.without_reasoning(text)
        _note(cut, "unended reasoning" if unended else "reasoning", found.strip() != text.strip())
        text = found
    if "<" in text or "&" in text or "[" in text:
        found = markup.plain_characters(markup.without_html(text))
        _note(cut, "markup", found != text)
        text = found
    found = markup.without_fences(text)
    _note(cut, "markup", found != text)
    return found.strip()


class Paragraph(NamedTuple):
    """A piece of text without line breaks, and whether a mark of a list or heading led it."""

    text: str
    marked: bool


def _paragraphs(text: str, prefix: re.Pattern[str], cut: list[Cut]) -> list[str]:
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
            _note(cut, "line breaks", True)
        else:
            found.append(words)
            _note(cut, "label", marked and len(found) == 1)
        _note(cut, "markup", words != plain.strip() and len(found) == 1 and not marked)
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
        if _SMALL_LIST.match(following):
            return None
        return "" if re.search(r"[^\W\d_][-‐‑]\Z", line) else " "
    if _CONNECTING.search(line) or (line[-1] == "." and leads(line, len(line) - 1)):
        word = re.match(r"[^\W_]+", following)
        return " " if word and not starts_a_sentence(word[0]) else None
    return None


def _beginning(
    paragraphs: list[str], prefix: re.Pattern[str], subject: str, cut: list[Cut]
) -> tuple[str, str]:
    """The text from the judged sentence on, and the quotation mark that opened before it."""
    if (match := prefix.match(paragraphs[0])) and not _is_bare(paragraphs, 0, match):
        return paragraphs[0], ""
    index, text, opening = _body(paragraphs, prefix, subject, cut)
    if prefix.match(text) or not _describes(text, subject):
        rest = [text, *paragraphs[index + 1 :]]
        for pattern in (prefix, form_pattern(subject) if subject else prefix):
            found = _first_start(rest, pattern, prefix, opening)
            if found is not None:
                if found[2]:
                    _note(cut, "preamble", True)
                if found[1]:
                    _note(cut, "quotes", True)
                return found[0], found[1]
    return text, opening


def _describes(text: str, subject: str) -> bool:
    """Whether ``text`` goes on about the subject, so that nothing before a prefix is skipped.

    A continuation begins with a small letter, a description with a pronoun or the subject.
    """
    if text[:1].islower() or PRONOUN.match(text):
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
            _note(cut, "reasoning" if REASONS.match(text) else "preamble", True)
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
    if text[:1].islower() and not starts(prefix, text) and not _GREETING.match(text):
        return text, opening  # "a natural leader" goes on after the prefix, and greets nobody
    while text and not prefix.match(text) and not about.match(text):
        if (match := LABEL.match(text)) and match.end():
            _note(cut, "label", True)
            text, opening = text[match.end() :], ""
        elif match := INTERJECTION.match(text):
            _note(cut, "preamble", True)
            text, opening = text[match.end() :], ""
        elif PREAMBLE.match(text) and (end := _end_of_preamble(text)):
            _note(cut, "preamble", True)
            text, opening = text[end:].lstrip(), ""
        elif text[0] in QUOTES and not opening and text[1:]:
            _note(cut, "quotes", True)
            text, opening = text[1:].lstrip(), text[0]
        else:
            break
    return text, opening


def _end_of_preamble(text: str) -> int:
    """Where a sentence about the answer ends: at its colon, or at its end."""
    sentence = first_sentence(text).text
    colon = re.search(r"[:：](?=\s|[\"“'«]|\Z)", sentence)
    return colon.end() if colon else len(sentence)


def _sentence(text: str, opening: str, prefix: re.Pattern[str]) -> tuple[str, bool]:
    """The first sentence of ``text``, which ends with the quotation that ``opening`` began.

    It does not where a comma shows speech ('"I am bold," she said'), or where a word or two are
    quoted ('"bold" in all she did').
    """
    end = closing_quote(text, opening) if opening else -1
    if end < 0:
        return first_sentence(text)
    inside = text[:end].rstrip()
    after = text[end + 1 :]
    words = inside[-1:] not in END and after[:1] not in END and not prefix.match(inside)
    if inside.endswith(",") or after.startswith(",") or (words and after.strip()):
        return first_sentence(f"{opening}{text}")
    if inside and inside[-1] not in END:
        inside += re.match(rf"[{END}]*", after)[0]  # type: ignore[index]
    return first_sentence(inside)


def _note(cut: list[Cut], kind: Cut, happened: bool) -> None:
    if happened:
        cut.append(kind)
