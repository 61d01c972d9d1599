"""The task file's schema, and how its tables become a ``Task``."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import check_name
from equipoise.files.toml_file import read_toml
from equipoise.settings import Settings, parse
from equipoise.task.constraint import Constraint, phrase_problem
from equipoise.task.lexicon import Lexicon
from equipoise.task.task import Subject, Task
from equipoise.task.task_checks import check_task
from equipoise.task.template import SUBJECT, Template

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


def _slot_text(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


Term = Annotated[str, Field(max_length=100), AfterValidator(_phrase), AfterValidator(_printable)]
FillIn = Annotated[str, Field(max_length=500), AfterValidator(_fill_in)]
SubjectName = Annotated[str, Field(max_length=100), AfterValidator(_subject_name)]
SlotName = Annotated[str, Field(max_length=50), AfterValidator(_slot_name)]
Sentence = Annotated[str, Field(max_length=2_000), AfterValidator(_printable)]
Entry = Annotated[str, Field(max_length=100), AfterValidator(_slot_text)]
Contexts = dict[SlotName, Annotated[tuple[FillIn, ...], Field(min_length=1, strict=False)]]


class TaskTable(Settings):
    """``[task]``."""

    name: str
    description: Annotated[str, Field(max_length=10_000)] = ""
    prefix: Sentence


class TermsTable(Settings):
    """``[terms.NAME]``."""

    listed: tuple[Term, ...] = Field(min_length=1, max_length=MAX_TERMS, strict=False)
    held_out: tuple[Term, ...] = Field((), max_length=MAX_TERMS, strict=False)


class NeutralTable(Settings):
    """``[neutral]``."""

    listed: tuple[Term, ...] = Field(min_length=1, max_length=MAX_TERMS, strict=False)


class ConstraintTable(Settings):
    """``[constraint]``."""

    words: tuple[int, int] = Field(strict=False)
    all_of: tuple[Entry, ...] = Field((), max_length=MAX_SETS, strict=False)
    any_of: tuple[Entry, ...] = Field((), max_length=MAX_SETS, strict=False)
    none_of: tuple[Entry, ...] = Field((), max_length=MAX_SETS, strict=False)


class SubjectTable(Settings):
    """``[subjects.NAME]``."""

    split: Literal["train", "validation"]
    women: float | None = Field(None, ge=0, le=100)
    contexts: Contexts = Field(default={}, max_length=MAX_SETS)


class TaskFile(Settings):
    """A whole task file."""

    task: TaskTable
    prompts: dict[str, Annotated[str, Field(max_length=20_000)]] = Field(max_length=MAX_SETS)
    terms: dict[SlotName, TermsTable] = Field(default={}, max_length=MAX_SETS)
    neutral: NeutralTable | None = None
    constraint: ConstraintTable
    contexts: Contexts = Field(default={}, max_length=MAX_SETS)
    subjects: dict[SubjectName, SubjectTable] = Field(min_length=1, max_length=MAX_TERMS)
    templates: dict[
        str, Annotated[tuple[Sentence, ...], Field(max_length=MAX_TEMPLATES, strict=False)]
    ] = Field(default={}, max_length=MAX_SETS)


def read_task(path: Path) -> Task:
    """The task in a file, after every check that needs no model.

    Raises:
        EquipoiseError: The file cannot be read, or something in it is wrong.
    """
    tables = parse(TaskFile, read_toml(path), file=path)
    check_name(tables.task.name, "task.name", file=path)
    lexicons = {
        name: Lexicon(name, terms.listed, terms.held_out) for name, terms in tables.terms.items()
    }
    subjects = tuple(
        Subject(name, table.split, table.women, {**tables.contexts, **table.contexts})
        for name, table in tables.subjects.items()
    )
    templates = tuple(
        Template(family, text) for family, texts in tables.templates.items() for text in texts
    )
    if len(templates) > MAX_TEMPLATES:
        raise EquipoiseError(
            f"{len(templates)} templates, at most {MAX_TEMPLATES}", file=path, field="templates"
        )
    header, limits = tables.task, tables.constraint
    try:
        constraint = Constraint(
            lexicons, limits.all_of, limits.any_of, limits.none_of, limits.words
        )
        task = Task(
            header.name,
            header.description,
            subjects,
            lexicons,
            tables.prompts,
            header.prefix,
            constraint,
            templates,
            tables.neutral.listed if tables.neutral else (),
            path,
        )
        check_task(task)
    except EquipoiseError as error:
        raise EquipoiseError(error.problem, file=path, field=error.field, hint=error.hint) from None
    return task
