"""A task: who is described, with which words, under which constraint, along which axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from equipoise.errors import EquipoiseError, nearest
from equipoise.task.axis import Axis
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from equipoise.task.template import Template

Split = Literal["train", "validation"]


@dataclass(frozen=True)
class Subject:
    """Who or what a sentence describes.

    Attributes:
        name: As it stands in sentences.
        split: ``train`` if training data may describe it, else ``validation``.
        contexts: Fill-ins by kind: the task's common ones, replaced by the subject's own.
    """

    name: str
    split: Split
    contexts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Task:
    """Everything a task file says; see ``task_file.load_task``.

    Attributes:
        name: Its name, fit for a folder.
        description: One or two sentences for people.
        subjects: In the order of the file.
        lexicons: The term sets by name.
        prompts: What the user turn says, by kind; ``neutral`` is always there.
        prefix: How every sentence starts, with ``{subject}``; the model continues it.
        constraint: When a sentence counts as balanced.
        templates: What training sentences are built from, and those held out; may be empty.
        neutral: Words of no set that can stand where a term does, for sentences to be rejected.
        path: The file it was read from.
        axis: What its subjects differ in, if it has one.
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
    axis: Axis | None = None

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

    @property
    def training_templates(self) -> Mapping[int, Template]:
        """The templates that training sentences are built from, by number in ``templates``."""
        return {n: one for n, one in enumerate(self.templates) if not one.held_out}

    @property
    def shares(self) -> Mapping[str, float]:
        """Each subject's share, in percent (0-100), where the axis gives it; see ``Axis``."""
        return self.axis.shares if self.axis else {}

    def with_held_out_terms(self) -> Task | None:
        """The same task built from the held-out terms; None where a set has none to be written.

        Listed and held-out terms change places, in the constraint as well.
        """
        swapped = {
            name: Lexicon(name, lexicon.held_out, lexicon.listed)
            for name, lexicon in self.lexicons.items()
        }
        if not all(lexicon.writable for lexicon in swapped.values()):
            return None
        constraint = replace(self.constraint, lexicons=swapped)
        return replace(self, lexicons=swapped, constraint=constraint)

    def with_held_out_templates(self) -> Task | None:
        """The same task built from the held-out templates; None where none is held out."""
        unseen = tuple(replace(one, held_out=False) for one in self.templates if one.held_out)
        return replace(self, templates=unseen) if unseen else None

    def only_train(self) -> Task:
        """The same task about its train subjects alone, as settings are chosen on.

        What the axis says of other subjects of the task, such as their shares, goes too.
        """
        axis = self.axis
        if axis is not None:
            measured = {subject.name for subject in self.validation}
            shares = {name: share for name, share in axis.shares.items() if name not in measured}
            axis = replace(axis, shares=shares)
        return replace(self, subjects=self.train, axis=axis)

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
