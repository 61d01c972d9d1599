"""What balance costs in fluency, as a figure whose labels cover neither each other nor a dot."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.report.figures import BLUE, DOT, POINT, SOFT, label, text_width
from equipoise.report.labels import Dot, Label, place_labels
from equipoise.report.records import records


def trade_off_figure(points: pd.DataFrame) -> Figure:
    """Balance to the right, fluency upwards; labels cover neither each other nor a dot.

    Args:
        points: ``breakdown.trade_off``.
    """
    width, height = 440, 276 + 10 * max(0, len(points) - 6)  # in pixels of the page
    figure = Figure(figsize=(width / POINT / 72, height / POINT / 72))
    left, bottom = 58 / width, 44 / height
    axes = figure.add_axes((left, bottom, 1 - left - 16 / width, 1 - bottom - 14 / height))
    low, high = (100 * points[end].to_numpy() for end in ("low", "high"))
    balance, fluency = 100 * points["balance"].to_numpy(), points["fluency"].to_numpy()
    axes.hlines(fluency, low, high, color=BLUE, alpha=0.5)
    axes.plot(balance, fluency, **DOT)
    axes.set_xlim(-2, 102)
    axes.margins(y=0.06)
    axes.set_ylim(axes.get_ylim())  # labels are placed by where the dots are to stand
    axes.locator_params(axis="y", nbins=4)
    axes.set_xlabel("balanced completions, % →", loc="right")
    axes.set_ylabel("log-probability a token, nats →", loc="top", rotation_mode="anchor")
    _label_dots(axes, points, height)
    return figure


def _label_dots(axes: Axes, points: pd.DataFrame, height: float) -> None:
    """The names of methods beside their dots, those that stand highest first."""

    def place(x: float, y: float) -> tuple[float, float]:
        """Where a point of the data stands, in pixels of the page from the left and the top."""
        across, up = axes.transData.transform((x, y)) * 72 * POINT / axes.figure.dpi
        return across, height - up

    rows = records(points.sort_values("fluency", ascending=False, kind="stable"))
    names = [label(row["method"]) for row in rows]
    dots = []
    for row, name in zip(rows, names, strict=True):
        at = place(100 * row["balance"], row["fluency"])
        ends = [place(100 * row[end], 0)[0] for end in ("low", "high") if not math.isnan(row[end])]
        around = (min([at[0] - 5, *ends]), at[1] - 5, max([at[0] + 5, *ends]), at[1] + 5)
        dots.append(Dot(POINT * text_width(name), *at, around))
    (left, bottom), (right, top) = place(0, axes.get_ylim()[0]), place(102, axes.get_ylim()[1])
    places = place_labels(dots, (left, top - 20, right + 16, bottom))
    for row, name, dot, found in zip(rows, names, dots, places, strict=True):
        _annotate(axes, name, (100 * row["balance"], row["fluency"]), dot, found)


def _annotate(axes: Axes, name: str, at: tuple[float, float], dot: Dot, found: Label) -> None:
    """Put a label where it was found to fit, so that it moves with its dot.

    Args:
        axes: Where to.
        name: The label.
        at: The dot, in the data's units.
        dot: The same in pixels.
        found: The place.
    """

    def away(x: float, y: float) -> tuple[float, float]:
        """How far a place is from the dot, in points to the right and upwards."""
        return (x - dot.x) / POINT, (dot.y - y) / POINT

    axes.annotate(name, at, away(found.x, found.y), textcoords="offset points",
                  ha="left" if found.anchor == "start" else "right")  # fmt: skip
    if found.leader is not None:
        axes.annotate("", at, away(*found.leader[2:]), textcoords="offset points", zorder=1,
                      arrowprops={"arrowstyle": "-", "color": SOFT, "lw": 0.5,
                                  "shrinkA": 0, "shrinkB": 3})  # fmt: skip
