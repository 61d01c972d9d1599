"""Counterfactual contexts: beginnings of sentences that either word of a pair may continue.

Trained on both words of each pair equally often, a model has no reason to expect one rather than
the other after a subject (counterfactual data augmentation: Zhao et al. 2018, arXiv 1804.06876; Lu
et al. 2018, arXiv 1807.11714). There both sentences of a pair stand somewhere in the training data;
here the two words continue one context in one update, so that their sum is learnt and no word is
ever learnt without its counterpart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.files.artifacts import open_atomic
from equipoise.task.axis import SUBJECT_SLOT, Probe
from equipoise.task.examples import seeded, shuffle

COLUMNS = ("subject", "kind", "context", "word", "counterpart")


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A context about a subject, and what may continue it.

    Attributes:
        subject: Name of the subject it is about.
        kind: Of words, such as ``pronouns``.
        context: How the sentence begins, such as "The doctor said that".
        pairs: Words that continue it, each with its counterpart.
    """

    subject: str
    kind: str
    context: str
    pairs: tuple[tuple[str, str], ...]


def counterfactuals(
    subjects: Sequence[str], probes: Sequence[Probe], n: int, seed: int
) -> list[Counterfactual]:
    """``n`` contexts, every combination of subject and context once before any comes again.

    The same arguments give the same contexts in the same order on every machine.

    Args:
        subjects: Whom they are about.
        probes: Contexts with ``{subject}``, and the pairs that continue them.
        n: How many; 0 gives none.
        seed: Any integer.
    """
    all_ = [(subject, p, c) for p in probes for c in p.contexts for subject in subjects]
    below = seeded(seed, "counterfactual")
    order: list[int] = []
    while len(order) < n:
        deck = list(range(len(all_)))
        shuffle(deck, below)
        order += deck
    chosen = (all_[index] for index in order[:n])
    return [Counterfactual(s, p.kind, c.replace(SUBJECT_SLOT, s), p.pairs) for s, p, c in chosen]


def write_counterfactuals(path: Path, contexts: Iterable[Counterfactual]) -> None:
    """Write contexts as CSV, a row a pair of words; `COLUMNS` says which columns.

    Raises:
        EquipoiseError: The file cannot be written.
    """
    with open_atomic(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(
            (c.subject, c.kind, c.context, *pair) for c in contexts for pair in c.pairs
        )
