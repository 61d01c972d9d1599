"""The whole board: what it says, that it is whole or not at all, and that no text in it acts."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from attacks import ATTACKS
from board.made_boards import SMALL, sealed_run
from equipoise.board import write_board
from equipoise.board.board import assemble
from equipoise.board.finished import read_runs
from equipoise.errors import EquipoiseError
from equipoise.task.task import Task
from report.made_runs import small_task
from report.real_latex import compiled
from run_files import contents

OTHER = {
    "prompt": {"balanced_requested": 0.2, "log_probability_base": -2.0, "told": 0},
    "sft": {"balanced_requested": 0.1, "log_probability_base": -2.5, "told": 20,
            "worst_side_effect": "perplexity +46 %"},
    "filter": {"balanced_requested": 1.0, "by_construction": True},
}  # fmt: skip
"""Another run, in which sft is worse than prompt and the filter's fluency is not known."""


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return small_task(tmp_path)


def three_runs(folder: Path) -> list[Path]:
    """Two runs that can be compared, and one that cannot."""
    task = small_task(folder)
    found = [
        sealed_run(folder / "one", task, study={"model": "org/first"}),
        sealed_run(folder / "two", task, OTHER, study={"model": "second"}),
        sealed_run(folder / "three", task, study={"samples_per_subject": 9}),
    ]
    (found[0] / "report" / "index.html").write_text("<p>its own")
    return found


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return three_runs(tmp_path)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The board of those runs, written once."""
    folder = tmp_path_factory.mktemp("made")
    out = folder / "some" / "board"
    assert write_board(three_runs(folder), out)[0] == out / "index.html"
    return out


def results(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "results.json").read_text("utf-8")))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_it_says(board: Path) -> None:
    told = results(board)
    assert told["over"] == ["balanced_requested", "log_probability_base"]
    one, two = told["runs"]
    # One: filter has all the balance, prompt all the fluency; sft has less of both than filter.
    assert one["front"] == {"prompt": True, "sft": False, "filter": True}
    assert two["front"] == {"prompt": True, "sft": False, "filter": None}
    assert told["on_every_front"] == ["prompt"]
    assert told["apart"][0]["apart"] == "samples_per_subject: 9, and 4 in first, small"
    # Balance: of three pairs one swapped. Fluency: of two methods the order is the same.
    assert [(one["headline"], one["tau"], one["low"]) for one in told["agreements"]] == [
        ("balanced_requested", pytest.approx(1 / 3), None),
        ("log_probability_base", 1.0, None),
    ]
    assert told["swapped"] == [
        {"headline": "balanced_requested", "one": "first, small", "other": "second, small",
         "pairs": [["sft", "prompt"]]}
    ]  # fmt: skip
    assert one["values"][0] == {
        "method": "prompt", "balanced_requested": 0.1, "worst_side_effect": None,
        "log_probability_base": -3.0, "told": 0.0, "by_construction": None,
    }  # fmt: skip


def test_tables_for_programs_and_papers(board: Path) -> None:
    tables = board / "tables"
    assert rows(tables / "balanced_requested.csv")[1] == {
        "method": "sft", "first, small": "0.900000", "second, small": "0.100000",
    }  # fmt: skip
    assert rows(tables / "swapped.csv") == [
        {"headline": "balanced_requested", "one": "first, small", "other": "second, small",
         "better_in_one": "sft", "better_in_other": "prompt"}
    ]  # fmt: skip
    places = rows(tables / "places_balanced_requested.csv")
    assert [list(row.values()) for row in places] == [
        ["prompt", "3", "2", "1"], ["sft", "2", "3", "1"],
    ]  # fmt: skip
    assert [row["apart"] for row in rows(tables / "runs.csv")][:2] == ["", ""]
    tex = (tables / "front.tex").read_text("ascii")
    assert "by construction" in tex
    assert r"\label{tab:board-front}" in tex


def test_the_page(board: Path) -> None:
    page = (board / "index.html").read_text("utf-8")
    assert "<bdi>prompt is on the Pareto front of every run. Rankings by" in page
    assert '<a href="../../one/report/index.html">report</a>' in page
    assert page.count(">report</a>") == 1, "the others have no page of their own"
    assert "stands apart, and is in no number here: samples_per_subject: 9, and 4 in" in page
    assert "Rankings of 2 methods say little" in page
    assert page.count("by construction</span>") == 3, "two balances, and one front"
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page


def test_one_run_alone(runs: list[Path], tmp_path: Path) -> None:
    write_board(runs[:1], tmp_path / "board")
    told = results(tmp_path / "board")
    assert told["on_every_front"] == ["prompt", "filter"]
    assert (told["agreements"], told["swapped"], told["apart"]) == ([], [], [])
    page = (tmp_path / "board" / "index.html").read_text("utf-8")
    assert "prompt and filter are on the Pareto front." in page
    assert "Do the runs agree?" not in page
    assert not (tmp_path / "board" / "tables" / "swapped.csv").exists()


def test_over_what_methods_are_ranked(runs: list[Path], tmp_path: Path) -> None:
    found = assemble(read_runs(runs[:2]), ["balanced_requested"])
    assert found.always_on_front == ["filter"]
    for name in ("balancd_requested", "told", "worst_side_effect", "stereotype_slope"):
        with pytest.raises(EquipoiseError, match=f"cannot be ranked by '{name}'"):
            write_board(runs[:2], tmp_path / "board", over=[name])
    assert not (tmp_path / "board").exists()


def test_the_same_bytes_each_time(board: Path) -> None:
    before, folder = contents(board), board.parent.parent
    write_board([folder / name for name in ("one", "two", "three")], board)
    assert contents(board) == before
    assert list(board.parent.iterdir()) == [board]


def test_what_is_no_board_is_never_replaced(runs: list[Path], tmp_path: Path) -> None:
    for name, text in (("notes.txt", "mine"), ("results.json", '{"equipoise_report": 2}')):
        out = tmp_path / name.partition(".")[0]
        out.mkdir()
        (out / name).write_text(text)
        with pytest.raises(EquipoiseError, match="something is there that is no board"):
            write_board(runs, out)
        assert contents(out) == {name: text.encode()}


def test_after_a_refusal_the_earlier_board_is_there(runs: list[Path], tmp_path: Path) -> None:
    write_board(runs, tmp_path / "board")
    before = contents(tmp_path / "board")
    shutil.rmtree(runs[1] / "cells" / "sft")
    with pytest.raises(EquipoiseError, match="its cell sft, seed 1, is missing"):
        write_board(runs, tmp_path / "board")
    assert contents(tmp_path / "board") == before
    with pytest.raises(EquipoiseError, match="there is no run"):
        write_board([], tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.fixture
def hostile(tmp_path: Path, task: Task) -> list[Path]:
    """Runs whose names and side effects are attacks."""
    values = {
        method: {**own, "worst_side_effect": attack}
        for (method, own), attack in zip(
            SMALL.items(), (ATTACKS[1], ATTACKS[3], ATTACKS[13]), strict=True
        )
    }
    models = [ATTACKS[4], ATTACKS[11] + "\ud800", ATTACKS[12] + ATTACKS[15]]
    return [
        sealed_run(tmp_path / f'{number} "><b>', task, values, study={"model": model})
        for number, model in enumerate(models)
    ]


def test_no_text_of_a_run_is_markup(hostile: list[Path], tmp_path: Path) -> None:
    (hostile[0] / "report" / "index.html").write_text("<p>")
    write_board(hostile, tmp_path / "board")
    page = (tmp_path / "board" / "index.html").read_text("utf-8")
    assert not re.search(r"<(script|img|iframe|animate|b>\s*\")", page)
    assert "../0%20%22%3E%3Cb%3E/report/index.html" in page
    for path in (tmp_path / "board" / "tables").glob("*.csv"):
        for row in csv.reader(path.read_text("utf-8").splitlines()):
            assert not any(cell.startswith(("=", "@")) for cell in row), path


def test_latex_compiles(hostile: list[Path], tmp_path: Path, latex: str) -> None:
    write_board(hostile[:2], tmp_path / "board")
    tables = sorted((tmp_path / "board" / "tables").glob("*.tex"))
    assert tables
    compiled(latex, tmp_path, "\n".join(path.read_text("ascii") for path in tables))


def test_nothing_acts_in_a_browser(hostile: list[Path], tmp_path: Path, opened: Any) -> None:
    write_board(hostile, tmp_path / "board")
    path = tmp_path / "board" / "index.html"
    for width in (1280, 390):
        found = opened(path, viewport={"width": width, "height": 900})
        assert found.requests == [path.as_uri()]
        assert found.complaints == []
        assert found.page.evaluate("window.attacked === undefined")
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
