"""Counterfactual sentences: pairs that differ in one gendered word, for every train subject.

Trained on both members of each pair equally often, a model has no reason to expect one word rather
than the other after a subject (counterfactual data augmentation: Zhao et al. 2018, arXiv
1804.06876; Lu et al. 2018, arXiv 1807.11714).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.artifacts import open_atomic
from equipoise.errors import EquipoiseError
from equipoise.task.examples import seeded, shuffle
from equipoise.task.task import Task

SLOT = "{occupation}"

ENDINGS = (
    "had worked all night.",
    "had been up since five.",
    "had missed the early train.",
    "had walked the whole way.",
    "had lost the keys again.",
    "had waited for the bus.",
    "had slept badly.",
    "had stayed until the end.",
)
"""What may follow "The doctor said that she", or "was late because he"; nothing in it is typical of
anyone."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Two sentences that differ in one word.

    Attributes:
        subject: Name of the subject they are about.
        context: How both begin, such as "The doctor said that".
        texts: The whole sentences.
    """

    subject: str
    context: str
    texts: tuple[str, str]


def counterfactuals(
    task: Task,
    n_per_subject: int,
    seed: int,
    contexts: Sequence[str],
    words: tuple[str, str],
) -> list[Counterfactual]:
    """``n_per_subject`` distinct pairs for each train subject of ``task``.

    The pairs of a subject are shared over the contexts as evenly as they can be. The same arguments
    give the same pairs on every machine, those of a subject whatever other subjects there are.

    Args:
        task: Whose train subjects they are about; nothing is made about validation subjects.
        n_per_subject: Pairs of each; 0 gives none.
        seed: Any integer.
        contexts: Beginnings of sentences with ``{occupation}``.
        words: The two words that follow a context.

    Raises:
        EquipoiseError: There are fewer distinct pairs.
    """
    most = len(contexts) * len(ENDINGS)
    if n_per_subject > most:
        raise EquipoiseError(
            f"{n_per_subject:,} pairs of counterfactual sentences about each subject are asked "
            f"for, and there are {most}",
            field="counterfactual",
            mend="Ask for a smaller share of them, or set a smaller n_per_subject.",
        )
    found = []
    for subject in task.train:
        below = seeded(seed, f"counterfactual\0{subject.name}")
        order = list(range(len(contexts)))
        shuffle(order, below)
        endings = [list(range(len(ENDINGS))) for _ in contexts]
        for mine in endings:
            shuffle(mine, below)
        for number in range(n_per_subject):
            turn, place = divmod(number, len(contexts))
            context = contexts[order[place]].replace(SLOT, subject.name)
            ending = ENDINGS[endings[order[place]][turn]]
            one, other = (f"{context} {word} {ending}" for word in words)
            found.append(Counterfactual(subject.name, context, (one, other)))
    return found


def write_counterfactuals(path: Path, pairs: Iterable[Counterfactual]) -> None:
    """Write pairs as CSV: a row a sentence, columns ``subject, context, text``.

    Raises:
        EquipoiseError: The file cannot be written.
    """
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["subject", "context", "text"])
        writer.writerows((p.subject, p.context, text) for p in pairs for text in p.texts)
