from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from equipoise.errors import EquipoiseError
from equipoise.measures import write_table
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.runs.record import read_record
from equipoise.runs.result_tables import read_table
from equipoise.runs.task_of_run import task_of
from equipoise.task.task import Task, load_task
from report.made_runs import TASK, make_run, small_task


def test_everything_is_read(run: FinishedRun) -> None:
    assert (run.methods, run.seeds, run.model) == (("prompt", "sft"), (1, 2, 3), "tiny")
    assert len(run.completions) == 2 * 3 * 3 * 4 - 0
    assert run.completions.groupby("method")["balanced"].sum().to_dict() == {
        "prompt": 0,
        "sft": 34,  # 3 seeds x 3 subjects x 4, but two of the nurse's are not
    }
    assert set(run.training) == {("sft", seed) for seed in (1, 2, 3)}
    assert run.missing_tables == dict.fromkeys(("diversity", "settings"), "is not there")
    assert run.missing_cells == ()


@pytest.mark.parametrize(
    ("statistics", "alpha", "confidence"),
    [
        ({"alpha": 0.01}, 0.01, "99 %"),
        ({"alpha": 0.001}, 0.001, "99.9 %"),
        ({}, 0.05, "95 %"),
        ({"alpha": "<b>"}, 0.05, "95 %"),
        ({"alpha": 7.0}, 0.05, "95 %"),
        ([], 0.05, "95 %"),
    ],
)
def test_the_level_of_tests_is_the_recorded_one(
    tmp_path: Path, task: Task, statistics: object, alpha: float, confidence: str
) -> None:
    folder = make_run(tmp_path / "run", task, record={"statistics": statistics})
    found = read_run(folder, task)
    assert (found.alpha, found.confidence) == (alpha, confidence)


def test_labels_stay_texts_and_numbers_become_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("method,seed,mean,setting\n007,1,0.5,true\nNA,,,1\n", encoding="utf-8")
    table = read_table(path)
    assert table["method"].tolist() == ["007", "NA"]
    assert table["setting"].tolist() == ["true", "1"]
    assert table["seed"].dtype == table["mean"].dtype == float
    assert table["mean"].isna().tolist() == [False, True]
    assert read_table(path, numbers=False)["mean"].tolist() == ["0.5", ""]


def test_an_unfinished_run_is_read_and_says_what_is_missing(tmp_path: Path, task: Task) -> None:
    folder = make_run(tmp_path / "run", task, unfinished=[("sft", 2)])
    assert read_run(folder, task).missing_cells == (("sft", 2),)


def test_a_cell_that_delivered_nothing_has_no_completions(tmp_path: Path, task: Task) -> None:
    folder = make_run(
        tmp_path / "run", task, texts=lambda method, *_: [] if method == "sft" else ["Yes."]
    )
    run = read_run(folder, task)
    assert set(run.completions["method"]) == {"prompt"}
    assert run.missing_cells == ()


@pytest.mark.parametrize("part", ["study", "methods", "seeds"])
@pytest.mark.parametrize("value", [None, 3, "x", [["a"]]])
def test_a_record_that_is_none_is_refused(folder: Path, part: str, value: object) -> None:
    record = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps({**record, part: value}))
    with pytest.raises(EquipoiseError, match=r"study\.json: (study|methods|seeds): "):
        read_record(folder)


@pytest.mark.parametrize(
    "label", ["../sft", "/etc", ".", "", "a/b", "a\x00b", "x" * 300, "con\ud800"]
)
def test_a_label_cannot_lead_out_of_the_folder(folder: Path, task: Task, label: str) -> None:
    record = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps({**record, "methods": {label: {}}}))
    with pytest.raises(EquipoiseError, match="methods"):
        read_run(folder, task)


@pytest.mark.parametrize("seed", [-1, 1.5, "1/../../../sft", True and 2**40])
def test_a_seed_cannot_either(folder: Path, task: Task, seed: object) -> None:
    record = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps({**record, "seeds": [seed]}))
    with pytest.raises(EquipoiseError, match="seeds"):
        read_run(folder, task)


