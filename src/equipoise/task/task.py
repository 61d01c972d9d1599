"""A task: who is described, with which words, under which constraint. Read from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from equipoise.errors import EquipoiseError, nearest
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from equipoise.task.template import Template

Split = Literal["train", "validation"]

_BUILTIN = Path(__file__).parent / "tasks"


@dataclass(frozen=True)
class Subject:
    """Who or what a sentence describes.

    Attributes:
        name: As it stands in sentences.
        split: ``train`` if training data may describe it, else ``validation``.
        women: Share of women in it, in percent (0-100), where the task file gives it.
        contexts: Fill-ins by kind: the task's common ones, replaced by the subject's own.
    """

    name: str
    split: Split
    women: float | None
    contexts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Task:
    """Everything a task file says; see ``load_task``.

    Attributes:
        name: Its name, fit for a folder.
        description: One or two sentences for people.
        subjects: In the order of the file.
        lexicons: The term sets by name.
        prompts: What the user turn says, by kind; ``neutral`` is always there.
        prefix: How every sentence starts, with ``{subject}``; the model continues it.
        constraint: When a sentence counts as balanced.
        templates: What training sentences are built from; may be empty.
        neutral: Words of no set that can stand where a term does, for sentences to be rejected.
        path: The file it was read from.
    """

    name: str
    description: str
    subjects: tuple[Subject, ...]
    lexicons: Mapping[str, Lexicon]
    prompts: Mapping[str, str]
    prefix: str
    constraint: Constraint
    templates: tuple[Template, ...] = ()
    neutral: tuple[str, ...] = ()
    path: Path | None = None

    @cached_property
    def _by_name(self) -> Mapping[str, Subject]:
        return {subject.name: subject for subject in self.subjects}

    @property
    def train(self) -> tuple[Subject, ...]:
        """The subjects that training data describes."""
        return tuple(subject for subject in self.subjects if subject.split == "train")

    @property
    def validation(self) -> tuple[Subject, ...]:
        """The subjects that are only measured."""
        return tuple(subject for subject in self.subjects if subject.split == "validation")

    def with_held_out_terms(self) -> Task | None:
        """The same task built from the held-out terms; None where a set has none.

        Listed and held-out terms change places, in the constraint as well.
        """
        if not all(lexicon.held_out for lexicon in self.lexicons.values()):
            return None
        swapped = {
            name: Lexicon(name, lexicon.held_out, lexicon.listed)
            for name, lexicon in self.lexicons.items()
        }
        constraint = replace(self.constraint, lexicons=swapped)
        return replace(self, lexicons=swapped, constraint=constraint)

    def subject(self, name: str) -> Subject:
        """The subject called ``name``.

        Raises:
            EquipoiseError: There is none.
        """
        if name not in self._by_name:
            raise EquipoiseError(
                f"task '{self.name}' has no subject '{name}'",
                file=self.path,
                hint=nearest(name, self._by_name),
            )
        return self._by_name[name]

    def prompt(self, subject: str, kind: str = "neutral") -> str:
        """What the user turn says about ``subject``.

        Raises:
            EquipoiseError: There is no such subject, or no prompt of that kind.
        """
        if kind not in self.prompts:
            raise EquipoiseError(
                f"task '{self.name}' has no prompt '{kind}'",
                file=self.path,
                field="prompts",
                hint=nearest(kind, self.prompts),
            )
        return self.prompts[kind].replace("{subject}", self.subject(subject).name)

    def response_prefix(self, subject: str) -> str:
        """How every sentence about ``subject`` starts, such as "The doctor was"."""
        return self.prefix.replace("{subject}", self.subject(subject).name)


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
    from equipoise.task.task_file import read_task  # imports this module

    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return read_task(Path(name_or_path))
    if text not in builtin_tasks():
        raise EquipoiseError(
            f"there is no built-in task '{text}'",
            hint=f"{nearest(text, builtin_tasks())} Your own task is named by a path in .toml.",
        )
    return read_task(_BUILTIN / f"{text}.toml")
