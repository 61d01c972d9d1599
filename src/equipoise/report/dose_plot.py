"""The figure of doses: small multiples, a row a sweep and a column a response."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.measures.declaration import Headline
from equipoise.report.doses import each_sweep, responses, splits_of
from equipoise.report.figures import BLUE, SOFT, TALLEST, WIDTH, label


def dose_figure(table: pd.DataFrame) -> Figure:
    """Over the values of a swept setting: balance, and what changes with it, side by side.

    Args:
        table: ``doses.doses``, of one or several sweeps; each has a row of panels.
    """
    sweeps, drawn = each_sweep(table), responses(table)
    size = (WIDTH, min(1.75 * len(sweeps) + 0.55, TALLEST))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(sweeps), 1 + len(drawn), squeeze=False)
    for part, row in zip(sweeps, panels, strict=True):
        _draw_balance(row[0], part, splits_of(table))
        for one, axes in zip(drawn, row[1:], strict=True):
            _draw_response(axes, part, one)
        for axes in row:
            _scale_doses(axes, part["value"].to_numpy())
            axes.set_xlabel(label(part["setting"].iloc[0], 24))
        if len(sweeps) > 1:
            row[0].set_ylabel(label(part["table"].iloc[0], 24))
    for title, axes in zip(["balanced, %", *(one.column.title for one in drawn)], panels[0],
                           strict=True):  # fmt: skip
        axes.set_title(textwrap.fill(title, 76 // panels.shape[1]))
    if len(splits_of(table)) > 1:
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2)
    return figure


def _draw_balance(axes: Axes, rows: pd.DataFrame, splits: list[str]) -> None:
    """Balance over doses: train subjects open and dashed with wide bars, so that both are seen."""
    for split in splits:
        low, high = (100 * rows[f"{split}_{end}"] for end in ("low", "high"))
        if split == "train":
            own: dict[str, Any] = {"color": SOFT, "mfc": "white", "ls": "--", "ms": 5.5}
            _bars(axes, rows["value"], low, high, color=SOFT, alpha=0.25, lw=4)
        else:
            own = {"color": BLUE, "ls": "-", "ms": 3.5}
            _bars(axes, rows["value"], low, high, color=BLUE, alpha=0.5)
        axes.plot(rows["value"], 100 * rows[split], "o", lw=0.9, label=f"{split} subjects", **own)
    axes.set_ylim(-6, 106)


def _draw_response(axes: Axes, rows: pd.DataFrame, one: Headline) -> None:
    """A headline over doses, with its intervals if it has any; nothing where none was measured."""
    if rows[one.name].isna().all():
        axes.set_visible(False)
        return
    if one.ends:
        low, high = (rows[end] for end in one.ends)
        _bars(axes, rows["value"], low, high, color=BLUE, alpha=0.5)
    axes.plot(rows["value"], rows[one.name], "o-", ms=3.5, lw=0.9, color=BLUE)
    axes.margins(y=0.1)
    axes.locator_params(axis="y", nbins=5)


def _bars(
    axes: Axes, places: pd.Series[float], low: pd.Series[float], high: pd.Series[float], **look: Any
) -> None:
    there = low.notna() & high.notna()
    axes.vlines(places[there], low[there], high[there], **look)


def _scale_doses(axes: Axes, values: np.ndarray) -> None:
    """Doses as far apart as they are, or as their logarithms where those are the evener steps."""
    gaps = np.diff(values)
    axes.margins(x=0.08)
    if values[0] > 0 and len(gaps) and gaps.min() < gaps.mean() / 3:
        axes.set_xscale("log")
        axes.minorticks_off()
    elif len(gaps) > 4 or (len(gaps) and gaps.min() < gaps.mean() / 2):  # labels would overlap
        axes.locator_params(axis="x", nbins=4)
        return
    axes.set_xticks(values[:: math.ceil(len(values) / 5)])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