def test_damaged_completions_are_noticed(folder: Path, task: Task) -> None:
    path = folder / "cells" / "sft" / "seed2" / "completions.csv"
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    with pytest.raises(EquipoiseError, match=r"seed2/completions\.csv: damaged"):
        read_run(folder, task)


def test_the_rates_are_needed(folder: Path, task: Task) -> None:
    (folder / "results" / "by_seed.csv").unlink()
    with pytest.raises(EquipoiseError, match="not written yet"):
        read_run(folder, task)


def test_an_optional_table_that_cannot_be_read_is_missing(folder: Path, task: Task) -> None:
    (folder / "results" / "terms.csv").write_bytes(b"\xff")
    (folder / "results" / "cost.csv").write_text("method,delivered\n", encoding="utf-8")
    run = read_run(folder, task)
    assert run.missing_tables["terms"] == "cannot be used: not UTF-8 at byte 0"
    assert run.missing_tables["cost"] == "cannot be used: has a header but no rows"


def test_folders_that_are_no_run(tmp_path: Path, task: Task, folder: Path) -> None:
    with pytest.raises(EquipoiseError, match=r"holds no study\.json"):
        read_run(tmp_path / "nowhere", task)
    shutil.rmtree(folder / "cells")
    with pytest.raises(EquipoiseError, match="no cell is finished"):
        read_run(folder, task)


class TestTask:
    """Which task a run was of."""

    def test_the_one_that_is_given_must_score_the_same(
        self, folder: Path, task: Task, tmp_path: Path
    ) -> None:
        record = read_record(folder)
        assert task_of(record, folder / "report", task.path) == task
        other = small_task(tmp_path / "other", TASK.replace('"kind"', '"tall"'))
        with pytest.raises(EquipoiseError, match="not what the completions score by this task"):
            read_run(folder, task_of(record, folder / "report", other.path))

    def test_a_file_that_changed_without_changing_a_score_will_do(
        self, folder: Path, tmp_path: Path
    ) -> None:
        run = read_run(folder, small_task(tmp_path / "other", TASK + "\n# a remark\n"))
        assert not run.same_task

    def test_a_copy_beside_the_report_is_found(self, folder: Path, task: Task) -> None:
        with pytest.raises(EquipoiseError, match="Name the task's file with --task"):
            task_of(read_record(folder), folder / "report")
        (folder / "report").mkdir()
        shutil.copy(str(task.path), folder / "report" / "task.toml")
        assert task_of(read_record(folder), folder / "report").subjects == task.subjects

    def test_a_built_in_one_is_found(self, tmp_path: Path) -> None:
        task = load_task("occupations")
        folder = make_run(tmp_path / "run", task, texts=lambda *_: ["The doctor was bold."])
        assert task_of(read_record(folder), folder / "report") == task
        (folder / "report").mkdir()  # a copy of the right content comes before the built-in one
        (folder / "report" / "task.toml").write_text(TASK)
        assert task_of(read_record(folder), folder / "report") == task

    def test_no_path_of_the_record_is_opened(self, folder: Path, task: Task) -> None:
        record = read_record(folder)
        record["study"]["task"] = str(task.path)
        with pytest.raises(EquipoiseError, match="Name the task's file"):
            task_of(record, folder / "report")


def test_tables_that_are_older_than_the_cells_are_refused(folder: Path, task: Task) -> None:
    path = folder / "results" / "by_seed.csv"
    whole = path.read_text()
    path.write_text(whole.rsplit("\n", 4)[0] + "\n")
    with pytest.raises(EquipoiseError, match="not what the completions score"):
        read_run(folder, task)
    path.write_text(whole.replace("0.500000", "0.500002"))
    with pytest.raises(EquipoiseError, match="not what the completions score"):
        read_run(folder, task)


@pytest.mark.parametrize("spoil", [lambda t: t.drop(columns="low"), lambda t: t.assign(low="x")])
def test_a_table_of_another_version_is_said_to_be_of_no_use(folder, task, spoil) -> None:
    path = folder / "results" / "intervals.csv"
    write_table(path, spoil(pd.read_csv(path)))
    run = read_run(folder, task)
    assert "intervals" not in run.tables
    reason = "cannot be used: its column low is missing or no number"
    assert run.missing_tables["intervals"] == reason
