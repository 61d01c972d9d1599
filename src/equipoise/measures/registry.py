"""The measures, in the order of their tables. A new measure needs one line here."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.measures.agency import Agency
from equipoise.measures.certainty import Certainty
from equipoise.measures.column import Table
from equipoise.measures.compliance import Compliance
from equipoise.measures.cost import Cost
from equipoise.measures.declaration import Headline, Measure, Outcome
from equipoise.measures.diversity import Diversity
from equipoise.measures.fluency import Fluency
from equipoise.measures.side_effects.measure import SideEffects
from equipoise.measures.stereotype import Stereotype
from equipoise.measures.terms import Terms
from equipoise.measures.unseen import Unseen

MEASURES: list[Measure] = [
    Compliance(),
    Unseen(),
    Diversity(),
    Fluency(),
    Agency(),
    Stereotype(),
    SideEffects(),
    Terms(),
    Cost(),
    Certainty(),
]


def tables() -> Iterator[Table]:
    """All tables of results."""
    return (table for measure in MEASURES for table in measure.tables)


def headlines() -> Iterator[Headline]:
    """One value a method each, in the order of ``summary.csv``."""
    return (headline for measure in MEASURES for headline in measure.headlines)


def outcomes() -> list[Outcome]:
    """What methods are compared on: rates, then scores."""
    found = [outcome for measure in MEASURES for outcome in measure.outcomes]
    return sorted(found, key=lambda outcome: not outcome.is_rate)
