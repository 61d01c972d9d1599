from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

from equipoise.report.figures import label, save, style
from equipoise.report.headline import headline
from equipoise.report.plots import heat_figure, write_figures
from equipoise.runs.finished_run import FinishedRun

NAMES = ("balance", "stereotype", "subjects", "terms", "trade_off", "training")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_all_figures_in_all_formats_the_same_each_time(run: FinishedRun, tmp_path: Path) -> None:
    table = headline(run)
    write_figures(run, table, tmp_path / "one")
    time.sleep(1.1)  # dates have seconds
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        write_figures(run, table, tmp_path / "two")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert sorted(one) == sorted(f"{n}.{f}" for n in NAMES for f in ("pdf", "png", "svg"))
    assert one == two
    assert one["balance.pdf"].startswith(b"%PDF")
    assert one["balance.png"].startswith(b"\x89PNG")
    assert not any(b"CreationDate" in content for content in one.values())


def test_figures_without_data_are_left_out(bare: FinishedRun, tmp_path: Path) -> None:
    write_figures(bare, headline(bare), tmp_path / "figures")
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {
        "balance",
        "subjects",
        "training",
    }


def test_settings_of_others_stay_as_they_were(run: FinishedRun, tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 30}):
        with style():
            assert matplotlib.rcParams["font.size"] == 8
        assert matplotlib.rcParams["font.size"] == 30


def test_text_is_never_markup(tmp_path: Path) -> None:
    hostile = [
        "$\\frac{1}{0}$",
        "<script>alert(1)</script>",
        "\u202e\ud800",
        "中",
        "x" * 9999,
        "a\nb",
    ]
    names = pd.Index(hostile, dtype=object)  # pandas' own strings hold no lone surrogates
    table = pd.DataFrame([[1.0, float("nan")]] * len(hostile), index=names, columns=hostile[:2])
    with style():
        save(heat_figure(table, "title"), "heat", tmp_path)
    root = ET.fromstring((tmp_path / "heat.svg").read_text("utf-8"))  # noqa: S314 - our own
    assert not [node for node in root.iter() if node.tag.endswith(("script", "foreignObject"))]


def test_labels_have_only_characters_of_the_font() -> None:
    assert label("中 é") == "\ufffd é"
    assert label("x" * 100) == "x" * 39 + "…"


def test_nothing_measured_is_a_dash(tmp_path: Path) -> None:
    with style():
        figure = heat_figure(pd.DataFrame([[float("nan")]], index=["a"], columns=["b"]), "t")
    assert isinstance(figure, Figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["–"]
