"""Task files: which there are, their schema, and how their tables become a ``Task``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import check_name
from equipoise.files.toml_file import read_toml
from equipoise.settings import Settings, parse
from equipoise.task.axis_file import AxisTable, make_axis
from equipoise.task.constraint import Constraint
from equipoise.task.fields import (
    MAX_SETS,
    MAX_TEMPLATES,
    MAX_TERMS,
    Contexts,
    Entry,
    Pattern,
    Sentence,
    SlotName,
    SubjectName,
    Term,
)
from equipoise.task.lexicon import Lexicon, is_stem
from equipoise.task.task import Subject, Task
from equipoise.task.task_checks import check_task
from equipoise.task.template import Template, hold_out

_BUILTIN = Path(__file__).parent / "tasks"


class TaskTable(Settings):
    """``[task]``."""

    name: str
    description: Annotated[str, Field(max_length=10_000)] = ""
    prefix: Sentence


class TermsTable(Settings):
    """``[terms.NAME]``."""

    listed: tuple[Pattern, ...] = Field(min_length=1, max_length=MAX_TERMS, strict=False)
    held_out: tuple[Pattern, ...] = Field((), max_length=MAX_TERMS, strict=False)
    matching: Literal["words", "stems"] = "words"
    write: tuple[Term, ...] = Field((), max_length=MAX_TERMS, strict=False)
    wide: tuple[Term, ...] = Field((), max_length=MAX_TERMS, strict=False)


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
    axis: AxisTable | None = None


def builtin_tasks() -> list[str]:
    """Names of the tasks that come with the package."""
    return sorted(path.stem for path in _BUILTIN.glob("*.toml"))


def load_task(name_or_path: str | Path) -> Task:
    """Read and check a task.

    Args:
        name_or_path: The name of a built-in task (``builtin_tasks()``), or a path that ends in
            ``.toml`` or holds a slash.

    Raises:
        EquipoiseError: There is no such task, or its file is wrong; the error names file, field,
            value and hint.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return read_task(Path(name_or_path))
    if text not in builtin_tasks():
        raise EquipoiseError(
            f"there is no built-in task '{text}'",
            hint=f"{nearest(text, builtin_tasks())} Your own task is named by a path in .toml.",
        )
    return read_task(_BUILTIN / f"{text}.toml")


def read_task(path: Path) -> Task:
    """The task in a file, after every check that needs no model.

    Raises:
        EquipoiseError: The file cannot be read, or something in it is wrong.
    """
    raw = read_toml(path)
    _refuse_women(raw, path)
    tables = parse(TaskFile, raw, file=path)
    check_name(tables.task.name, "task.name", file=path)
    lexicons = {name: _lexicon(name, terms, path) for name, terms in tables.terms.items()}
    subjects = tuple(
        Subject(name, table.split, {**tables.contexts, **table.contexts})
        for name, table in tables.subjects.items()
    )
    templates = hold_out(
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
            make_axis(tables.axis, tables.subjects) if tables.axis else None,
        )
        check_task(task)
    except EquipoiseError as error:
        raise EquipoiseError(error.problem, file=path, field=error.field, hint=error.hint) from None
    return task


def _lexicon(name: str, table: TermsTable, path: Path) -> Lexicon:
    """The set of a table whose stems are meant as such."""
    for field, terms in (("listed", table.listed), ("held_out", table.held_out)):
        for term in terms if table.matching == "words" else ():
            if is_stem(term):
                raise EquipoiseError(
                    f"'{term}' looks like no word, and this set matches whole words",
                    file=path,
                    field=f"terms.{name}.{field}",
                    hint=f"Add matching = \"stems\" to [terms.{name}]: '{term}' then matches every "
                    "word that starts so.",
                )
    return Lexicon(name, table.listed, table.held_out, table.write, table.wide)


def _refuse_women(tables: dict[str, Any], path: Path) -> None:
    """Say where the key ``women`` of a subject has gone."""
    subjects = tables.get("subjects")
    for name, table in subjects.items() if isinstance(subjects, dict) else ():
        if isinstance(table, dict) and "women" in table:
            raise EquipoiseError(
                "shares belong to the task's axis now",
                file=path,
                field=f"subjects.{name}.women",
                hint="Give the task an [axis], and write the number below [axis.shares] beside the "
                "subject's name.",
            )
