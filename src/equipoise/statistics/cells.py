"""From scored completions to one method's rates of every seed and subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.errors import EquipoiseError
from equipoise.statistics.rates import Floats, sampling_floor, sampling_variance

Kind = Literal["rate", "score"]

SPLITS = ("train", "validation", "all")
"""What is analysed apart, in order; ``all`` also has the subjects that are in neither."""

KEYS = ["method", "seed", "subject", "split"]


@dataclass(frozen=True)
class Grouped:
    """Scored completions whose cells are found once, for all outcomes and tables.

    Attributes:
        scored: One row per completion.
        cells: One row per cell, in order of first appearance: ``method``, ``seed``, ``subject``
            and ``split``.
        codes: For each completion the row of its cell, shape (completions,).
    """

    scored: pd.DataFrame
    cells: pd.DataFrame
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, scored: pd.DataFrame | Grouped) -> Grouped:
        """Group ``scored``, which has at least the columns ``KEYS``, unless that has been done."""
        if isinstance(scored, Grouped):
            return scored
        groups = scored.groupby(KEYS, sort=False, dropna=False)
        codes = np.asarray(groups.ngroup(), dtype=np.int64)
        return cls(scored, groups.size().reset_index()[KEYS], codes)


@dataclass(frozen=True)
class Cells:
    """One method, one outcome: what each seed gave for each subject.

    Attributes:
        method: Its label.
        kind: ``rate`` for an outcome that a completion has or has not, else ``score``.
        seeds: Ascending.
        subjects: In order of first appearance.
        splits: ``train``, ``validation`` or empty, for each subject.
        n: Completions with a value, shape (S, O).
        totals: Sums of the values, shape (S, O): hits, for rates.
        squares: Sums of the squared values, shape (S, O).
    """

    method: str
    kind: Kind
    seeds: tuple[int, ...]
    subjects: tuple[str, ...]
    splits: tuple[str, ...]
    n: Floats
    totals: Floats
    squares: Floats

    @property
    def means(self) -> Floats:
        """Rates 0-1 or mean scores, shape (S, O); NaN where a cell has no completion."""
        with np.errstate(divide="ignore", invalid="ignore"):
            means: Floats = self.totals / self.n
        return means

    @property
    def complete(self) -> set[str]:
        """The subjects of which every seed has completions."""
        empty = (self.n == 0).any(axis=0)
        return {name for i, name in enumerate(self.subjects) if not empty[i]}

    def only(self, subjects: list[str]) -> Cells:
        """The same for some of the subjects, in the order given."""
        position = {name: i for i, name in enumerate(self.subjects)}
        chosen = [position[name] for name in subjects]
        return Cells(
            self.method,
            self.kind,
            self.seeds,
            tuple(subjects),
            tuple(self.splits[i] for i in chosen),
            self.n[:, chosen],
            self.totals[:, chosen],
            self.squares[:, chosen],
        )

    def of_split(self, split: str) -> list[str]:
        """The subjects of a split; ``all`` has every subject."""
        pairs = zip(self.subjects, self.splits, strict=True)
        return [name for name, own in pairs if split in ("all", own)]

    @property
    def hits(self) -> tuple[float, float]:
        """Hits and completions over all cells."""
        return float(self.totals.sum()), float(self.n.sum())

    @property
    def rare(self) -> bool:
        """Whether hits or misses are so few that seeds cannot be seen to differ (``rates.RARE``).

        For scores: whether all cells have the same mean.
        """
        if self.kind == "rate":
            return bool(sampling_floor(self.hits) > 0)
        return bool(np.var(self.means) == 0)


def sampling_of(*sides: Cells) -> float:
    """Variance of a mean, or of a difference of means, from drawing this many texts alone.

    Above 0 for rates, also of 0 and 1; 0 for scores of which no cell has two.
    """
    if sides[0].kind == "rate":
        return float(sampling_variance(*(side.hits for side in sides)))
    return sum(_within(side) for side in sides)


def sampling_floor_of(*sides: Cells) -> Floats:
    """``sampling_of`` where no interval may be narrower than that gives, else 0.

    It must be where a side has one seed alone, or where hits or misses are rare: then seeds cannot
    be seen to differ.
    """
    needed = any(side.rare or len(side.seeds) == 1 for side in sides)
    return np.asarray(sampling_of(*sides) if needed else 0.0)


def _within(cells: Cells) -> float:
    """Variance of the mean score from the pooled variance within cells, none of them empty."""
    squares = np.maximum(cells.squares - cells.totals**2 / cells.n, 0)
    df = float((cells.n - 1).sum())
    return float(squares.sum() / df * (1 / cells.n).sum() / cells.n.size**2) if df else 0.0


def cells_of(scored: pd.DataFrame | Grouped, outcome: str) -> dict[str, Cells]:
    """The cells of every method that has the outcome, by label, in order of first appearance.

    Args:
        scored: Columns ``method``, ``seed``, ``subject``, ``split`` and the outcome: bool (a rate)
            or numbers (a score). Completions whose value is missing are left out and counted
            nowhere.
        outcome: Name of the column.

    Raises:
        EquipoiseError: There is no such column, it holds no numbers, or an infinite one; or a
            subject is in both splits.
    """
    grouped = Grouped.of(scored)
    if outcome not in grouped.scored.columns:
        raise EquipoiseError(
            f"no column {outcome!r} to compare", hint="Score the completions first."
        )
    column = grouped.scored[outcome]
    if not (pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column)):
        raise EquipoiseError(f"column {outcome!r} holds no numbers", hint="Name another outcome.")
    kind: Kind = "rate" if pd.api.types.is_bool_dtype(column) else "score"
    values = column.astype("Float64").astype("float64").to_numpy()
    there = ~np.isnan(values)
    values, codes, size = values[there], grouped.codes[there], len(grouped.cells)
    if np.isinf(values).any():
        raise EquipoiseError(f"column {outcome!r} holds infinite values", hint="Leave them out.")
    table = grouped.cells.assign(
        n=np.bincount(codes, minlength=size),
        total=np.bincount(codes, values, size),
        square=np.bincount(codes, values**2, size),
    )
    table = table[table["n"] > 0]
    if twice := in_several_splits(table):
        raise EquipoiseError(
            f"subject {twice[0][:60]!r} is in more than one split",
            field="split",
            hint="Give each subject one split, in all files; leave it out to take the task's.",
        )
    methods = table.groupby("method", sort=False)
    return {str(method): _cells(str(method), kind, part) for method, part in methods}


def in_several_splits(cells: pd.DataFrame) -> list[str]:
    """The subjects that are in more than one split, which ``split`` then says nothing of.

    Args:
        cells: With the columns ``subject`` and ``split``.
    """
    pairs = cells[["subject", "split"]].drop_duplicates()
    return list(map(str, dict.fromkeys(pairs["subject"][pairs["subject"].duplicated()])))


def _cells(method: str, kind: Kind, part: pd.DataFrame) -> Cells:
    seeds = sorted(set(part["seed"].tolist()))
    subjects = list(dict.fromkeys(part["subject"].tolist()))
    splits = dict(zip(part["subject"], part["split"], strict=True))
    sums = part.set_index(["seed", "subject"])

    def grid(name: str) -> Floats:
        wide = sums[name].unstack("subject").reindex(index=seeds, columns=subjects)
        return wide.fillna(0).to_numpy(dtype=np.float64)

    return Cells(
        method,
        kind,
        tuple(int(seed) for seed in seeds),
        tuple(map(str, subjects)),
        tuple(str(splits[name]) for name in subjects),
        grid("n"),
        grid("total"),
        grid("square"),
    )
