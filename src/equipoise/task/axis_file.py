"""The schema of a task file's ``[axis]``, and how its tables become an ``Axis``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from equipoise.errors import EquipoiseError, nearest
from equipoise.settings import Settings
from equipoise.task.axis import Axis, FittedItems, Probe, UnfittedItems, WordPair
from equipoise.task.fields import (
    MAX_SETS,
    MAX_TERMS,
    Beginning,
    Kind,
    Label,
    SubjectName,
    Term,
)

MAX_CONTEXTS = 100
"""Most contexts of one probe, or of one kind of word."""
MAX_PAIRS = 1_000
"""Most pairs of one probe, or of one kind of word."""

WordPairs = Annotated[
    tuple[Annotated[tuple[Term, Term], Field(strict=False)], ...],
    Field(min_length=1, max_length=MAX_PAIRS, strict=False),
]
Beginnings = Annotated[
    tuple[Beginning, ...], Field(min_length=1, max_length=MAX_CONTEXTS, strict=False)
]
Counted = Annotated[tuple[Term, ...], Field(min_length=1, max_length=MAX_TERMS, strict=False)]


class ProbeTable(Settings):
    """``[[axis.fitted.probes]]`` and ``[[axis.unfitted.probes]]``."""

    kind: Kind
    contexts: Beginnings
    pairs: WordPairs


class PairsTable(Settings):
    """``[[axis.fitted.pairs]]``: words of one kind, which stand in the contexts of that kind."""

    kind: Kind
    words: WordPairs


class FittedTable(Settings):
    """``[axis.fitted]``."""

    subjects: tuple[SubjectName, ...] = Field(default=(), max_length=MAX_TERMS, strict=False)
    probes: tuple[ProbeTable, ...] = Field(default=(), max_length=MAX_SETS, strict=False)
    contexts: dict[Kind, Beginnings] = Field(default={}, max_length=MAX_SETS)
    pairs: tuple[PairsTable, ...] = Field(default=(), max_length=MAX_SETS, strict=False)


class UnfittedTable(Settings):
    """``[axis.unfitted]``."""

    contexts: tuple[Beginning, ...] = Field(default=(), max_length=MAX_CONTEXTS, strict=False)
    probes: tuple[ProbeTable, ...] = Field(default=(), max_length=MAX_SETS, strict=False)


class AxisTable(Settings):
    """``[axis]``."""

    name: Label
    poles: tuple[Kind, Kind] = Field(strict=False)
    share: Label
    terms: tuple[str, str] | None = Field(None, strict=False)
    words: dict[Kind, dict[str, Counted]] = Field(default={}, max_length=MAX_SETS)
    shares: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(
        default={}, max_length=MAX_TERMS
    )
    fitted: FittedTable = FittedTable()
    unfitted: UnfittedTable = UnfittedTable()


def make_axis(table: AxisTable, subjects: Iterable[str]) -> Axis:
    """The axis that ``table`` describes.

    Args:
        table: ``[axis]``.
        subjects: Names of the task's subjects, in its order.

    Raises:
        EquipoiseError: A share is of nobody, a counted word of no pole, or a pair of a kind without
            contexts.
    """
    names = list(subjects)
    for name in table.shares:
        if name not in names:
            raise EquipoiseError(
                "is no subject of this task",
                field=f"axis.shares.{name}",
                hint=nearest(name, names),
            )
    return Axis(
        table.name,
        table.poles,
        table.share,
        {name: float(table.shares[name]) for name in names if name in table.shares},
        table.terms,
        {kind: _of_poles(kind, table) for kind in table.words},
        FittedItems(
            _probes(table.fitted.probes),
            table.fitted.subjects,
            table.fitted.contexts,
            tuple(_word_pairs(table.fitted)),
        ),
        UnfittedItems(_probes(table.unfitted.probes), table.unfitted.contexts),
    )


def _of_poles(kind: str, table: AxisTable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The counted words of a kind, of the first and of the second pole."""
    given = table.words[kind]
    for pole in given:
        if pole not in table.poles:
            raise EquipoiseError(
                "is no pole of the axis",
                field=f"axis.words.{kind}.{pole}",
                hint=nearest(pole, table.poles),
            )
    for pole in table.poles:
        if pole not in given:
            raise EquipoiseError(
                "missing", field=f"axis.words.{kind}.{pole}", hint="Both poles need words."
            )
    first, second = table.poles
    return given[first], given[second]


def _probes(tables: Iterable[ProbeTable]) -> tuple[Probe, ...]:
    return tuple(Probe(table.kind, table.contexts, table.pairs) for table in tables)


def _word_pairs(table: FittedTable) -> Iterable[WordPair]:
    """Each pair of the file, in its order, with the contexts of its kind."""
    for number, group in enumerate(table.pairs):
        if group.kind not in table.contexts:
            raise EquipoiseError(
                f"[axis.fitted.contexts] has none for the kind '{group.kind}'",
                field=f"axis.fitted.pairs.{number}.kind",
                hint=nearest(group.kind, table.contexts),
            )
        for words in group.words:
            yield WordPair(words, table.contexts[group.kind], group.kind)
