"""Which sentence of a stranger's text is judged: the first one that describes the subject.

``docs/judged-sentence.md`` says the rule in plain sentences. The text is cleaned of reasoning,
HTML, Markdown and invisible characters; greetings, labels and repeated prompts before the sentence
are passed over; ``equipoise.task.sentence`` says where the sentence ends. What was taken away is
named, so that it can be counted.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from equipoise.completions import markup
from equipoise.completions.beginning import beginning_of
from equipoise.completions.cuts import Cut, note
from equipoise.completions.json_file import unwrapped
from equipoise.completions.paragraphs import paragraphs_of
from equipoise.completions.preamble import (
    ASIDE,
    INTERJECTION,
    LABEL,
    LETTER_MARK,
    LINE_MARK,
    PREAMBLE,
    QUOTES,
    closing_quote,
)
from equipoise.completions.prefix import form_of, form_pattern, prefix_pattern, tail_pattern
from equipoise.completions.prompts import continues
from equipoise.completions.turns import without_tokens, without_turns
from equipoise.task.sentence import END, first_sentence


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
_SPECIAL = re.compile(r"[^A-Za-z0-9 ,.;:'\"!?%$/+=@{}^à-öø-ÿ’‘“”…—-]")
_CONTINUATION = re.compile(r"[a-z][^:\"“”‘]*\Z")
# What stands in a text for the prefix that is not repeated in it.
_GAP = re.compile(r"(?:\.{3}|…|_{2,}[.…]*)\s*")
# What follows a text in a list, in JSON, or in an object that was printed.
_NEXT_FIELD = re.compile(r",\s*(?:[\"']?\w+[\"']?\s*[:=]|[\"'])")
_MOST_ROUNDS = 10
_WORD = re.compile(r"[^\W_]")


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
    text, question = _cleaned(text, cut)
    add = add or (bool(question) and continues(text, question, prefix))
    if not _WORD.search(text):
        return Judged("", False, "", tuple(dict.fromkeys(cut)))
    pattern = prefix_pattern(prefix)
    paragraphs = paragraphs_of(text, pattern, cut)
    begins, opening = beginning_of(paragraphs, pattern, subject, cut) if paragraphs else ("", "")
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
    found = (PREAMBLE, INTERJECTION, LABEL, LINE_MARK, LETTER_MARK, ASIDE)
    if text.startswith(markup.BARE_CHANNELS) or any(pattern.match(text) for pattern in found):
        return True
    return bool(subject) and form_pattern(subject).match(text) is not None


def _continued(text: str, prefix: str, cut: tuple[Cut, ...], *, add: bool) -> Judged:
    """A text without the prefix and not about the subject by name."""
    if add and text:
        gap = _GAP.match(text)
        text = text[gap.end() if gap else 0 :].lstrip()
        if (tail := tail_pattern(prefix).match(text)) is not None:
            text = text[tail.end() :].lstrip()  # the prefix is not put twice
        text = f"{prefix}{'' if text[:1] in {*',.;:!?'} else ' '}{text}" if text else text
        return Judged(*first_sentence(text), "", cut)
    return Judged(*first_sentence(text), "…" if text else "", cut)


def _cleaned(text: str, cut: list[Cut]) -> tuple[str, str]:
    """``text`` without reasoning, HTML, fences and characters nobody sees; and the last question.

    There is a question where a whole conversation stands in ``text``.
    """
    found = markup.plain_characters(text)
    note(cut, "characters", found != text)
    text = found
    if "<" in text or "[" in text or "◁" in text or text.startswith(markup.BARE_CHANNELS):
        found, unended = markup.without_reasoning(text)
        note(cut, "unended reasoning" if unended else "reasoning", found.strip() != text.strip())
        text = found
    found, question = without_turns(text)
    note(cut, "preamble" if question else "label", found != text)
    text = found.strip()
    if "\\" in text:
        found = markup.without_escapes(text)
        note(cut, "markup", found != text)
        text = found
    if not text.isascii() or any(mark in text for mark in "<&[(#"):
        found = markup.plain_characters(markup.without_html(without_tokens(text)))
        note(cut, "markup", found != text)
        text = found
    found = markup.without_fences(text)
    note(cut, "markup", found != text)
    text = found.strip()
    found = unwrapped(text)
    note(cut, "markup", found != text)
    return found.strip(), question


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
    field = _NEXT_FIELD.match(after) and (
        inside[-1:] in END or after[1:].lstrip()[:1] not in QUOTES
    )
    speech = after.startswith(",") and not field
    if inside.endswith(",") or speech or (words and after.strip()):
        return first_sentence(f"{opening}{text}")
    if inside and inside[-1] not in END:
        inside += re.match(rf"[{END}]*", after)[0]  # type: ignore[index]
    return first_sentence(inside)
