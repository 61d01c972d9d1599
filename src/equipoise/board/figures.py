"""The board's figures: those of a report, drawn of several runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from equipoise.board.board import Board
from equipoise.board.shown import BALANCE
from equipoise.report.charts import inline
from equipoise.report.figures import save, style
from equipoise.report.plots import heat_figure
from equipoise.report.trade_off_plot import trade_off_figure

LONGEST = 80
"""Characters of a run's name in a figure: what tells two runs apart may stand at its end."""

FLUENCY = "log_probability_"
"""Begins the names of the headlines of fluency."""


def write_figures(board: Board, folder: Path) -> None:
    """Write ``balance``, and ``trade_off_1`` and so on in the runs' order, in all formats."""
    balance = board.values(BALANCE).astype(float)
    makers: dict[str, Callable[[], Figure]] = {
        "balance": lambda: heat_figure(
            balance, "balanced, % of all that were asked for", longest=LONGEST
        )
    }
    with style():
        for name, make in makers.items():
            save(make(), name, folder)
        for number, (_, points) in enumerate(_trade_offs(board), 1):
            if points is not None:
                save(trade_off_figure(points), f"trade_off_{number}", folder)


def page_charts(board: Board) -> list[tuple[str, Markup]]:
    """Balance against fluency of each run that has both: its name and the chart."""
    found = []
    with style(), matplotlib.rc_context({"svg.fonttype": "none"}):
        for number, (name, points) in enumerate(_trade_offs(board), 1):
            if points is not None:
                title = f"Balance against fluency in {name}, one dot a method"
                chart = inline(trade_off_figure(points), f"trade-off-{number}", title)
                found.append((name, chart))
    return found


def _trade_offs(board: Board) -> Iterator[tuple[str, pd.DataFrame | None]]:
    """Each run, and its points as ``report.breakdown.trade_off`` has them; None without any."""
    judged = [one.name for one in board.headlines if one.name.startswith(FLUENCY)]
    for run in board.runs:
        if not judged:
            yield run.name, None
            continue
        values = run.values.reset_index()
        points = pd.DataFrame(
            {
                "method": values["method"],
                "balance": values[BALANCE],
                "low": float("nan"),
                "high": float("nan"),
                "fluency": values[judged[0]],
            }
        ).dropna(subset=["balance", "fluency"])
        yield run.name, points.reset_index(drop=True) if len(points) else None
