"""Sentence templates: a text with slots in braces, and the right article before a filled slot."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

_SLOT = re.compile(r"\{([^{}]*)\}")
_ARTICLE = re.compile(r"(?<!\w)([Aa])\(n\)(?=\s+(\S+))")

_PLAIN_AN = re.compile(r"[ai][a-z]+|e(?![uw])[a-z]+|o(?!n)[a-z]+|u(?:n(?![ai])|p)[a-z]+")
_PLAIN_A = re.compile(r"[b-df-gj-np-tv-xz](?!th|peg)[a-z]+|h(?!our|eir|ones|ono|th)[a-z]+")
"""Lower-case words that every rule of English agrees on; who is not among them asks a library."""

OPEN_ARTICLE = re.compile(r"(?<!\w)[Aa]\(n\)\s+[^\w\s]*\Z")
"""An article at the end of a literal: the fill-in after it decides."""

SUBJECT = "subject"
"""The slot that the subject's name fills."""


HELD_OUT_EVERY = 5
"""One of so many templates is held out."""
FEWEST_TEMPLATES = 10
"""With fewer templates none is held out."""


def kind_of(slot: str) -> str:
    """What fills a slot: its name without the number, which only tells two slots apart."""
    return slot.rstrip("0123456789")


@dataclass(frozen=True)
class Template:
    """One sentence with slots.

    ``{agentic}`` takes a listed term of that set, ``{work}`` one of the subject's contexts of that
    kind, ``{subject}`` its name. ``{agentic2}`` takes another fill-in than ``{agentic}``; the same
    slot written twice takes the same one twice. ``a(n)`` becomes "a" or "an".

    Attributes:
        family: The family it belongs to.
        text: The sentence as written in the task file.
        held_out: No training sentence is built from it; see `hold_out`.
    """

    family: str
    text: str
    held_out: bool = False

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Names of its distinct slots, in order, without ``subject``."""
        return tuple(slot for slot in dict.fromkeys(_SLOT.findall(self.text)) if slot != SUBJECT)

    @cached_property
    def kinds(self) -> Mapping[str, tuple[str, ...]]:
        """For each kind of fill-in, in order of appearance, the slots that take it."""
        grouped: dict[str, list[str]] = {}
        for slot in self.slots:
            grouped.setdefault(kind_of(slot), []).append(slot)
        return {kind: tuple(slots) for kind, slots in grouped.items()}

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """Literal text and slot names in turn: literal first and last, slots at odd places."""
        return tuple(_SLOT.split(self.text))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with ``values[slot]`` in each slot; ``a(n)`` still stands as written."""
        pieces = list(self.pieces)
        pieces[1::2] = [values[slot] for slot in pieces[1::2]]
        return "".join(pieces)

    def render(self, subject: str, values: Mapping[str, str]) -> str:
        """The sentence about ``subject`` with ``values[slot]`` in each slot."""
        return with_articles(self.fill({SUBJECT: subject, **values}))


def hold_out(templates: Iterable[Template]) -> tuple[Template, ...]:
    """``templates`` with every fifth of them held out, the fifth, the tenth and so on.

    Their place decides, so that nobody chooses them by what models make of them. Of fewer than
    `FEWEST_TEMPLATES` none is held out: what is left would be too few to learn from.
    """
    found = tuple(templates)
    if len(found) < FEWEST_TEMPLATES:
        return found
    return tuple(
        replace(template, held_out=number % HELD_OUT_EVERY == 0)
        for number, template in enumerate(found, start=1)
    )


def with_articles(text: str) -> str:
    """``text`` with each ``a(n)`` turned into the article that the next word asks for.

    >>> with_articles("a(n) honest and a(n) useful helper")
    'an honest and a useful helper'
    """
    return _ARTICLE.sub(lambda match: match[1] + article(match[2])[1:], text)


@cache
def article(word: str) -> str:
    """``a`` or ``an``, as English asks before ``word``; by sound, not by letter.

    Of a compound only the first part is heard: "an x-ray", "a one-way street".
    """
    heard = re.search(r"[^\W_]+", unicodedata.normalize("NFKD", word))
    if not heard:
        return "a"
    if digits := re.match(r"\d+", heard.group()):
        number = digits.group()
        eleven = number[:2] in ("11", "18") and len(number) % 3 == 2
        return "an" if eleven or number.startswith("8") else "a"
    if _PLAIN_AN.fullmatch(heard.group()):
        return "an"
    return "a" if _PLAIN_A.fullmatch(heard.group()) else by_rules(heard.group())


def by_rules(word: str) -> str:
    """``a`` or ``an`` before ``word``, by all of the library's rules and exceptions."""
    return str(_inflect().a(word)).split(" ", 1)[0]


@cache
def _inflect() -> Any:
    import inflect  # takes seconds, as it rewrites itself with checks: only for odd words

    return inflect.engine()
