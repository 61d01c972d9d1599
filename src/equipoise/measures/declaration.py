"""What a measure is: a computation, and columns that are declared once.

Everything that shows a number reads these declarations: the terminal, the CSV files, the page,
LaTeX, ``results.json``, ``summary.csv``, ``equipoise compare`` and the tables of docs/measures.md.
To add a measure, write one file with a `Measure`, and name it in ``measures/registry.py``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import pandas as pd

from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.model_answers import ByModel
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.task.task import Task
from equipoise.wording.numbers import NONE, amount, percent, signed

Better = Literal["higher", "lower", "nearer 0", "neither"]
"""Whether more of it is better, as far as one number can say that."""


class Form(NamedTuple):
    """How a number is written.

    Attributes:
        page: For a reader: the page, LaTeX, sentences.
        terminal: For a terminal, where columns stand close and signs are ASCII.
    """

    page: Callable[[Any], str]
    terminal: Callable[[Any], str]


def _plain(decimals: int, factor: float = 1, unit: str = "") -> Callable[[float], str]:
    def write(value: float) -> str:
        if math.isnan(value):
            return NONE
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        return f"{factor * value:.{decimals}f}{unit}"

    return write


PERCENT = Form(percent, _plain(1, 100, " %"))
"""A rate of 0-1, in percent."""
SIGNED = Form(signed, _plain(2))
"""A number that may be below 0."""
DECIMALS = Form(amount, _plain(2))
"""A number of 0 or more, to a few figures."""
AMOUNT = Form(amount, _plain(1))
"""A count, a time or a size."""
COUNT = Form(amount, _plain(0))
"""A whole number."""


def _words(value: object) -> str:
    return value if isinstance(value, str) else NONE


WORDS = Form(_words, _words)
"""Words; where there are none, nothing was measured."""


@dataclass(frozen=True)
class Column:
    """One number of a table.

    Attributes:
        name: In files. ``<set>`` in it stands for the name of each term set.
        title: For people, in a few words.
        meaning: What it is, as half a sentence. A column without one is an auxiliary.
        unit: Such as ``nats``; empty for a plain number.
        low: Lowest value there can be.
        high: Highest value there can be.
        form: How it is written.
        better: Whether more of it is better.
        misleads: When not to trust it, as half a sentence.
        text: It holds text, whatever its values look like; a label may read ``007``.
        whole: It holds whole numbers, and files write them so.
        flag: It holds true and false.
        needed: A report cannot use the table without it.
        with_sd: It is a rate of which the sample SD over seeds is given too.
    """

    name: str
    title: str = ""
    meaning: str = ""
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    form: Form = AMOUNT
    better: Better = "neither"
    misleads: str = ""
    text: bool = False
    whole: bool = False
    flag: bool = False
    needed: bool = False
    with_sd: bool = False

    @property
    def range(self) -> str:
        """Its values in words: ``0–1``, ``≤ 0, nats``."""
        if self.flag:
            return "true or false"
        low, high = (f"{end:g}".replace("-", "−") for end in (self.low, self.high))
        if math.isfinite(self.low) and math.isfinite(self.high):
            words = f"{low}–{high}" if self.low >= 0 else f"{low} to {high}"
        elif math.isfinite(self.low):
            words = f"≥ {low}"
        else:
            words = f"≤ {high}" if math.isfinite(self.high) else "any"
        return f"{words}, {self.unit}" if self.unit else words


def rate(name: str, title: str, meaning: str, misleads: str = "", **more: Any) -> Column:
    """A column of rates, 0-1."""
    return Column(name, title, meaning, low=0, high=1, form=PERCENT, misleads=misleads, **more)


@dataclass(frozen=True)
class Table:
    """One table of results, a CSV file.

    Attributes:
        name: Of the file, without ``.csv``.
        row: What a row is, such as "a method, seed and split".
        columns: In the file's order, after the keys.
        keys: Columns that say what a row is about.
        absent: What a report lacks without this table, as half a sentence; empty where a report
            does not read it.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ("method", "seed", "split")
    absent: str = ""

    @property
    def texts(self) -> frozenset[str]:
        """The columns that hold text."""
        keys = [key for key in self.keys if key != "seed"]
        return frozenset([*keys, *(column.name for column in self.columns if column.text)])

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which a report cannot use it."""
        return (*self.keys, *(column.name for column in self.columns if column.needed))

    def column(self, name: str) -> Column:
        """The column called ``name``."""
        return next(column for column in self.columns if column.name == name)

    def order(self, sets: Sequence[str] = ()) -> list[str]:
        """All names in the file's order, ``<set>`` replaced by each of ``sets``."""
        names = list(self.keys)
        for column in self.columns:
            patterned = "<set>" in column.name
            names += (
                [column.name.replace("<set>", name) for name in sets]
                if patterned
                else [column.name]
            )
        return names


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
