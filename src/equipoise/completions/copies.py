"""Which rows are one draw: what was written twice counts once.

A *cell* is a method and a seed; a *group* is a subject in a cell. Honest draws repeat themselves,
short ones often, so equal rows alone say nothing. Four patterns do, see docs/statistics.md:

1. **numbered**: the file numbers its draws, and a row has the number and the text of another;
2. **whole**: in every group of a cell each text stands k, 2k, 3k ... times, or every group has
   one text alone (a decoder that does not draw);
3. **block**: rows follow each other just as they did further up in the file;
4. **seeds**: two seeds of a method have the same texts about every subject.

Patterns 2 to 4 count where honest draws would show them with a chance below 2^-`BITS`. How often a
sampler repeats itself is taken from the file; only where no text comes back but by the pattern
itself, so that the file does not say, from how long the texts are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

BITS = 10.0
"""Evidence that is needed: honest draws would look so with a chance below 2^-10."""

BITS_PER_WORD = 0.5
"""Where a file says nothing of how often its sampler repeats itself: a text of w words beyond the
prefix is taken to be drawn again with a chance of up to 2^(-w / 2)."""

MOST_TIMES = 3
"""More than three times a log is not taken to be written on the evidence of words alone."""

MOST_LAGS = 20
"""At so many distances, the likeliest ones, a stretch is looked for further up."""

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bits = NDArray[np.float64]
Find = Callable[["_Rows"], tuple[Flags, str]]


@dataclass(frozen=True)
class Draws:
    """What counts.

    Attributes:
        kept: For each row whether it is a draw of its own, shape (rows,).
        remarks: What was found, one sentence for each pattern.
    """

    kept: Flags
    remarks: tuple[str, ...]


def distinct_draws(
    methods: Sequence[str],
    seeds: Sequence[int],
    subjects: Sequence[str],
    texts: Sequence[str],
    own_words: Callable[[str, str], int],
    numbers: Sequence[Sequence[str]] = (),
) -> Draws:
    """Find the rows that are copies of others.

    Args:
        methods: The method of each row.
        seeds: Its seed.
        subjects: Its subject.
        texts: What was drawn, whole.
        own_words: Words of a text about a subject beyond the prefix.
        numbers: Columns of the file that may number its draws.
    """
    rows = _Rows.of(methods, seeds, subjects, texts, own_words)
    kept = np.ones(len(texts), dtype=bool)
    remarks: list[str] = []
    for find in (_numbered(numbers), _whole, _block, _seeds):
        there = np.flatnonzero(kept)
        part = rows.only(there)
        if not part.repeat:
            break
        copies, remark = find(part)
        if copies.any():
            kept[there[copies]] = False
            remarks.append(remark.format(n=f"{int(copies.sum()):,}", of=f"{len(texts):,}"))
    return Draws(kept, tuple(remarks))


@dataclass(frozen=True)
class _Rows:
    """Rows as numbers: equal numbers are equal things. ``item`` is a text in its group.

    ``content`` is a subject with a text, ``bits`` what its words say, ``place`` its row.
    """

    place: Codes
    method: Codes
    cell: Codes
    group: Codes
    item: Codes
    content: Codes
    bits: Bits

    @classmethod
    def of(
        cls,
        methods: Sequence[str],
        seeds: Sequence[int],
        subjects: Sequence[str],
        texts: Sequence[str],
        own_words: Callable[[str, str], int],
    ) -> _Rows:
        method, subject = _codes(methods), _codes(subjects)
        cell = _pairs(method, _codes(seeds))
        content = _pairs(subject, _codes(texts))
        first = np.zeros(int(content.max(initial=-1)) + 1, dtype=np.int64)
        first[content] = np.arange(len(content))
        words = np.array([own_words(subjects[row], texts[row]) for row in first.tolist()])
        return cls(
            np.arange(len(content)),
            method,
            cell,
            _pairs(cell, subject),
            _pairs(cell, content),
            content,
            BITS_PER_WORD * words.astype(np.float64)[content],
        )

    def only(self, chosen: Codes) -> _Rows:
        """Some of the rows; cells, groups and items are numbered from 0 again."""
        cell, group, item = (_codes(codes[chosen]) for codes in (self.cell, self.group, self.item))
        return _Rows(
            self.place[chosen],
            self.method[chosen],
            cell,
            group,
            item,
            self.content[chosen],
            self.bits[chosen],
        )

    @property
    def repeat(self) -> bool:
        """Whether a method has a text about a subject twice: without that nothing is a copy."""
        pairs = _pairs(self.method, self.content)
        return len(pairs) > int(pairs.max(initial=-1)) + 1


def _codes(values: Sequence[str] | Sequence[int] | Codes) -> Codes:
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    return np.asarray(pd.factorize(array)[0], dtype=np.int64)


def _pairs(first: Codes, second: Codes) -> Codes:
    """Equal numbers for equal pairs, from 0."""
    return _codes(first * (int(second.max(initial=0)) + 1) + second)


def _position(item: Codes) -> Codes:
    """How many rows before each row are the same item."""
    order = np.argsort(item, kind="stable")
    ordered = item[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(item)])
    position = np.empty(len(item), dtype=np.int64)
    position[order] = np.arange(len(item)) - np.repeat(starts, sizes)
    return position


def _numbered(numbers: Sequence[Sequence[str]]) -> Find:
    """Rows whose number, subject and text are those of a row before."""
    columns = [_codes(column) for column in numbers]

    def find(rows: _Rows) -> tuple[Flags, str]:
        place = rows.group
        for column in columns:
            place = _pairs(place, column[rows.place])
        same = _pairs(place, rows.content)
        groups, places, different = (int(codes.max()) + 1 for codes in (rows.group, place, same))
        copies = np.zeros(len(same), dtype=bool)
        if groups < places == different:  # else the numbers tell no draws apart
            copies = _position(same) > 0
        return copies, "Rows that have the number and the text of another, left out: {n} of {of}."

    return find


def _whole(rows: _Rows) -> tuple[Flags, str]:
    """Rows of cells all of whose texts stand there k times, and of cells that never vary."""
    counts, cell, group = _items(rows)
    times = np.zeros(int(rows.cell.max()) + 1, dtype=np.int64)
    np.gcd.at(times, cell, counts)
    varied = _varied(rows)
    once = counts[rows.item] // times[rows.cell]
    position = _position(rows.item)
    copies = np.where(varied[rows.cell], position >= once, position > 0)
    # A text that stands there k times with a chance of 1 / k: one in each group follows from n.
    texts = np.bincount(group) - 1
    cell_of_group = np.zeros(len(texts), dtype=np.int64)
    cell_of_group[group] = cell
    measured = np.bincount(cell_of_group, texts, len(times)) * np.log2(np.maximum(times, 1))
    by_words = np.bincount(rows.cell, np.where(copies, rows.bits, 0.0))
    repeats = np.zeros_like(varied)
    repeats[cell[counts > times[cell]]] = True
    untold = ~varied | (~repeats & (times <= MOST_TIMES))
    evidence = np.where(untold, np.maximum(by_words, measured), measured)
    copies &= evidence[rows.cell] >= BITS
    if (copies & ~varied[rows.cell]).any():
        return copies, (
            "Rows whose text is the same in every draw of a subject, as when the likeliest token "
            "is always taken, count as one draw; left out: {n} of {of}."
        )
    return copies, "Rows of a log that was written more than once, left out: {n} of {of}."


def _items(rows: _Rows) -> tuple[Codes, Codes, Codes]:
    """For each item how often it stands there, its cell and its group."""
    counts = np.bincount(rows.item)
    cell, group = (np.zeros(len(counts), dtype=np.int64) for _ in range(2))
    cell[rows.item], group[rows.item] = rows.cell, rows.group
    return counts, cell, group


def _varied(rows: _Rows) -> Flags:
    """For each cell whether one of its groups has two different texts."""
    _, cell, group = _items(rows)
    varied = np.zeros(int(rows.cell.max()) + 1, dtype=bool)
    varied[cell[np.bincount(group)[group] > 1]] = True
    return varied


def _block(rows: _Rows) -> tuple[Flags, str]:
    """Rows in stretches that follow each other as an earlier stretch did."""
    n = len(rows.item)
    order = np.argsort(rows.item, kind="stable")
    again = rows.item[order][1:] == rows.item[order][:-1]
    back = np.zeros(n, dtype=np.int64)  # how far above the same item stood last; 0 if nowhere
    back[order[1:][again]] = order[1:][again] - order[:-1][again]
    surprise = _surprise(rows)
    lags, which = np.unique(back, return_inverse=True)
    evidence = np.where(lags > 0, np.bincount(which, surprise), 0.0)
    likely = lags[np.argsort(-evidence, kind="stable")[:MOST_LAGS]]
    copies = np.zeros(n, dtype=bool)
    for lag in likely[likely > 0].tolist():
        same = np.zeros(n, dtype=bool)
        same[lag:] = rows.item[lag:] == rows.item[:-lag]
        starts = np.flatnonzero(np.r_[True, same[1:] != same[:-1]])
        sizes = np.diff(np.r_[starts, n])
        # Beyond ``lag`` rows a stretch only repeats itself, as equal texts of a sorted file do.
        new = same & (np.arange(n) - np.repeat(starts, sizes) < lag)
        bits = np.add.reduceat(np.where(new, surprise, 0.0), starts) - 2 * np.log2(n)
        copies |= same & np.repeat(bits >= BITS, sizes)
    return copies, "Rows that repeat a stretch of rows further up, left out: {n} of {of}."


def _surprise(rows: _Rows) -> Bits:
    """Bits by which it surprises that a row equals another given one of its group.

    It is -log2 of how often two rows of the group are equal; where no group of the cell has two
    different texts, which says nothing of a sampler, it is taken from the words.
    """
    counts, _, group = _items(rows)
    sizes = np.bincount(rows.group).astype(np.float64)
    equal = np.bincount(group, counts.astype(np.float64) * (counts - 1), len(sizes))
    pairs = sizes * (sizes - 1)
    share = np.where(pairs > 0, equal / np.where(pairs > 0, pairs, 1), 1.0)
    measured = -np.log2(np.where(share > 0, share, 1.0))
    surprise: Bits = np.where(_varied(rows)[rows.cell], measured[rows.group], rows.bits)
    return surprise


def _seeds(rows: _Rows) -> tuple[Flags, str]:
    """Rows of seeds that have all texts of an earlier seed of their method, and no other."""
    remark = "Rows of seeds whose texts are those of another seed, left out: {n} of {of}."
    cells = int(rows.cell.max()) + 1
    counts, cell, group = _items(rows)
    sizes = np.bincount(rows.group).astype(np.float64)
    # -log2 of the chance to draw just these counts again, at these very rates.
    logs = counts * np.log(counts / sizes[group]) - gammaln(counts + 1.0)
    measured = -np.bincount(cell, logs, cells)
    cell_of_group = np.zeros(len(sizes), dtype=np.int64)
    cell_of_group[group] = cell
    measured = (measured - np.bincount(cell_of_group, gammaln(sizes + 1), cells)) / np.log(2)
    repeats = np.zeros(cells, dtype=bool)
    repeats[cell[counts > 1]] = True
    by_words = np.bincount(rows.cell, rows.bits)
    evidence = np.where(repeats, measured, np.maximum(by_words, measured))
    order = np.lexsort((rows.content, rows.cell))
    contents = np.split(rows.content[order], np.flatnonzero(np.diff(rows.cell[order])) + 1)
    method = np.zeros(cells, dtype=np.int64)
    method[rows.cell] = rows.method
    seen: set[tuple[int, bytes]] = set()
    copy = np.zeros(cells, dtype=bool)
    for number, content in enumerate(contents):  # cells are numbered as they first appear
        key = (int(method[number]), content.tobytes())
        copy[number] = key in seen and evidence[number] >= BITS
        seen.add(key)
    return copy[rows.cell], remark
