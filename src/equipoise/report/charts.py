"""The page's charts: the figures of ``plots`` as SVG that stands in the page itself.

They take the page's colours, in light and dark, and its type. The page's content security policy
forbids styles in elements, so all that matplotlib writes as one becomes an attribute.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import matplotlib
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from equipoise.measures.stereotype_quantities import titles
from equipoise.report.breakdown import curves, slopes, trade_off
from equipoise.report.dose_plot import dose_figure
from equipoise.report.doses import doses, each_sweep
from equipoise.report.figures import FAINT, INK, OKABE_ITO, POINT, RULE, SOFT, style
from equipoise.report.plots import share_of, slope_figure, training_figure
from equipoise.report.trade_off_plot import trade_off_figure
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.numbers import counted, percent, signed
from equipoise.wording.visible import shown

COLORS = {
    **dict(zip(OKABE_ITO, ("blue", "red", "green", "purple", "ochre", "sky", "ink", "ochre"),
               strict=True)),
    INK: "ink", SOFT: "soft", RULE: "rule", FAINT: "faint", "#FFFFFF": "paper",
}  # fmt: skip
"""A figure's colours and the page's: the names of variables in ``page.css``."""

_DROPPED = ("metadata", "style", "clipPath")
"""Elements that say nothing of what is seen. Nothing in these figures reaches out of its axes."""

_SAME = frozenset(
    ["d", "x", "y", "text-anchor", "font-size", "font-weight", "stroke-width", "stroke-opacity",
     "fill-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity"]
)  # fmt: skip
_UNSEEN = frozenset(["font-family", "stroke-dashoffset", "clip-path"])
"""The page has a type of its own, and no dashes begin later than they would."""


def page_charts(run: FinishedRun, table: pd.DataFrame) -> dict[str, Any]:
    """The charts of a run, ready to stand in the page.

    - ``trade_off``: one chart, or ``None``.
    - ``stereotype``: a chart for each measure that was taken, by its name.
    - ``doses``: pairs of the words for a sweep and its chart.
    - ``training``: pairs of a method and its chart.

    Args:
        run: The run.
        table: Its ``headline``.
    """
    points, rows, trained = trade_off(table), slopes(run), curves(run)
    found: dict[str, Any] = {"trade_off": None, "stereotype": {}, "doses": [], "training": []}
    swept = doses(run)
    with style(), matplotlib.rc_context({"svg.fonttype": "none"}):
        if points is not None:
            title = "Balance against fluency, one dot a method; the numbers are in the main table"
            found["trade_off"] = inline(trade_off_figure(points), "trade-off", title)
        for number, (measure, title) in enumerate(titles(run.task).items()):
            part = pd.DataFrame() if rows is None else rows[rows["measure"] == measure]
            if len(part):
                told = map(" ".join, zip(part["method"], map(signed, part["slope"]), strict=True))
                title = f"Slopes of {title}; {', '.join(told)}"
                chart = inline(slope_figure(part, share_of(run)), f"slopes-{number}", title)
                found["stereotype"][measure] = chart
        for number, part in enumerate([] if swept is None else each_sweep(swept)):
            name = f"{part['table'].iloc[0]}: {part['setting'].iloc[0]}"
            balance = zip(part["value"], map(percent, part["all"]), strict=True)
            said = ", ".join(f"{value:g}: {rate}" for value, rate in balance)
            title = f"{name}; balanced completions, all subjects: {said}"
            found["doses"].append((name, inline(dose_figure(part), f"doses-{number}", title)))
        for number, method in enumerate(m for m in run.methods if m in {c.method for c in trained}):
            own = [curve for curve in trained if curve.method == method]
            title = f"{own[0].name} of {method} over {counted(len(own), 'seed')}"
            figure = training_figure(own, panel=(2.8, 1.9), titles=False)
            found["training"].append((method, inline(figure, f"training-{number}", title)))
    return found


def inline(figure: Figure, name: str, title: str) -> Markup:
    """``figure`` as an ``svg`` element for the page, where matplotlib writes text as text.

    Args:
        figure: Of the palette's colours only.
        name: Begins every identifier in it; no other chart of the page has it.
        title: What it shows, for those who do not see it.

    Raises:
        ValueError: matplotlib wrote something that has no place in the page.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", bbox_inches="tight", pad_inches=0.03, transparent=True,
                   metadata={"Date": None})  # fmt: skip
    drawn = ET.fromstring(stream.getvalue())  # noqa: S314 - written a line above
    box = _rounded(drawn.attrib["viewBox"])
    chart = ET.Element(
        "svg",
        {"class": "chart", "viewBox": box, "width": f"{POINT * float(box.split()[2]):.0f}",
         "fill": "var(--ink)", "role": "img", "aria-label": shown(title)},
    )  # fmt: skip
    chart.extend(list(_flat(drawn, name)))
    return Markup(ET.tostring(chart, "unicode"))  # noqa: S704 - ElementTree escapes every text


def _flat(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """What is drawn in ``element``, in its order and without its groups."""
    for part in element:
        tag = part.tag.rpartition("}")[2]
        if tag == "g":
            yield from _flat(part, name)
        elif tag == "defs":
            definitions = ET.Element("defs")
            definitions.extend(list(_flat(part, name)))
            if len(definitions):
                yield definitions
        elif tag not in _DROPPED:
            if tag not in ("path", "use", "text"):
                raise ValueError(f"matplotlib wrote <{tag}>, which no chart here has")
            copy = ET.Element(tag, _attributes(part, name))
            copy.text = part.text if tag == "text" else None
            if (copy.get("fill"), copy.get("stroke", "none")) != ("none", "none"):
                yield copy


def _attributes(element: ET.Element, name: str) -> dict[str, str]:
    """The attributes of ``element`` and those that its style is."""
    found: dict[str, str] = {}
    pairs = list(element.attrib.items())
    for part in element.get("style", "").split("; "):
        key, _, value = part.partition(": ")
        pairs.append((key or "style", value))
    for key, value in pairs:
        plain = key.rpartition("}")[2]
        if plain in _SAME:
            found[plain] = _rounded(value)
        elif plain in ("fill", "stroke"):
            found[plain] = _color(value)
        elif plain == "id":
            found[plain] = f"{name}-{value}"
        elif plain == "href":
            found[plain] = f"#{name}-{value[1:]}"
        elif plain == "transform":
            if not value.startswith("rotate(-0 "):
                found[plain] = _rounded(value)
        elif plain != "style" and plain not in _UNSEEN:
            raise ValueError(f"matplotlib wrote {plain}={value!r}, which no chart here has")
    return found


def _color(value: str) -> str:
    if value == "none":
        return value
    if value.upper() not in COLORS:
        raise ValueError(f"{value} is no colour of the page")
    return f"var(--{COLORS[value.upper()]})"


def _rounded(text: str) -> str:
    """``text`` on one line, the numbers in it to a hundredth of a point."""
    told = re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 2) + 0.0:g}", text)
    return " ".join(told.split())
