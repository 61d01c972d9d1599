from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.report import write_report
from equipoise.task.task import Task
from report.made_runs import cost, make_run
from run_files import contents


@pytest.mark.slow
def test_two_reports_of_the_same_results_are_byte_identical(folder: Path, task: Task) -> None:
    before = contents(folder)
    write_report(folder, task=task)
    first = contents(folder / "report")
    time.sleep(1.1)  # dates have seconds
    moved = folder.with_name("elsewhere")
    shutil.copytree(folder, moved, ignore=shutil.ignore_patterns("report"))
    write_report(moved, task=task)
    assert contents(moved / "report") == first
    write_report(folder)  # again, with the copy of the task
    assert contents(folder / "report") == first
    report = {f"report/{name}" for name in first}
    assert {k: v for k, v in contents(folder).items() if k not in report} == before


def test_what_is_written(folder: Path, task: Task) -> None:
    written = write_report(folder, task=task)
    assert [path.name for path in written] == [
        "index.html", "paper.md", "figures", "tables", "results.json",
    ]  # fmt: skip
    assert all(path.exists() for path in written)
    assert {path.name for path in (folder / "report").iterdir()} == {
        "index.html", "paper.md", "figures", "tables", "results.json", "task.toml", "citation.bib",
    }  # fmt: skip


def test_the_json_says_what_the_tables_say(folder: Path, task: Task) -> None:
    write_report(folder, task=task)
    told = json.loads((folder / "report" / "results.json").read_text("utf-8"))
    assert told["equipoise_report"] == 1
    [prompt, sft] = told["headline"]
    assert (prompt["method"], prompt["train_low"]) == ("prompt", None)
    assert sft["validation"] == pytest.approx(2.5 / 3, abs=1e-6)
    assert [one["finding"] for one in told["claims"]] == ["differs"]
    assert told["tables"]["intervals"][0]["low"] == 0.7
    assert any("diversity" in sentence for sentence in told["missing"])


def test_tables_disarm_formulas(tmp_path: Path, task: Task) -> None:
    text = '=HYPERLINK("http://example.invalid","x")'
    folder = make_run(tmp_path / "run", task, tables={"cost": cost().assign(note=text)})
    write_report(folder, task=task)
    with (folder / "report" / "tables" / "cost.csv").open(newline="") as stream:
        assert [row["note"] for row in csv.DictReader(stream)] == [f"'{text}"] * 2


def test_something_else_is_never_replaced(folder: Path, task: Task, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(EquipoiseError, match="something is there that is no report"):
        write_report(folder, mine, task=task)
    assert contents(mine) == {"thesis.txt": b"years of work"}
    with pytest.raises(EquipoiseError, match="something is there that is no report"):
        write_report(folder, mine / "thesis.txt", task=task)


@pytest.mark.slow
def test_a_failure_leaves_the_earlier_report(
    folder: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(folder, task=task)
    before = contents(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("equipoise.report.write.write_results", full)
    with pytest.raises(OSError, match="No space"):
        write_report(folder, task=task)
    assert contents(folder) == before


def test_a_leftover_of_a_killed_report_is_no_obstacle(folder: Path, task: Task) -> None:
    (folder / ".report.partial").mkdir()
    (folder / ".report.partial" / "index.html").write_text("half")
    (folder / ".report.before").mkdir()
    write_report(folder, task=task)
    assert not [path for path in folder.iterdir() if path.name.startswith(".report")]


@pytest.mark.parametrize("seeds", [[5], [1, 2]])
@pytest.mark.parametrize("methods", [["prompt"], ["sft"], ["prompt", "sft", "sft-2"]])
def test_small_studies(tmp_path: Path, task: Task, seeds: list[int], methods: list[str]) -> None:
    folder = make_run(tmp_path / "run", task, seeds=seeds, methods=methods)
    write_report(folder, task=task)
    page = (folder / "report" / "index.html").read_text("utf-8")
    assert "nan" not in page.replace("finance", "").lower().split("<script")[0]


@pytest.mark.parametrize("text", ["", "a", "The doctor was bold and kind."])
def test_completions_that_are_all_alike(tmp_path: Path, task: Task, text: str) -> None:
    folder = make_run(tmp_path / "run", task, texts=lambda *_: [text])
    write_report(folder, task=task)
    assert (folder / "report" / "index.html").stat().st_size > 1000
