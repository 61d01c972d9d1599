"""How sure one can be: intervals of every outcome, and tests of every pair of methods.

The columns are those of ``statistics``; docs/statistics.md says what each means.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from equipoise.measures.column import SIGNED, Column, Table
from equipoise.measures.declaration import Evidence, Measure, Measured
from equipoise.measures.requested import certain
from equipoise.statistics.comparisons import COLUMNS as OF_COMPARISONS
from equipoise.statistics.consistency import COLUMNS as OF_CONSISTENCY
from equipoise.statistics.intervals import COLUMNS as OF_INTERVALS
from equipoise.statistics.intervals import WILSON_COLUMNS
from equipoise.statistics.tables import statistics_tables

_TEXTS = ("paired", "verdict", "over")


def _table(
    name: str,
    row: str,
    keys: tuple[str, ...],
    columns: Iterable[str],
    needed: tuple[str, ...] = (),
    absent: str = "",
) -> Table:
    own = tuple(
        Column(column, form=SIGNED, text=column in _TEXTS, needed=column in needed)
        for column in columns
        if column not in keys
    )
    return Table(name, row, own, keys, absent)


COMPARISONS = _table(
    "comparisons",
    "an outcome, split and two methods",
    ("outcome", "split", "method_a", "method_b"),
    OF_COMPARISONS,
    ("seeds_a", "seeds_b", "mean_a", "mean_b", "difference", "low", "high", "p_holm",
     "p_equivalent_holm"),
    "tests between methods",
)  # fmt: skip
INTERVALS = _table(
    "intervals",
    "an outcome, method and split",
    ("outcome", "method", "split"),
    OF_INTERVALS,
    ("low", "high"),
    "intervals of the balance rates",
)
WILSON = _table(
    "wilson",
    "an outcome, method, seed and split",
    ("outcome", "method", "seed", "split"),
    WILSON_COLUMNS,
)
CONSISTENCY = _table("consistency", "a method and term set", ("method", "terms"), OF_CONSISTENCY)


class Certainty(Measure):
    """Intervals and tests, of the outcomes of all other measures.

    Balance that is certain by construction has none.
    """

    name = "certainty"
    title = "Which differences are shown"
    tables = (COMPARISONS, INTERVALS, WILSON, CONSISTENCY)

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        outcomes = [outcome.name for outcome in evidence.outcomes]
        found = statistics_tables(_uncertain(evidence), outcomes, evidence.settings)
        tables = {table.name: getattr(found, table.name) for table in self.tables}
        return Measured(tables, found.remarks)


def _uncertain(evidence: Evidence) -> pd.DataFrame:
    """The completions, without the balance of methods of which it is certain by construction."""
    scored = evidence.scored
    rows = scored["method"].isin(certain(evidence.cells))
    if not rows.any():
        return scored
    names = [outcome.name for outcome in evidence.outcomes if outcome.of_balance]
    return scored.assign(**{name: scored[name].astype("boolean").mask(rows) for name in names})
