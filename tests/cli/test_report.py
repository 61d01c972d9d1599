from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from report.made_runs import TASK, make_run, small_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", small_task(tmp_path))


@pytest.mark.slow
def test_a_report_is_written_and_named(equipoise, folder: Path, tmp_path: Path) -> None:
    outcome = equipoise("report", folder, "--task", tmp_path / "small.toml")
    assert (outcome.code, outcome.out) == (0, "")
    assert f"  {folder}/report/index.html\n" in outcome.err
    assert (folder / "report" / "index.html").is_file()
    again = equipoise("report", folder, "--out", "there")  # the copy of the task is found
    assert again.code == 1
    assert "Name the task's file with --task." in again.err
    assert equipoise("report", folder).code == 0


def test_errors_are_one_line_that_says_what_to_do(equipoise, folder: Path, tmp_path: Path) -> None:
    nowhere = equipoise("report", "nowhere")
    assert nowhere.code == 1
    assert "holds no study.json, so it is no run. Give the folder" in nowhere.err
    other = small_task(tmp_path / "other", TASK.replace('"kind"', '"tall"'))
    wrong = equipoise("report", folder, "--task", str(other.path))
    assert "is not what the completions score by this task" in wrong.err
    assert "Traceback" not in wrong.err


@pytest.mark.slow
class TestAfterARun:
    """``equipoise run`` ends with a report."""

    def test_it_is_written(self, equipoise, study_file: Path) -> None:
        outcome = equipoise("run", study_file)
        assert outcome.code == 0, outcome.err
        assert "Report: runs/small/report/index.html" in outcome.err
        assert Path("runs/small/report/results.json").is_file()
        card = Path("runs/small/cells/sft/seed1/model/README.md")
        told = card.read_bytes()
        card.unlink()
        first = Path("runs/small/report/index.html").read_bytes()
        again = equipoise("run", study_file, "--quiet")
        assert again.code == 0, again.err
        assert "Report" not in again.err
        assert Path("runs/small/report/index.html").read_bytes() == first
        assert card.read_bytes() == told, "a card that is missing is written by the next run"
        shutil.rmtree("runs/small/report")
        task = study_file.with_name("small.toml")
        assert equipoise("report", "runs/small", "--task", task).code == 0
        assert Path("runs/small/report/index.html").read_bytes() == first

    def test_its_failure_loses_no_results(
        self, equipoise, study_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object, **options: object) -> None:
            raise ValueError("no figure today")

        monkeypatch.setattr("equipoise.report.write_report", fail)
        outcome = equipoise("run", study_file)
        assert outcome.code == 1
        assert (
            "the results are complete, but the report was not written (no figure today)"
            in outcome.err
        )
        assert "Try again with: equipoise report runs/small" in outcome.err
        assert Path("runs/small/results/compliance.csv").is_file()
        assert "sft" in outcome.out

    def test_cells_that_failed_are_named_in_it(
        self, equipoise, study_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from equipoise.study import computation

        honest = computation.run_cell

        def run_cell(cell, *arguments, **options):
            if (cell.label, cell.seed) == ("sft", 2):
                raise EquipoiseError("out of luck")
            return honest(cell, *arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(computation, "run_cell", run_cell)
            outcome = equipoise("run", study_file)
        assert outcome.code == 1
        assert "1 cell failed: sft, seed 2: out of luck" in outcome.err
        page = Path("runs/small/report/index.html")
        assert "The cell sft, seed 2: it is not finished." in page.read_text("utf-8")
        assert "Not finished, and in no number here: sft with seed 2." in page.read_text("utf-8")
        told = json.loads(Path("runs/small/report/results.json").read_text("utf-8"))
        assert "The cell sft, seed 2: it is not finished." in told["missing"]
        assert equipoise("run", study_file).code == 0  # the cell is made up for
        assert "it is not finished" not in page.read_text("utf-8")
