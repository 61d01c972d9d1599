"""The figures of a report, each drawn from a frame of ``breakdown`` or the main table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from equipoise.measures.stereotype import titles
from equipoise.report.breakdown import (
    Curve,
    by_subject,
    curves,
    slopes,
    subjects_of,
    term_frequencies,
    trade_off,
)
from equipoise.report.charts import trade_off_chart
from equipoise.report.figures import INK, OKABE_ITO, SOFT, label, save, style
from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.task.task import Task
from equipoise.wording.numbers import cell

WIDTH = 6.5
"""Width of a figure in inches: a column of text on letter or A4 paper."""

TALLEST = 40.0
"""Height of a figure in inches, at most."""

BLUE, VERMILION = OKABE_ITO[:2]
_SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", BLUE])


_LEADER = {"arrowstyle": "-", "color": SOFT, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
"""The line from a label to its dot."""


def write_figures(run: FinishedRun, table: pd.DataFrame, folder: Path) -> None:
    """Write every figure that there is something for, in all formats.

    Args:
        run: The run.
        table: Its ``headline``.
        folder: Where to.
    """
    points, terms, slope_rows = trade_off(table), term_frequencies(run), slopes(run)
    trained = curves(run)
    subjects = by_subject(run)
    subjects.index = pd.Index(
        [f"{name} (unseen)" if split == "validation" else name for name, split in subjects_of(run)]
    )
    makers: dict[str, Callable[[], Figure] | None] = {
        "balance": lambda: balance_figure(table),
        "trade_off": None if points is None else lambda: trade_off_figure(points),
        "subjects": lambda: heat_figure(subjects, "balanced completions, %"),
        "terms": None if terms is None else lambda: heat_figure(
            terms.set_axis([f"{t}{'' if own else '*'}" for _, t, own in terms.index]),
            "completions that hold a term, % (* held out)", decimals=1, power=0.5),
        "stereotype": None if slope_rows is None else lambda: slope_figure(slope_rows, run.task),
        "training": None if not trained else lambda: training_figure(trained),
    }  # fmt: skip
    with style():
        for name, make in makers.items():
            if make is not None:
                save(make(), name, folder)


def balance_figure(table: pd.DataFrame) -> Figure:
    """Balance rates of train (open) and validation (full) subjects, with their intervals."""
    splits = ["train", "validation"] if table["validation"].notna().any() else ["all"]
    figure, axes = _rows_figure(len(table))
    places = np.arange(len(table), dtype=float)
    for number, split in enumerate(splits):
        shift = 0.14 * (2 * number - 1) if len(splits) > 1 else 0.0
        filled = split != "train"
        _whiskers(axes, places + shift, table[f"{split}_low"], table[f"{split}_high"], 100)
        axes.plot(
            100 * table[split], places + shift, "o", ms=5, color=BLUE,
            mfc=BLUE if filled else "white", label=f"{split} subjects",
        )  # fmt: skip
    _name_rows(axes, table["method"].tolist())
    axes.set_xlim(-2, 102)
    axes.set_xlabel("balanced completions, %")
    if len(splits) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def trade_off_figure(points: pd.DataFrame) -> Figure:
    """Balance against fluency, a dot a method, labels placed as on the page."""
    chart = trade_off_chart(points)
    wide = WIDTH * 0.7
    figure = Figure(figsize=(wide, wide * chart.height / chart.width))
    axes = figure.add_subplot()
    unit = 72 * wide / chart.width  # of the page's chart, in points
    rows = {row["method"]: row for row in records(points)}
    for mark in chart.marks:
        row, place = rows[mark.label], mark.place
        at, ends = (100 * row["balance"], row["fluency"]), (row["low"], row["high"])
        if not any(map(math.isnan, ends)):
            axes.hlines(row["fluency"], 100 * ends[0], 100 * ends[1], color=BLUE, alpha=0.5)
        axes.plot(*at, "o", ms=5, color=BLUE)
        if place is not None:
            shift = ((place.x - mark.x) * unit, (mark.y - place.y) * unit)
            axes.annotate(
                label(row["method"]), at, shift, textcoords="offset points",
                ha="left" if place.anchor == "start" else "right",
                arrowprops=None if place.leader is None else _LEADER,
            )  # fmt: skip
    axes.set_xlim(-2, 102)
    axes.set_xlabel("balanced completions, %")
    axes.set_ylabel("log-probability a token, nats")
    return figure


def heat_figure(
    table: pd.DataFrame, title: str, *, decimals: int = 0, power: float = 1.0
) -> Figure:
    """A frame of rates as shades with their percentages, a row a row.

    Args:
        table: Rates (0-1); NaN is shown as a dash.
        title: Stands above it.
        decimals: Of the percentages.
        power: Of the rate, that shades grow with.
    """
    height = min(0.19 * len(table) + 0.9, TALLEST)
    figure = Figure(figsize=(max(WIDTH * 0.55, 1.6 + 0.75 * table.shape[1]), height))
    axes = figure.add_subplot()
    values = table.to_numpy(dtype=float)
    highest = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    shades = PowerNorm(power, vmin=0, vmax=max(highest, 1e-9) * 1.4 ** (1 / power))
    axes.imshow(values, cmap=_SHADES, norm=shades, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        axes.text(j, i, cell(value, decimals), ha="center", va="center", fontsize=6.5, color=INK)
    axes.set_xticks(range(table.shape[1]), [label(name, 24) for name in table.columns],
                    rotation=30, ha="right")  # fmt: skip
    axes.set_yticks(range(len(table)), [label(name) for name in table.index])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_title(title)
    return figure


def slope_figure(rows: pd.DataFrame, task: Task) -> Figure:
    """Slopes of stereotype with their 95 % intervals, a panel a measure."""
    measures, names = list(dict.fromkeys(rows["measure"])), titles(task)
    sizes = [int((rows["measure"] == measure).sum()) for measure in measures]
    height = min(sum(0.24 * size + 0.6 for size in sizes), TALLEST)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(len(measures), 1, squeeze=False, height_ratios=[s + 2 for s in sizes])
    for measure, axes in zip(measures, panels[:, 0], strict=True):
        part = rows[rows["measure"] == measure]
        places = np.arange(len(part), dtype=float)
        axes.axvline(0, color=SOFT, lw=0.8)
        _whiskers(axes, places, part["low"], part["high"], 1)
        axes.plot(part["slope"], places, "o", ms=5, color=BLUE)
        for place, seeds in zip(places, part["seeds"], strict=True):
            axes.plot(seeds, [place - 0.28] * len(seeds), "|", ms=5, color=SOFT)
        _name_rows(axes, part["method"].tolist())
        axes.set_title(names[measure])
    of = task.axis.share if task.axis else "the axis"
    panels[-1, 0].set_xlabel(f"slope per 100 points of the share of {of}")
    return figure


def training_figure(every: list[Curve]) -> Figure:
    """Training curves, a panel a method, a line a seed; circles are evaluation losses."""
    methods = list(dict.fromkeys(curve.method for curve in every))
    across = min(3, len(methods))
    down = math.ceil(len(methods) / across)
    size = (WIDTH, min(1.7 * down + 0.3, TALLEST))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for method, axes in zip(methods, panels, strict=False):
        own = [curve for curve in every if curve.method == method]
        for number, curve in enumerate(own):
            color = OKABE_ITO[number % len(OKABE_ITO)]
            line, name = ("-", "--", ":")[number % 3], f"seed {curve.seed}"
            axes.plot(curve.steps, curve.values, lw=0.9, color=color, ls=line, label=name)
            if curve.held_out:
                axes.plot(*zip(*curve.held_out, strict=True), "o", ms=4, mfc="white", color=color)
        axes.set_title(label(method))
        axes.set_xlabel("step")
        axes.set_ylabel(own[0].name)
    panels[0].legend(fontsize=6)
    for axes in panels[len(methods) :]:
        axes.set_visible(False)
    return figure


def _rows_figure(count: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH * 0.8, min(0.32 * count + 0.8, TALLEST)))
    return figure, figure.add_subplot()


def _name_rows(axes: Axes, names: list[str]) -> None:
    """Names beside the rows, the first one on top."""
    axes.set_yticks(range(len(names)), [label(name, 24) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _whiskers(
    axes: Axes, places: np.ndarray, low: pd.Series[float], high: pd.Series[float], factor: float
) -> None:
    there = (low.notna() & high.notna()).to_numpy()
    axes.hlines(places[there], factor * low[there], factor * high[there], color=BLUE, alpha=0.5)
