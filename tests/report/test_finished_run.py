from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from damaged_files import flip
from equipoise.errors import EquipoiseError
from equipoise.files.manifest import seal
from equipoise.measures import write_table
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.runs.record import read_record
from equipoise.runs.result_tables import read_table
from equipoise.runs.scored_file import stored_scores, write_scored
from equipoise.runs.task_of_run import task_of
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from report.made_runs import TASK, make_run, small_task


def test_everything_is_read(run: FinishedRun) -> None:
    assert (run.methods, run.seeds, run.model) == (("prompt", "sft"), (1, 2, 3), "tiny")
    assert len(run.completions) == 2 * 3 * 3 * 4 - 0
    assert run.completions.groupby("method")["balanced"].sum().to_dict() == {
        "prompt": 0,
        "sft": 34,  # 3 seeds x 3 subjects x 4, but two of the nurse's are not
    }
    assert set(run.training) == {("sft", seed) for seed in (1, 2, 3)}
    absent = ("diversity", "settings", "side_effects", "side_effect_tests", "unseen")
    assert run.missing_tables == dict.fromkeys(absent, "is not there")
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
    flip(folder / "cells" / "sft" / "seed2" / "completions.csv", at=-5)
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


class TestJudgements:
    """What the cells say of their completions is compared with what the texts score."""

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("balanced", True),
            ("communal_terms", "kind"),
            ("word_count", 7),
            ("text", "The pilot was bold and kind."),
            ("subject", "pilot"),
        ],
    )
    def test_a_judgement_that_the_text_does_not_score_is_refused(
        self, folder: Path, task: Task, column: str, value: object
    ) -> None:
        cell = folder / "cells" / "prompt" / "seed2"
        stored = stored_scores(cell, task)
        stored.loc[stored.index[0], column] = value
        write_scored(cell, stored)
        with pytest.raises(EquipoiseError, match=r"seed2/scored\.csv: damaged"):
            read_run(folder, task)
        seal(cell)  # as whoever wants to deceive would
        with pytest.raises(EquipoiseError, match=r"seed2/scored\.csv: is not what the completions"):
            read_run(folder, task)

    @pytest.mark.parametrize("rows", [0, 11, 13])
    def test_rows_too_few_or_too_many_are_refused(
        self, folder: Path, task: Task, rows: int
    ) -> None:
        cell = folder / "cells" / "sft" / "seed1"
        stored = stored_scores(cell, task)
        assert len(stored) == 12
        write_scored(cell, stored.iloc[[index % 12 for index in range(rows)]])
        seal(cell)
        with pytest.raises(EquipoiseError, match=r"scored\.csv: is not what the completions"):
            read_run(folder, task)

    def test_one_that_is_missing_from_its_seal_is_damage(self, folder: Path, task: Task) -> None:
        cell = folder / "cells" / "sft" / "seed1"
        (cell / "scored.csv").unlink()
        with pytest.raises(EquipoiseError, match=r"seed1/scored\.csv: damaged"):
            read_run(folder, task)

    def test_a_run_of_an_earlier_version_has_none(self, folder: Path, task: Task) -> None:
        before = read_run(folder, task)
        for cell in folder.glob("cells/*/seed*"):
            (cell / "scored.csv").unlink()
            seal(cell)
        pd.testing.assert_frame_equal(read_run(folder, task).completions, before.completions)

    def test_whether_a_text_was_learnt_is_as_the_cell_and_the_tables_say(
        self, folder: Path, task: Task
    ) -> None:
        cell = folder / "cells" / "sft" / "seed1"
        stored = stored_scores(cell, task)
        write_scored(cell, stored.assign(verbatim=pd.array([True] * 12, dtype="boolean")))
        seal(cell)
        with pytest.raises(EquipoiseError, match=r"by_seed\.csv: is not what the completions"):
            read_run(folder, task)

    def test_ones_own_run_is_not_judged_again(
        self, folder: Path, task: Task, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        strict = read_run(folder, task)
        judged: list[str] = []
        monkeypatch.setattr("equipoise.runs.finished_run.score", lambda *_: judged.append("again"))
        own = read_run(folder, task, own=True)
        assert judged == []
        pd.testing.assert_frame_equal(own.completions, strict.completions)
