"""Types of the values in a task file: what a term, a fill-in or a subject's name may look like."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from equipoise.task.constraint import phrase_problem
from equipoise.task.template import SUBJECT

MAX_TERMS = 10_000
"""Most terms of one set, most fill-ins of one kind and most subjects."""
MAX_TEMPLATES = 1_000
"""Most templates of a task."""
MAX_SETS = 100
"""Most term sets, kinds of context, prompts and template families."""


def _printable(text: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError(f"{text[:60]!r} holds control characters")
    return text


def _phrase(text: str) -> str:
    if problem := phrase_problem(text):
        raise ValueError(f"{text[:60]!r} {problem}")
    return text


def _fill_in(text: str) -> str:
    """A phrase that keeps its place in a sentence: its words can be counted apart from the rest."""
    chunks = _printable(text).split()
    if text != " ".join(chunks) or not chunks:
        raise ValueError(f"{text[:60]!r} has spaces at an end, or more than one in a row")
    if not all(any(map(str.isalnum, chunk)) for chunk in (chunks[0], chunks[-1])):
        raise ValueError(f"{text[:60]!r} starts or ends with punctuation that stands alone")
    if set("{}") & set(text):
        raise ValueError(f"{text[:60]!r} holds a brace; fill-ins have no slots")
    return text


def _subject_name(text: str) -> str:
    if not _fill_in(text)[0].isalnum() or not any(map(str.isalpha, text)):
        raise ValueError(f"{text[:60]!r} must start with a letter or digit and hold a letter")
    if not all(any(map(str.isalnum, chunk)) for chunk in text.split()):
        raise ValueError(f"{text[:60]!r} holds punctuation that stands alone")
    return text


def _slot_name(text: str) -> str:
    if not text.replace("_", "").isalpha() or text == SUBJECT:
        raise ValueError(
            f"'{text[:60]}' cannot name a slot: use letters and '_', no digit, and not '{SUBJECT}'"
        )
    return text


def _kind(text: str) -> str:
    if not text.replace("_", "").isalpha():
        raise ValueError(f"'{text[:60]}' cannot be a name here: use letters and '_' alone")
    return text


def _label(text: str) -> str:
    if text != " ".join(text.split()) or not re.fullmatch(r"\w[\w ,'’-]*", text):
        raise ValueError(f"{text[:60]!r} is no plain phrase: use letters, digits, spaces, commas")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _begun(text: str) -> str:
    """The beginning of a sentence: a word is to follow after a space."""
    if text != " ".join(text.split()) or not text:
        raise ValueError(f"{text[:60]!r} has spaces at an end, or more than one in a row")
    return text


Term = Annotated[str, Field(max_length=100), AfterValidator(_phrase), AfterValidator(_printable)]
FillIn = Annotated[str, Field(max_length=500), AfterValidator(_fill_in)]
SubjectName = Annotated[str, Field(max_length=100), AfterValidator(_subject_name)]
SlotName = Annotated[str, Field(max_length=50), AfterValidator(_slot_name)]
Kind = Annotated[str, Field(max_length=50), AfterValidator(_kind)]
Sentence = Annotated[str, Field(max_length=2_000), AfterValidator(_printable)]
Beginning = Annotated[
    str, Field(max_length=500), AfterValidator(_printable), AfterValidator(_begun)
]
Entry = Annotated[str, Field(max_length=100), AfterValidator(_not_empty)]
Label = Annotated[str, Field(max_length=60), AfterValidator(_label)]
Contexts = dict[SlotName, Annotated[tuple[FillIn, ...], Field(min_length=1, strict=False)]]
