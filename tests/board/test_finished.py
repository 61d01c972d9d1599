"""What is no finished, whole run is refused, with the file, the field and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from board.made_boards import SMALL, sealed_run, summary
from equipoise.board.finished import read_runs
from equipoise.errors import EquipoiseError
from equipoise.measures import write_table
from equipoise.runs.store import Store
from equipoise.task.task import Task
from report.made_runs import small_task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return small_task(tmp_path)


@pytest.fixture
def run(tmp_path: Path, task: Task) -> Path:
    return sealed_run(tmp_path / "run", task)


def refused(*folders: Path) -> EquipoiseError:
    with pytest.raises(EquipoiseError) as caught:
        read_runs(folders)
    assert caught.value.hint
    return caught.value


def test_a_run_is_read(run: Path) -> None:
    (found,) = read_runs([run])
    assert found.name == "tiny, small"
    assert list(found.values.index) == ["prompt", "sft", "filter"]
    assert found.values.at["sft", "balanced_requested"] == 0.9
    assert found.values["without_listed_wide"].isna().all()
    assert found.values["worst_side_effect"].isna().all()
    assert found.page is None
    (run / "report" / "index.html").write_text("<p>")
    assert found.page == run / "report" / "index.html"


def test_a_foreign_folder(tmp_path: Path) -> None:
    assert "holds no study.json" in refused(tmp_path).problem


def test_an_unfinished_run(run: Path) -> None:
    shutil.rmtree(run / "cells" / "sft" / "seed1")
    error = refused(run)
    assert (error.file, error.problem) == (str(run), "its cell sft, seed 1, is missing")


@pytest.mark.parametrize(
    ("name", "file", "problem"),
    [
        ("results/summary.csv", "results", "summary.csv is damaged"),
        ("results/by_seed.csv", "results", "by_seed.csv is damaged"),
        ("study.json", "study.json", "its SHA-256 is not the recorded one"),
        ("cells/sft/seed1/completions.csv", "cells/sft/seed1/completions.csv", "damaged"),
    ],
)
def test_one_changed_byte(run: Path, name: str, file: str, problem: str) -> None:
    content = (run / name).read_bytes()
    changed = content.replace(b"1", b"2", 1) if name != "study.json" else content.replace(
        b'"top_p": 0.95', b'"top_p": 0.96')  # fmt: skip
    assert changed != content
    (run / name).write_bytes(changed)
    error = refused(run)
    assert error.file == str(run / file)
    assert problem in error.problem


def test_tables_that_were_never_written(run: Path) -> None:
    (run / "results" / "summary.csv").unlink()
    error = refused(run)
    assert (error.file, error.problem) == (str(run / "results/summary.csv"), "not written yet")


def rewritten(run: Path, change) -> EquipoiseError:
    """The refusal of a run whose summary was changed before it was sealed."""
    write_table(run / "results" / "summary.csv", change(summary(SMALL)))
    Store(run).seal_results()
    return refused(run)


def test_a_summary_of_an_earlier_version(run: Path) -> None:
    error = rewritten(run, lambda table: table.drop(columns="balanced_requested"))
    assert error.field == "balanced_requested"
    assert error.hint == "Run the study again with this folder: it is written anew."


def test_a_summary_that_no_run_writes(run: Path) -> None:
    error = rewritten(run, lambda table: table.assign(fit_seconds="<b>"))
    assert error.field == "fit_seconds"
    error = rewritten(run, lambda table: table.assign(method="sft"))
    assert (error.field, error.problem) == ("method", "it names a method twice")


def test_the_same_run_twice(run: Path) -> None:
    error = refused(run, run / ".." / run.name)
    assert f"is the same run as {run}" in error.problem


def test_a_task_that_is_not_at_hand(run: Path, tmp_path: Path) -> None:
    other = small_task(tmp_path / "other")
    assert other.path is not None
    with other.path.open("a") as stream:
        stream.write("# later\n")
    shutil.copyfile(other.path, run / "report" / "task.toml")
    error = refused(run)
    assert error.field == "study.task_sha256"
    assert f"equipoise report {run} --task FILE" in str(error.hint)
    (run / "report" / "task.toml").unlink()
    assert refused(run).field == "study.task"


def test_every_run_has_a_name_of_its_own(tmp_path: Path, task: Task) -> None:
    folders = [
        sealed_run(tmp_path / "a" / "run", task, study={"model": "org/one"}),
        sealed_run(tmp_path / "b" / "run", task, study={"model": "other/one"}),
        sealed_run(tmp_path / "c" / "run", task, study={"model": "two"}),
        sealed_run(tmp_path / "d" / "more", task, study={"model": "one"}),
    ]
    assert [run.name for run in read_runs(folders)] == [
        "one, small, run (1)", "one, small, run (2)", "two, small", "one, small, more",
    ]  # fmt: skip
