"""A column of a table, how its numbers are written, and the table it stands in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

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
