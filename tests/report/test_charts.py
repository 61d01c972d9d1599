"""The page's charts: what they show, and that they can stand in a page whose policy is strict."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from equipoise.report.breakdown import Curve
from equipoise.report.charts import inline, page_charts
from equipoise.report.figures import style
from equipoise.report.headline import headline
from equipoise.report.plots import heat_figure, slope_figure, training_figure
from equipoise.report.trade_off_plot import trade_off_figure
from equipoise.runs.finished_run import FinishedRun


@pytest.fixture(autouse=True)
def _styled() -> Iterator[None]:
    with style(), matplotlib.rc_context({"svg.fonttype": "none"}):
        yield


def points(balance: list[float], fluency: list[float]) -> pd.DataFrame:
    """What the trade-off is drawn from, of methods without intervals."""
    names = [f"method-{number}" for number in range(len(balance))]
    return pd.DataFrame(
        {"method": names, "balance": balance, "low": math.nan, "high": math.nan,
         "fluency": fluency}
    )  # fmt: skip


def slopes(count: int = 2) -> pd.DataFrame:
    """Slopes of ``count`` methods; the last has neither interval nor seeds."""
    last = [False] * (count - 1) + [True]
    return pd.DataFrame(
        {"measure": "terms", "method": [f"method-{number}" for number in range(count)],
         "slope": [2.0 - number for number in range(count)],
         "low": [math.nan if bare else 1.0 for bare in last],
         "high": [math.nan if bare else 3.0 for bare in last],
         "seeds": [[] if bare else [1.9, 2.1] for bare in last]}
    )  # fmt: skip


REAL = (
    [0.0, 0.867, 0.0, 0.007, 0.059, 0.856, 0.856, 0.06, 0.825, 0.0, 0.988],
    [-3.69, -5.35, -3.6, -4.1, -3.29, -5.39, -5.28, -4.88, -5.22, -3.6, -5.48],
)
"""Eleven methods of a real study."""


@pytest.mark.parametrize(
    ("balance", "fluency"),
    [([0.5] * 8, [-2.0] * 8), ([0.0, 1.0, 1.0, 0.97], [-3.69, -4.28, -4.48, -5.64]), REAL,
     ([1.0], [-2.0])],
)  # fmt: skip
def test_labels_cover_neither_each_other_nor_a_dot(
    balance: list[float], fluency: list[float]
) -> None:
    figure = trade_off_figure(points(balance, fluency))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    [axes] = figure.axes
    texts = [text for text in axes.texts if text.get_text()]
    assert [text.get_text() for text in texts].sort() == list(
        points(balance, fluency)["method"]
    ).sort()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    dots = axes.transData.transform(np.column_stack([np.multiply(balance, 100), fluency]))
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.contains(*dot) for dot in dots)
        assert not any(box.overlaps(other) for other in boxes[:number])


@pytest.mark.parametrize(("balance", "fluency"), [([0.5] * 8, [-2.0] * 8), REAL])
def test_a_label_is_beside_its_dot_or_tied_to_it(
    balance: list[float], fluency: list[float]
) -> None:
    figure = trade_off_figure(points(balance, fluency))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    [axes] = figure.axes
    table = points(balance, fluency).set_index("method")
    texts = [text for text in axes.texts if text.get_text()]
    leaders = [text for text in axes.texts if isinstance(text, Annotation) and text.arrow_patch]
    untied = 0
    for text in texts:
        row = table.loc[text.get_text()]
        x, y = axes.transData.transform((100 * row["balance"], row["fluency"]))
        box = text.get_window_extent(canvas.get_renderer())
        across = max(box.x0 - x, x - box.x1, 0.0)
        untied += max(box.y0 - y, y - box.y1, 0.0) + across > 20  # pixels
    assert untied <= len(leaders)


def test_labels_are_beside_their_dots_in_the_page_too() -> None:
    table = points([0.0, 0.5, 1.0], [-2.0, -3.0, -4.0])
    root = ET.fromstring(inline(trade_off_figure(table), "x", "t"))  # noqa: S314 - our own
    dots = [(float(dot.attrib["x"]), float(dot.attrib["y"])) for dot in root.iter("use")]
    labels = {text.text: text.attrib for text in root.iter("text")}
    for (x, y), name in zip(dots, table["method"], strict=True):
        across, down = float(labels[name]["x"]) - x, float(labels[name]["y"]) - y
        assert abs(across) < 8, (name, across, down)  # points, from the middle of the dot
        assert abs(down) < 8, (name, across, down)


def test_slopes_stand_in_their_own_rows() -> None:
    [axes] = slope_figure(slopes(), "women").axes
    zero, dots, seeds, none = axes.lines
    assert list(zero.get_xdata()) == [0, 0]
    assert list(zip(*dots.get_data(), strict=True)) == [(2.0, 0.0), (1.0, 1.0)]
    assert (list(seeds.get_xdata()), list(none.get_xdata())) == ([1.9, 2.1], [])
    [whiskers] = axes.collections
    assert [path.vertices.tolist() for path in whiskers.get_paths()] == [[[1, 0], [3, 0]]]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["method-0", "method-1"]
    assert [text.get_text() for text in axes.texts] == ["+2.00", "+1.00"]
    assert axes.yaxis.get_inverted()


def test_a_panel_has_a_line_a_seed_and_its_circles() -> None:
    steps, values = np.array([0.0, 10.0]), np.array([4.0, 1.0])
    curves = [Curve("sft", seed, "loss", steps, values, ((10.0, 2.0),)) for seed in (1, 2)]
    [axes] = training_figure(curves).axes
    drawn = [line.get_label() for line in axes.lines if line.get_linestyle() != "None"]
    circles = [line for line in axes.lines if line.get_marker() == "o"]
    assert drawn == ["seed 1", "seed 2"]
    assert [line.get_xydata().tolist() for line in circles] == [[[10.0, 2.0]]] * 2


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e9])
def test_a_flat_curve_is_drawn(value: float) -> None:
    curve = Curve("sft", 1, "loss", np.array([1.0, 2.0]), np.array([value, value]))
    assert "nan" not in inline(training_figure([curve]), "x", "title").lower()


@pytest.mark.parametrize("count", [0, 1, 20])
def test_every_colour_of_the_palette_is_one_of_the_page(count: int) -> None:
    curves = [
        Curve("sft", seed, "loss", np.array([1.0, 2.0]), np.array([1.0, seed]), ((1.0, 2.0),))
        for seed in range(1, 2 + count)
    ]
    chart = inline(training_figure(curves), "x", "title")
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', chart)) - {"none"}
    assert all(re.fullmatch(r"var\(--[a-z]+\)", colour) for colour in colours)
    assert len(colours) >= min(count, 6)


def test_a_colour_or_an_element_that_the_page_does_not_know_is_refused() -> None:
    figure = Figure()
    figure.add_subplot().plot([1, 2], color="#123456")
    with pytest.raises(ValueError, match="#123456 is no colour of the page"):
        inline(figure, "x", "title")
    with pytest.raises(ValueError, match="no chart here has"):
        inline(heat_figure(pd.DataFrame({"a": [0.5]}), "t"), "x", "title")


HOSTILE = [
    "<script>alert(1)</script>",
    "$x$ & \"'",
    "\u202e\ud800\ufffe\x00",
    "]]>",
    "url(#x)",
    "--",
]


def test_strangers_names_are_text_in_a_chart() -> None:
    names = pd.Series(HOSTILE, dtype=object)  # pandas' own strings hold no lone surrogates
    rows = pd.concat([slopes(1)] * len(HOSTILE), ignore_index=True).assign(method=names)
    chart = inline(slope_figure(rows, HOSTILE[0]), "x", "".join(HOSTILE))
    root = ET.fromstring(chart)  # noqa: S314 - our own
    told = "".join(root.itertext())
    assert {node.tag for node in root.iter()} == {"svg", "defs", "path", "use", "text"}
    for text in ("<script>alert(1)</script>", "$x$ & \"'", "]]>", "url(#x)"):
        assert text in told
        assert text in root.attrib["aria-label"]
    assert "\u202e" not in chart


def test_a_chart_can_stand_in_the_page(run: FinishedRun) -> None:
    charts = page_charts(run, headline(run))
    every = [
        charts["trade_off"],
        *charts["stereotype"].values(),
        *dict(charts["training"]).values(),
    ]
    assert len(every) == 3
    ids: list[str] = []
    for chart in every:
        root = ET.fromstring(chart)  # noqa: S314 - our own
        own = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
        used = {node.attrib["href"] for node in root.iter("use")}
        assert used == {f"#{name}" for name in own}
        ids += own
        assert (root.attrib["role"], bool(root.attrib["aria-label"])) == ("img", True)
        for word in ("style", "url(", "font-family", "metadata", "matplotlib", "xlink", "<!--"):
            assert word not in chart
    assert len(ids) == len(set(ids))
    assert page_charts(run, headline(run)) == charts  # the same characters each time
