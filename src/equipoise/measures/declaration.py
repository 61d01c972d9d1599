"""What a measure is: a computation, and columns that are declared once.

Everything that shows a number reads these declarations: the terminal, the CSV files, the page,
LaTeX, ``results.json``, ``summary.csv``, ``equipoise compare`` and the tables of docs/measures.md.
To add a measure, write one file with a `Measure`, and name it in ``measures/registry.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import pandas as pd

from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.column import Better, Column, Table
from equipoise.measures.model_answers import ByModel
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.task.task import Task


@dataclass(frozen=True)
class Headline:
    """A number that stands for the whole measure: one value a method.

    Attributes:
        column: What it is; its name is that in ``summary.csv``.
        summary: It stands in ``summary.csv``.
        terminal: Its title in a terminal, where lines are short; empty keeps it out.
        beside_balance: In a terminal and on the page it stands in the table of balance, not in the
            second one.
        main: It stands in the main table of page, LaTeX and ``results.json``.
        ends: Names of the headlines with the ends of its interval.
        stands_in_for: It is shown only where this headline was not measured.
        dosed: A report draws it over the values of a setting that a study sweeps.
    """

    column: Column
    summary: bool = True
    terminal: str = ""
    beside_balance: bool = False
    main: bool = False
    ends: tuple[str, ...] = ()
    stands_in_for: str = ""
    dosed: bool = False

    @property
    def name(self) -> str:
        """The name of its column."""
        return self.column.name


@dataclass(frozen=True)
class Outcome:
    """What a single completion has, or scores, and methods are compared on.

    Attributes:
        name: Its column beside each completion.
        title: For the page.
        short: For a terminal, at most 11 characters.
        unit: Of a score; None marks a rate, whose differences are points.
        better: Whether more of it is better.
        of_balance: It is nothing but balance, and certain where that is so by construction.
    """

    name: str
    title: str
    short: str = ""
    unit: str | None = None
    better: Better = "higher"
    of_balance: bool = False

    @property
    def is_rate(self) -> bool:
        """Whether a completion has it or has it not."""
        return self.unit is None


@dataclass(frozen=True)
class Evidence:
    """What measures are computed from.

    Attributes:
        scored: One row per completion, judged, with the columns of all measures.
        task: The task they were judged by.
        by_model: What models have said.
        costs: For each cell its ``method`` and what it cost; None where nobody knows.
        settings: How methods are compared.
        outcomes: What methods are compared on.
        cells: What is known of a study's cells; none of other people's texts.
    """

    scored: pd.DataFrame
    task: Task
    by_model: ByModel = field(default_factory=ByModel)
    costs: Sequence[Mapping[str, Any]] | None = None
    settings: StatisticsSettings = field(default_factory=StatisticsSettings)
    outcomes: tuple[Outcome, ...] = ()
    cells: tuple[CellFacts, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What a measure found.

    Attributes:
        tables: Its tables by name; one that nothing is known for is left out.
        remarks: What a reader of its numbers must know, one sentence each.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    remarks: Sequence[str] = ()


class Section(NamedTuple):
    """A table of words, ready to be laid out.

    Attributes:
        head: Title of the first column, which names the rows.
        titles: Titles of the others.
        rows: The name of each row, and its cells.
    """

    head: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class Measure(ABC):
    """A family of numbers that are computed together.

    A measure must not change what it is given, and what it cannot measure is NaN or left out, never
    0. ``equipoise.testing`` checks these laws.

    Attributes:
        name: Of the family.
        title: Of its section on the page.
        introduction: One or two sentences below the title.
        tables: What it writes.
        headlines: One value a method each, for the summary and the main tables.
        outcomes: Columns that it adds to each completion, on which methods are compared.
        section: Columns of its first table that the page shows in a section of their own, means
            over seeds of all subjects; empty for none.
        apart: In a terminal its headlines stand in a table of their own, under its title.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    introduction: ClassVar[str] = ""
    tables: ClassVar[tuple[Table, ...]]
    headlines: ClassVar[tuple[Headline, ...]] = ()
    outcomes: ClassVar[tuple[Outcome, ...]] = ()
    section: ClassVar[tuple[str, ...]] = ()
    apart: ClassVar[bool] = False

    @abstractmethod
    def measure(self, evidence: Evidence) -> Measured:
        """Compute its tables from what is known."""

    def notes(self, tables: Mapping[str, pd.DataFrame]) -> list[str]:
        """What a reader of its section must know, one sentence each; by default nothing.

        Args:
            tables: All tables of results, by name, as they were measured or read from files.
        """
        return []

    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        """Its columns beside each completion: of each `Outcome` the values, NaN where unknown."""
        return {}

    def by_method(self, tables: Mapping[str, pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
        """One row a method: the columns ``names`` of its first table, means over seeds.

        Where its rows have a split, those of all subjects are taken.

        Args:
            tables: All tables of results, by name, as they were measured or read from files.
            names: Columns; those that are not there are left out.
        """
        table = tables.get(self.tables[0].name) if self.tables and names else None
        if table is None:
            return pd.DataFrame(index=pd.Index([], name="method"))
        if "split" in table.columns:
            table = table[table["split"] == "all"]
        there = [
            name
            for name in names
            if name in table.columns and pd.api.types.is_numeric_dtype(table[name])
        ]
        return table.groupby("method", sort=False)[there].mean().astype("float64")

    def section_of(
        self, tables: Mapping[str, pd.DataFrame], methods: Sequence[str]
    ) -> Section | None:
        """What its section on the page shows; None where there is nothing, or none is declared.

        By default a row a method, and the columns of ``section`` that have any value.

        Args:
            tables: All tables of results, as they were read from files.
            methods: In the order of the study file.
        """
        values = self.by_method(tables, self.section)
        there = [name for name in self.section if name in values and values[name].notna().any()]
        columns = [self.tables[0].column(name) for name in there]
        own = values[there].to_dict("index")
        rows = tuple(
            (method, tuple(one.form.page(own[method][one.name]) for one in columns))
            for method in methods
            if method in own
        )
        if not (rows and columns):
            return None
        return Section("method", tuple(column.title for column in columns), rows)

    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """One row a method: its headlines, as far as ``tables`` give them."""
        return self.by_method(tables, [headline.name for headline in self.headlines])
