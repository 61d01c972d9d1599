"""Training examples: sentences that satisfy a task's constraint, drawn without repetition."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeVar

from equipoise.errors import EquipoiseError
from equipoise.task.capacity import distinct_sentences, fill_ins_in_range
from equipoise.task.constraint import Verdict
from equipoise.task.filling import Filling
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Split, Subject, Task

Below = Callable[[int], int]
"""``below(n)``: a random integer from 0 to n - 1."""

T = TypeVar("T")

_PATIENCE = 500


@dataclass(frozen=True, slots=True)
class Example:
    """One training sentence and where it comes from.

    Attributes:
        subject: Name of the subject it describes.
        split: The subject's split.
        family: Family of its template.
        template: Number of its template in ``task.templates``, from 0.
        text: The sentence, response prefix included.
        terms: For each term set, the listed terms in it, in order of appearance.
        values: What fills each slot of the template.
    """

    subject: str
    split: Split
    family: str
    template: int
    text: str
    terms: Mapping[str, tuple[str, ...]]
    values: Mapping[str, str] = field(default_factory=dict)


class BalancedExampleGenerator:
    """Draws distinct sentences that satisfy the task's constraint from its training templates.

    Everything that learns from sentences gets them here, and none is of a held-out template.
    The sentences of a subject are shared over the templates as evenly as their numbers of
    sentences allow; within a template every choice of listed terms is equally likely, so the terms
    are uniform within sampling error. Each sentence is checked by the constraint before it is
    given out, and holds no held-out term. The same task and seed give the same sentences on every
    machine, and those of one subject do not depend on which others are generated.

    Args:
        task: A task with templates.
        seed: Any integer.

    Raises:
        EquipoiseError: The task has no templates.
    """

    def __init__(self, task: Task, seed: int) -> None:
        if not task.templates:
            raise EquipoiseError(
                f"task '{task.name}' has no templates, so there are no training examples",
                file=task.path,
                field="templates",
                hint="Add templates, or use methods that need no training data.",
            )
        self.task = task
        self.seed = seed

    def generate(self, n_per_subject: int, split: Split = "train") -> Iterator[Example]:
        """``n_per_subject`` examples for each subject of ``split``, one subject after the other.

        The subjects come in the order of the task; within a subject the templates are mixed. The
        request is checked at once; the sentences are made one by one as they are asked for.

        Raises:
            EquipoiseError: A subject has fewer distinct sentences; the error says how many.
        """
        subjects = self.task.train if split == "train" else self.task.validation
        streams = [self.generate_about(subject.name, n_per_subject) for subject in subjects]
        return chain.from_iterable(streams)

    def generate_about(self, subject: str, n: int) -> Iterator[Example]:
        """``n`` examples about one subject: those that ``generate(n)`` gives for it.

        Raises:
            EquipoiseError: There is no such subject, or it has fewer distinct sentences.
        """
        about = self.task.subject(subject)
        if n < 1:
            raise EquipoiseError(f"{n} examples a subject", hint="Ask for at least one.")
        # Far below the number of fill-ins, no failing or repeated sentence can matter.
        if 2 * n > fill_ins_in_range(self.task, about) and n > (most := self.capacity(subject)):
            raise _too_few(self.task, about, n, most)
        return self._examples(about, n)

    def capacity(self, subject: str) -> int:
        """How many distinct sentences about ``subject`` the task can yield, exactly.

        Raises:
            EquipoiseError: There is no such subject.
        """
        return distinct_sentences(self.task, self.task.subject(subject), self._is_valid)

    @cached_property
    def _held_out(self) -> TermMatcher:
        return TermMatcher(t for lexicon in self.task.lexicons.values() for t in lexicon.held_out)

    def _judge(self, text: str) -> Verdict | None:
        verdict = self.task.constraint.check(text)
        return verdict if verdict.satisfied and not self._held_out.terms_in(text) else None

    def _is_valid(self, text: str) -> bool:
        return self._judge(text) is not None

    def _examples(self, subject: Subject, n: int) -> Iterator[Example]:
        task, below = self.task, seeded(self.seed, subject.name)
        numbers, templates = zip(*task.training_templates.items(), strict=True)
        fillings = [Filling(task, template, subject) for template in templates]
        quotas = share(n, [filling.in_range for filling in fillings], below)
        turns = [number for number, quota in enumerate(quotas) for _ in range(quota)]
        shuffle(turns, below)
        emitted: set[str] = set()
        sources = [
            self._sentences(filling, quota, emitted, below)
            for filling, quota in zip(fillings, quotas, strict=True)
        ]
        for turn, (text, terms, chosen) in in_turn(turns, sources, below):
            number, family = numbers[turn], templates[turn].family
            values = fillings[turn].values(chosen)
            yield Example(subject.name, subject.split, family, number, text, terms, values)
        if len(emitted) < n:
            raise _too_few(task, subject, n, len(emitted))

    def _sentences(
        self, filling: Filling, quota: int, emitted: set[str], below: Below
    ) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]], list[int]]]:
        """The valid sentences of one template that are not in ``emitted``, in random order.

        Each with its terms and the numbers of its fill-ins.

        Adds each to ``emitted``, which all templates of a subject share. Far from the template's
        limit, drawing again after a repetition is fastest; near it, going through all in random
        order.
        """
        misses = 0
        while 2 * quota <= filling.in_range and misses < _PATIENCE:
            chosen = filling.draw(below)
            text = filling.render(chosen) if chosen else ""
            if chosen and text not in emitted and (verdict := self._judge(text)):
                emitted.add(text)
                misses = 0
                yield text, verdict.hits, chosen
            else:
                misses += 1
        rest = list(filling.valid())
        shuffle(rest, below)
        for index in rest:
            text = filling.render(chosen := filling.choose(index))
            if text not in emitted and (verdict := self._judge(text)):
                emitted.add(text)
                yield text, verdict.hits, chosen


def _too_few(task: Task, subject: Subject, asked: int, capacity: int) -> EquipoiseError:
    return EquipoiseError(
        f"task '{task.name}' yields {capacity:,} distinct sentences about '{subject.name}', "
        f"{asked:,} are asked for",
        file=task.path,
        field="templates",
        hint=f"Ask for at most {capacity:,} a subject, or add templates, contexts or terms.",
    )


def seeded(seed: int, name: str) -> Below:
    """A source of random integers that depends on ``seed`` and ``name`` alone.

    Only ``random()`` of the standard generator is used: its sequence is the same in every Python.
    """
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    draw = random.Random(int.from_bytes(digest)).random  # noqa: S311 - data, not secrets
    return lambda n: int(draw() * n)


def shuffle(items: list[int], below: Below) -> None:
    """Put ``items`` into random order, in place (Fisher-Yates)."""
    for last in range(len(items) - 1, 0, -1):
        other = below(last + 1)
        items[last], items[other] = items[other], items[last]


def share(n: int, capacities: Sequence[int], below: Below) -> list[int]:
    """``n`` split as evenly as ``capacities`` allow; who gets one of the remainder is random.

    The sum is smaller than ``n`` only where all capacities together are.
    """
    shares = [0] * len(capacities)
    while n and (open_ := [i for i, c in enumerate(capacities) if shares[i] < c]):
        if n < len(open_):
            shuffle(open_, below)
        each = max(1, n // len(open_))
        for i in open_[: n // each]:
            more = min(each, capacities[i] - shares[i])
            shares[i] += more
            n -= more
    return shares


def in_turn(
    turns: Iterable[int], sources: Sequence[Iterator[T]], below: Below
) -> Iterator[tuple[int, T]]:
    """The next item of ``sources[i]`` for each ``i`` in ``turns``, with its ``i``.

    What a source that has run out still owes comes from the others, chosen at random.
    """
    owed = 0
    for number in turns:
        item = next(sources[number], None)
        if item is None:
            owed += 1
        else:
            yield number, item
    live = list(range(len(sources)))
    while owed and live:
        place = below(len(live))
        item = next(sources[live[place]], None)
        if item is None:
            live.pop(place)
        else:
            owed -= 1
            yield live[place], item
