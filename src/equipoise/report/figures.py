"""Figures as files: the same bytes each time, text that is never read as markup.

Each is written as SVG, PDF and PNG. No date, no user, no random identifier gets into a file, and
nothing depends on what matplotlib is set to elsewhere: the package's own font and colours are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

from equipoise.files.artifacts import clear_write_errors
from equipoise.wording.visible import shown

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

OKABE_ITO = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
)  # fmt: skip
"""Colours that colour-blind readers can tell apart (Okabe & Ito 2008), blue and vermilion first."""

BLUE = OKABE_ITO[0]
INK, SOFT, RULE, FAINT = "#1D1C1A", "#5F5C56", "#D9D5CB", "#ECE9E1"
DOT: dict[str, Any] = {
    "marker": "o",
    "ls": "",
    "ms": 5.5,
    "color": BLUE,
    "mec": "white",
    "mew": 0.6,
}
"""How a method's dot is drawn."""

POINT = 1.5
"""Pixels of the page for a point of a figure: type of 8 points is 12 pixels high."""

WIDTH = 6.5
"""Width of a figure in inches: a column of text on letter or A4 paper."""

TALLEST = 40.0
"""Height of a figure in inches, at most."""

FORMATS = ("svg", "pdf", "png")

_NO_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "Equipoise"},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "Equipoise", "Producer": None},
    "png": {"Software": None},
}

_SETTINGS: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.parse_math": False,
    "text.usetex": False,
    "svg.hashsalt": "equipoise",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
}


@contextmanager
def style() -> Iterator[None]:
    """Within it matplotlib draws as the figures of a report are drawn."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def save(figure: Figure, name: str, folder: Path) -> None:
    """Write a figure as ``NAME.svg``, ``NAME.pdf`` and ``NAME.png``; within ``style`` only.

    Its layout and what it fills are found once, where matplotlib would draw it twice a format.

    Raises:
        EquipoiseError: A file cannot be written.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    filled = figure.get_tightbbox().padded(matplotlib.rcParams["savefig.pad_inches"])
    for suffix in FORMATS:
        path = folder / f"{name}.{suffix}"
        with clear_write_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, format=suffix, metadata=_NO_DATE[suffix], bbox_inches=filled)


def label(text: object, most: int = 40) -> str:
    """``text`` as a label: short, visible, and of characters that the figures' font has."""
    short = shown(text)
    short = short if len(short) <= most else f"{short[: most - 1]}…"
    return "".join(c if ord(c) in _characters() else "\ufffd" for c in short)


def text_width(text: str) -> float:
    """Width of ``text`` in points, as the figures' font has it in their size."""
    size = _SETTINGS["font.size"]
    font = FontProperties(family=_SETTINGS["font.family"], size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


@cache
def _characters() -> frozenset[int]:
    return frozenset(FT2Font(findfont("DejaVu Sans")).get_charmap())
