"""The figures of a report, each drawn from a frame of ``breakdown`` or the main table.

They are drawn here once: the files in ``figures/`` are these, and so are the page's charts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from equipoise.measures.stereotype_quantities import titles
from equipoise.report.breakdown import (
    Curve,
    by_subject,
    curves,
    slopes,
    subjects_of,
    term_frequencies,
    trade_off,
)
from equipoise.report.dose_plot import dose_figure
from equipoise.report.doses import doses
from equipoise.report.figures import (
    BLUE,
    DOT,
    INK,
    OKABE_ITO,
    SOFT,
    TALLEST,
    WIDTH,
    label,
    save,
    style,
)
from equipoise.report.headline import has_unseen
from equipoise.report.trade_off_plot import trade_off_figure
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.numbers import cell, signed

MOST_NAMED = 6
"""Seeds that a panel of training curves names; the names of more would leave no room for them."""

_SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", BLUE])


def share_of(run: FinishedRun) -> str:
    """Whose share of a subject the slopes of stereotype are over."""
    return run.task.axis.share if run.task.axis else "the axis"


def write_figures(run: FinishedRun, table: pd.DataFrame, folder: Path) -> None:
    """Write every figure that there is something for, in all formats.

    Args:
        run: The run.
        table: Its ``headline``.
        folder: Where to.
    """
    points, terms, slope_rows = trade_off(table), term_frequencies(run), slopes(run)
    trained, swept = curves(run), doses(run)
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
        "stereotype": None if slope_rows is None else lambda: slope_figure(
            slope_rows, share_of(run), titles(run.task)),
        "dose_response": None if swept is None else lambda: dose_figure(swept),
        "training": None if not trained else lambda: training_figure(trained),
    }  # fmt: skip
    with style():
        for name, make in makers.items():
            if make is not None:
                save(make(), name, folder)


def balance_figure(table: pd.DataFrame) -> Figure:
    """Balance rates of train (open) and validation (full) subjects, with their intervals."""
    splits = ["train", "validation"] if has_unseen(table) else ["all"]
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


def heat_figure(
    table: pd.DataFrame, title: str, *, decimals: int = 0, power: float = 1.0, longest: int = 24
) -> Figure:
    """A frame of rates as shades with their percentages, a row a row.

    Args:
        table: Rates (0-1); NaN is shown as a dash.
        title: Stands above it.
        decimals: Of the percentages.
        power: Of the rate, that shades grow with.
        longest: Characters that names of columns are cut to.
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
    axes.set_xticks(range(table.shape[1]), [label(name, longest) for name in table.columns],
                    rotation=30, ha="right")  # fmt: skip
    axes.set_yticks(range(len(table)), [label(name) for name in table.index])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_title(title)
    return figure


def slope_figure(rows: pd.DataFrame, share: str, names: Mapping[str, str] | None = None) -> Figure:
    """Slopes of stereotype with their 95 % intervals and small marks for seeds.

    Args:
        rows: ``breakdown.slopes``; each of its measures has a panel.
        share: Whose share of a subject the slopes are over.
        names: What the panels say of which measure they are; ``None`` if they need not.
    """
    measures = list(dict.fromkeys(rows["measure"]))
    sizes = [int((rows["measure"] == measure).sum()) for measure in measures]
    height = min(
        0.35 + sum(0.26 * size + 0.25 + 0.3 * (names is not None) for size in sizes), TALLEST
    )
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(len(measures), 1, squeeze=False, height_ratios=[s + 2 for s in sizes])
    for measure, axes in zip(measures, panels[:, 0], strict=True):
        _draw_slopes(axes, rows[rows["measure"] == measure])
        if names is not None:
            axes.set_title(label(names[measure], 80))
    panels[-1, 0].set_xlabel(f"slope per 100 points of the share of {label(share)}")
    return figure


def _draw_slopes(axes: Axes, rows: pd.DataFrame) -> None:
    """A line a method: its slope, in figures too, its interval, and a mark a seed."""
    places = np.arange(len(rows), dtype=float)
    axes.axvline(0, color=SOFT, lw=0.8)
    _whiskers(axes, places, rows["low"], rows["high"], 1)
    axes.plot(rows["slope"], places, **DOT)
    for place, slope, seeds in zip(places, rows["slope"], rows["seeds"], strict=True):
        axes.plot(seeds, [place - 0.32] * len(seeds), "|", ms=4, mew=0.7, color=SOFT)
        axes.annotate(signed(slope), (1, place), (30, 0), va="center", ha="right",
                      xycoords=axes.get_yaxis_transform(), textcoords="offset points")  # fmt: skip
    _name_rows(axes, rows["method"].tolist())


def training_figure(
    every: list[Curve], *, panel: tuple[float, float] = (WIDTH / 3, 1.7), titles: bool = True
) -> Figure:
    """Training curves, a panel a method, a line a seed; circles are evaluation losses.

    Args:
        every: The curves.
        panel: Width and height of a panel in inches.
        titles: The panels say which method they are of.
    """
    methods = list(dict.fromkeys(curve.method for curve in every))
    across = min(3, len(methods))
    down = math.ceil(len(methods) / across)
    size = (panel[0] * across, min(panel[1] * down + 0.3 * titles, TALLEST))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for method, axes in zip(methods, panels, strict=False):
        _draw_curves(axes, [curve for curve in every if curve.method == method])
        if titles:
            axes.set_title(label(method))
    if sum(curve.method == methods[0] for curve in every) <= MOST_NAMED:
        panels[0].legend(fontsize=6.5)
    for axes in panels[len(methods) :]:
        axes.set_visible(False)
    return figure


def _draw_curves(axes: Axes, own: list[Curve]) -> None:
    for number, curve in enumerate(own):
        color, line = OKABE_ITO[number % len(OKABE_ITO)], ("-", "--", ":")[number % 3]
        axes.plot(curve.steps, curve.values, lw=0.9, color=color, ls=line,
                  label=f"seed {curve.seed}")  # fmt: skip
        if curve.held_out:
            axes.plot(*zip(*curve.held_out, strict=True), "o", ms=4, mfc="white", color=color)
    axes.locator_params(nbins=5)
    axes.set_xlabel("step")
    axes.set_ylabel(own[0].name, rotation_mode="anchor")


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
