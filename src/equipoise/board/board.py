"""A board: runs that can be compared, the fronts of their methods, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from equipoise.board.agreement import FEWEST, STRONGEST, Agreement, agreements, ranks
from equipoise.board.conditions import set_apart, settings_remarks
from equipoise.board.finished import BoardRun
from equipoise.board.front import front
from equipoise.board.shown import BALANCE, BY_CONSTRUCTION, chosen, ranked, shown_of, turned
from equipoise.measures.declaration import Headline
from equipoise.wording.numbers import counted


@dataclass(frozen=True)
class Board:
    """What a board says.

    Attributes:
        runs: Runs that can be compared; at least one.
        apart: The others, and why.
        headlines: Those that any method of any run has.
        over: Those that fronts and rankings are over.
    """

    runs: tuple[BoardRun, ...]
    apart: tuple[tuple[BoardRun, str], ...]
    headlines: tuple[Headline, ...]
    over: tuple[Headline, ...]

    @cached_property
    def methods(self) -> list[str]:
        """Labels of all runs, each once."""
        return list(dict.fromkeys(str(name) for run in self.runs for name in run.values.index))

    def values(self, name: str) -> pd.DataFrame:
        """A headline: a row a method, a column a run, NaN where it was not measured."""
        return self._by_run({run.name: run.values[name] for run in self.runs})

    @cached_property
    def certain(self) -> pd.DataFrame:
        """Whether balance is so by construction, likewise; false where nobody knows."""
        return self.values(BY_CONSTRUCTION).astype("boolean").fillna(False).astype(bool)

    def goods(self, headline: Headline) -> pd.DataFrame:
        """The values of a headline with a direction, so that more is better."""
        return self.values(headline.name).apply(lambda values: turned(values, headline))

    def ranks(self, headline: Headline) -> pd.DataFrame:
        """Ranks by a headline of the methods that every run has a value of, 1 the best."""
        return ranks(self.goods(headline))

    @cached_property
    def fronts(self) -> pd.DataFrame:
        """Whether a method is on a run's front, likewise; missing where it cannot be compared."""
        return self._by_run({run.name: front(run.values, self.over) for run in self.runs})

    @property
    def always_on_front(self) -> list[str]:
        """Methods that are on the front of every run."""
        on = self.fronts.fillna(False).astype(bool).all(axis=1)
        return [method for method in self.methods if on[method]]

    @cached_property
    def agreements(self) -> list[Agreement]:
        """Of each two runs, headline by headline."""
        return [one for axis in self.over for one in agreements(axis.name, self.goods(axis))]

    @property
    def remarks(self) -> list[str]:
        """What a reader must know, one sentence each."""
        return [*self._of_runs(), *settings_remarks(self.runs), *self._of_rankings()]

    def _by_run(self, columns: dict[str, pd.Series]) -> pd.DataFrame:
        rows = pd.Index(self.methods, name="method")
        return pd.DataFrame({name: own.reindex(rows) for name, own in columns.items()}, index=rows)

    def _of_runs(self) -> Iterator[str]:
        for run, reason in self.apart:
            yield f"{run.name} stands apart, and is in no number here: {reason}."
        for run in self.runs:
            for one in self.over:
                if run.values[one.name].isna().all():
                    yield f"{run.name} has no {one.column.title}; its front is over the others."

    def _of_rankings(self) -> Iterator[str]:
        few = min((one.methods for one in self.agreements), default=FEWEST)
        if few < FEWEST:
            yield (
                f"Rankings of {counted(few, 'method')} say little: whether two runs agree cannot "
                f"be told from fewer than {FEWEST}, and no interval is given there."
            )
        if any(abs(one.tau) > STRONGEST and one.methods >= FEWEST for one in self.agreements):
            yield (
                f"A tau-b beyond {STRONGEST} in size has no interval: it would come out too short."
            )
        if BALANCE in {one.name for one in self.over} and self.certain.any(axis=None):
            yield (
                "Balance by construction is no finding about a model. It counts for the front and "
                "for rankings, as what is delivered is balanced, and is marked."
            )


def assemble(runs: Sequence[BoardRun], over: Sequence[str] = ()) -> Board:
    """The board of some runs.

    Args:
        runs: At least one; the others are compared with the first.
        over: Names of the headlines that fronts and rankings are over, by default all that are
            shown and have a direction.

    Raises:
        EquipoiseError: None of several runs can be compared with the first, or methods cannot be
            ranked by one of ``over``.
    """
    like, apart = set_apart(runs)
    headlines = shown_of([run.values for run in like])
    axes = chosen(over, headlines) if over else ranked(headlines)
    return Board(tuple(like), tuple(apart), tuple(headlines), tuple(axes))
