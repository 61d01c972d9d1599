"""Preference pairs: a balanced sentence, and what it must be preferred to.

The chosen sentences are the ones that ``BalancedExampleGenerator`` makes, so those of supervised
fine-tuning: the same terms, templates, subjects and split. A rejected sentence is a balanced one in
which terms were exchanged until the constraint fails, so that nothing but balance tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from equipoise.errors import EquipoiseError
from equipoise.task.constraint import bare, is_set
from equipoise.task.examples import BalancedExampleGenerator, Below, Example, seeded, share
from equipoise.task.lexicon import count_words
from equipoise.task.task import Split, Task

Style = Literal["minimal", "free"]
"""Where a rejected sentence comes from, see `PreferencePairGenerator`."""

NEITHER = "neither"
ANOTHER_STREAM = 2**32
"""Added to the seed of the sentences that free rejected ones are made of; seeds are smaller."""


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two sentences about one subject, of which the first is to be preferred.

    Attributes:
        chosen: The balanced one.
        rejected: The unbalanced one.
        kind: What the rejected one holds: ``agentic only``, ..., or ``neither``.
        exchanged: How many terms were exchanged to make it from a balanced sentence.
        rejected_template: Number of its template in ``task.templates``, from 0.
    """

    chosen: Example
    rejected: str
    kind: str
    exchanged: int
    rejected_template: int

    @property
    def subject(self) -> str:
        """Name of the subject that both describe."""
        return self.chosen.subject


