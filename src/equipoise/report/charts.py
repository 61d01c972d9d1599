"""Where things stand in the page's charts: scales, ticks and marks, in SVG's units.

The page draws them itself so that they take its colours in light and dark and its text can be read
and copied; the files in ``figures/`` are drawn by matplotlib from the same frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from equipoise.report.breakdown import Curve
from equipoise.report.labels import Box, Dot, Label, place_labels
from equipoise.report.records import records


@dataclass(frozen=True)
class Scale:
    """A linear scale: ``low``..``high`` of the data on ``start``..``end`` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where ``value`` stands, to a tenth of a unit; values outside stand at the end."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self, count: int = 5) -> list[tuple[float, float]]:
        """Round values within the scale, about ``count``, and where they stand."""
        return [(value, self(value)) for value in round_values(self.low, self.high, count)]


def round_values(low: float, high: float, count: int = 5) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten within ``low``..``high``.

    >>> round_values(0, 1, 5), round_values(-3.2, 1.1, 4)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [-3.0, -2.0, -1.0, 0.0, 1.0])
    """
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, end: float, *, zero: bool = False) -> Scale:
    """A scale a little wider than the finite ones of ``values``, which may be none or one.

    Args:
        values: Data.
        start: Where the lowest stands.
        end: Where the highest stands.
        zero: The scale includes 0.
    """
    finite = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    margin = (high - low) * 0.06 or max(abs(high) * 0.1, 0.5)
    return Scale(low - margin, high + margin, start, end)


@dataclass(frozen=True)
class Mark:
    """One method in a chart: its dot, the ends of its interval, its seeds, and its label."""

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    place: Label | None = None
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart of marks over one or two axes."""

    width: float
    height: float
    x: Scale
    y: Scale
    marks: tuple[Mark, ...]


def trade_off_chart(points: pd.DataFrame, width: float = 440) -> Chart:
    """Balance to the right, fluency upwards; labels cover neither each other nor a dot.

    Args:
        points: ``breakdown.trade_off``.
        width: In units; the height follows from the number of methods.
    """
    height = 276.0 + 10 * max(0, len(points) - 6)
    x = Scale(0.0, 1.0, 58, width - 16)
    y = scale_of(points["fluency"].tolist(), height - 44, 14)
    rows = records(points.sort_values("fluency", ascending=False, kind="stable"))
    dots = [
        Dot(row["method"], x(row["balance"]), y(row["fluency"]), _around(row, x, y)) for row in rows
    ]
    places = place_labels(dots, (x.start, y.end - 20, width, y.start))
    marks = [
        Mark(dot.name, dot.x, dot.y, *_ends(row, x), place)
        for row, dot, place in zip(rows, dots, places, strict=True)
    ]
    return Chart(width, height, x, y, tuple(marks))


def _around(row: dict[str, Any], x: Scale, y: Scale) -> Box:
    """The box of a dot and its interval: left, top, right, bottom."""
    dot, height = x(row["balance"]), y(row["fluency"])
    left, right = (dot if end is None else end for end in _ends(row, x))
    return min(left, dot - 5), height - 5, max(right, dot + 5), height + 5


def _ends(row: dict[str, Any], x: Scale) -> tuple[float | None, float | None]:
    """Where the interval of a row ends; ``None`` where it has no end."""
    low, high = (None if math.isnan(row[end]) else x(row[end]) for end in ("low", "high"))
    return low, high


def slope_chart(rows: pd.DataFrame, width: float = 640, row_height: float = 30) -> Chart:
    """One line a method: the slope, its interval, and small marks for single seeds.

    Args:
        rows: The rows of one measure of ``breakdown.slopes``.
        width: In units.
        row_height: In units.
    """
    every = [*rows["low"], *rows["high"], *rows["slope"], *np.concatenate([[0.0], *rows["seeds"]])]
    label = 12 + 7.4 * max(map(len, rows["method"]))
    x = scale_of(every, min(label, width / 2), width - 70, zero=True)
    height = row_height * len(rows) + 30
    y = Scale(0, len(rows), 4, 4 + row_height * len(rows))
    marks = []
    for number, row in enumerate(records(rows)):
        low, high = _ends(row, x)
        seeds = tuple(x(seed) for seed in row["seeds"])
        at = (x(row["slope"]), y(number + 0.5))
        marks.append(Mark(row["method"], *at, low, high, seeds=seeds))
    return Chart(width, height, x, y, tuple(marks))


@dataclass(frozen=True)
class CurvePanel:
    """The training curves of one method: a path a seed, and the dots of evaluations."""

    method: str
    name: str
    width: float
    height: float
    x: Scale
    y: Scale
    paths: tuple[tuple[int, str], ...]
    held_out: tuple[tuple[float, float], ...]


def curve_panel(curves: Sequence[Curve], width: float = 300, height: float = 190) -> CurvePanel:
    """The panel of one method's curves, which are of one quantity.

    Args:
        curves: Of one method.
        width: In units.
        height: In units.
    """
    steps = np.concatenate([curve.steps for curve in curves])
    values = [float(value) for curve in curves for value in curve.values]
    values += [value for curve in curves for _, value in curve.held_out]
    x = Scale(0.0, max(float(steps.max()), 1.0), 40, width - 12)
    y = scale_of(values, height - 34, 10, zero=min(values) >= 0)
    paths = tuple(
        (curve.seed, "M" + "L".join(f"{x(s)} {y(v)}" for s, v in zip(curve.steps, curve.values,
                                                                     strict=True)))
        for curve in curves
    )  # fmt: skip
    held_out = tuple((x(step), y(value)) for curve in curves for step, value in curve.held_out)
    first = curves[0]
    return CurvePanel(first.method, first.name, width, height, x, y, paths, held_out)