class PreferencePairGenerator:
    """Draws preference pairs, the rejected kinds in stated shares.

    ``minimal``: the rejected sentence is the chosen one with as few terms as possible exchanged for
    ones of another set: one, or two where the template has two of each. Template, other fill-ins
    and number of words are the same. Which kinds that can give depends on the template: of two
    agentic terms and a communal one only "agentic only".
    ``free``: it is another balanced sentence about the subject, of any template and length, in
    which all terms of the other sets, or of all, are exchanged.

    The same task, seed, style and share give the same pairs on every machine, and those of one
    subject do not depend on which others are generated.

    Args:
        task: A task with templates whose constraint wants a term set.
        seed: Any integer from 0 to 2^32 - 1; that of the chosen sentences.
        style: Where a rejected sentence comes from.
        neither: Share (0-1) of rejected sentences with no term at all: ``task.neutral`` words take
            their places. The others are split evenly over the sets.

    Raises:
        EquipoiseError: The task has no templates, neutral words are needed and missing, or the
            share does not go with the style.
    """

    def __init__(
        self, task: Task, seed: int, style: Style = "minimal", neither: float = 0.0
    ) -> None:
        self.task, self.seed, self.style, self.neither = task, seed, style, neither
        self._generator = BalancedExampleGenerator(task, seed)
        self._other = BalancedExampleGenerator(task, seed + ANOTHER_STREAM)
        if style == "minimal" and neither:
            raise EquipoiseError(
                "a pair that differs as little as possible always leaves a term on both sides",
                field="neither",
                hint="Set neither = 0, or pairs = 'free'.",
            )
        sets = [bare(entry) for entry in task.constraint.all_of if is_set(entry)]
        self._sets = sets if len(sets) > 1 and neither < 1 else []
        if not self._sets and not neither:
            raise EquipoiseError(
                f"task '{task.name}' does not want two term sets, so no sentence is one-sided",
                field="neither",
                hint="Set neither = 1 with pairs = 'free'.",
            )
        if neither and not task.neutral:
            raise EquipoiseError(
                f"task '{task.name}' has no neutral words for sentences without any term",
                field="neither",
                hint="Add [neutral] listed = [...] to the task file, or set neither = 0.",
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of rejected sentence: one a wanted set, then ``neither`` where it is asked."""
        one_sided = tuple(f"{name} only" for name in self._sets)
        return (*one_sided, NEITHER) if self.neither else one_sided

    def generate(self, n_per_subject: int, split: Split = "train") -> Iterator[PreferencePair]:
        """``n_per_subject`` pairs for each subject of ``split``, one subject after the other.

        Raises:
            EquipoiseError: A subject has fewer distinct sentences, or one cannot be unbalanced.
        """
        subjects = self.task.train if split == "train" else self.task.validation
        return chain.from_iterable(self._about(s.name, n_per_subject) for s in subjects)

    def _about(self, subject: str, n: int) -> Iterator[PreferencePair]:
        below = seeded(self.seed, f"preference {subject}")
        chosen = list(self._generator.generate_about(subject, n))
        sources = chosen
        if self.style == "free":
            sources = list(self._other.generate_about(subject, n))
        options = [self._options(source, below) for source in sources]
        for example, source, possible, kind in zip(
            chosen, sources, options, self._assign(options, below), strict=True
        ):
            if not kind:
                raise EquipoiseError(
                    f"no exchange of terms makes the sentence {source.text!r} unbalanced and keeps "
                    "its number of words",
                    file=self.task.path,
                    field="templates",
                    hint="Mend its template, or add terms or neutral words of as many words.",
                )
            text, exchanged = possible[kind]
            yield PreferencePair(example, text, kind, exchanged, source.template)

    def _options(self, source: Example, below: Below) -> Mapping[str, tuple[str, int]]:
        """For each kind that ``source`` can give, the sentence and how many terms it exchanges."""
        slots = {kind: self._slots(source, kind) for kind in self.kinds}
        if self.style == "minimal":
            fewest = min(map(len, slots.values()))
            slots = {kind: names for kind, names in slots.items() if len(names) == fewest}
        made = ((kind, self._exchange(source, kind, slots[kind], below)) for kind in slots)
        return {kind: (text, len(slots[kind])) for kind, text in made if text}

    def _slots(self, source: Example, kind: str) -> list[str]:
        """The slots whose terms must go for ``source`` to become of ``kind``."""
        kinds = self.task.templates[source.template].kinds
        go = [name for name in self.task.constraint.wanted if kind != f"{name} only"]
        return [slot for name in go for slot in kinds.get(name, ())]

    def _exchange(
        self, source: Example, kind: str, slots: Sequence[str], below: Below
    ) -> str | None:
        """``source`` with other words in ``slots``, so that it is of ``kind``; None if impossible.

        Each takes the place of one with as many words.
        """
        template, values = self.task.templates[source.template], dict(source.values)
        name = kind.removesuffix(" only")
        fill_ins = self.task.neutral if kind == NEITHER else self.task.lexicons[name].writable
        for slot in slots:
            words, used = count_words(values[slot]), set(values.values())
            free = [f for f in fill_ins if f not in used and count_words(f) == words]
            if not free:
                return None
            values[slot] = free[below(len(free))]
        text = template.render(source.subject, values)
        verdict = self.task.constraint.check(text)
        held_out = self.task.constraint.check(text, terms="held_out").any
        return text if verdict.label == kind and verdict.in_range and not held_out else None

    def _assign(self, options: Sequence[Mapping[str, Any]], below: Below) -> list[str]:
        """A kind for each sentence, as near to the stated shares as the templates allow.

        Sentences with the fewest possible kinds are served first, each with the kind of which most
        is still missing. Empty where none is possible.
        """
        n, kinds = len(options), self.kinds
        n_neither = round(n * self.neither)
        even = share(n - n_neither, [n] * len(self._sets), below) if self._sets else []
        missing = dict(zip(kinds, (*even, n_neither) if self.neither else even, strict=True))
        assigned = [""] * n
        for number in sorted(range(n), key=lambda i: len(options[i])):
            possible = list(options[number])
            if possible:
                most = max(missing[kind] for kind in possible)
                best = [kind for kind in possible if missing[kind] == most]
                assigned[number] = best[below(len(best))]
                missing[assigned[number]] -= 1
        return assigned
