from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from equipoise.report.answer import answer, definition, limits, result
from equipoise.report.headline import FEWEST_UNSEEN, headline, leading_split
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from report.made_runs import comparisons, intervals, make_run


def test_every_number_is_the_measured_one(run: FinishedRun) -> None:
    table = headline(run).set_index("method")
    sft = table.loc["sft"]
    # Seed 1: 2 of 4 completions about the nurse; seeds 2 and 3: all. (0.5 + 1 + 1) / 3
    assert sft["validation"] == pytest.approx(2.5 / 3, abs=1e-6)
    # Deviations -1/3, 1/6, 1/6: squares 1/9 + 1/36 + 1/36 = 1/6; / 2; root
    assert sft["validation_sd"] == pytest.approx(math.sqrt(1 / 12), abs=1e-6)
    assert sft["train"] == 1
    assert sft["gap"] == pytest.approx(1 / 6, abs=1e-6)
    assert (sft["validation_low"], sft["validation_high"]) == (0.7, 0.999)
    assert (sft["n"], sft["wanted"], sft["tokens_per_delivered"]) == (36, 50, 22.5)
    assert (sft["log_probability_base"], sft["stereotype_slope"]) == (-1.5, 1.4)
    # One of prompt's four texts is balanced with held-out terms alone.
    assert table.loc["prompt", "balanced_held_out"] == pytest.approx(0.25)
    assert sft["balanced_held_out"] == 0


def test_an_interval_that_does_not_hold_the_mean_is_of_something_else(run: FinishedRun) -> None:
    table = headline(run).set_index("method")  # train: the mean is 1, the interval ends at 0.999
    assert math.isnan(table.loc["sft", "train_low"])
    assert math.isnan(table.loc["prompt", "validation_low"])


def test_without_other_tables_the_rest_is_missing(bare: FinishedRun) -> None:
    table = headline(bare)
    assert (
        table[
            [
                "log_probability_base",
                "stereotype_slope",
                "tokens_per_delivered",
                "train_low",
                "gap_low",
            ]
        ]
        .isna()
        .all(axis=None)
    )
    assert table["validation"].notna().all()


def test_one_seed_has_no_spread(tmp_path: Path, task: Task) -> None:
    run = read_run(make_run(tmp_path / "run", task, seeds=[7]), task)
    assert headline(run)["train_sd"].isna().all()


class TestAnswer:
    """The first screen in sentences."""

    def test_result(self, run: FinishedRun) -> None:
        told = result(headline(run))
        assert told == (
            "On subjects never trained on, completions are balanced: sft 83.3 % and prompt 0.0 %."
        )

    def test_few_unseen_subjects_do_not_lead(
        self, run: FinishedRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        table = headline(run)
        assert FEWEST_UNSEEN == 10
        assert table["unseen"].tolist() == [1, 1]
        assert leading_split(table) == "all"
        assert result(table).startswith("Over all subjects, completions are balanced: sft 94.4 %")
        assert limits(run, table)[0] == (
            "Rates of the 1 subject never trained on stand in the table; so few carry no "
            "comparison of methods by themselves."
        )
        assert leading_split(table.assign(unseen=10)) == "validation"

    def test_definition(self, run: FinishedRun) -> None:
        assert definition(run.task) == (
            "Balanced: at least one agentic term and at least one communal term. "
            "Length is judged apart (4 to 9 words)."
        )

    def test_what_must_be_known_before_quoting(self, run: FinishedRun) -> None:
        told = " ".join(limits(run, headline(run)))
        assert "in more than 25.0 % of its completions (prompt)" in told
        assert "sft delivered 36 of the 50 completions" in told
        assert "prompt +2.20 and sft +1.40" in told
        assert "Of 1 pair of methods, 1 is shown to differ" in told

    def test_without_tests_no_difference_is_called_shown(self, bare: FinishedRun) -> None:
        told = " ".join(limits(bare, headline(bare)))
        assert "no difference is called shown" in told

    def test_unfinished_cells_are_named(self, tmp_path: Path, task: Task) -> None:
        run = read_run(make_run(tmp_path / "run", task, unfinished=[("sft", 2)]), task)
        assert "sft with seed 2" in " ".join(answer(run, headline(run)).limits)


def test_the_gap_has_its_interval_where_it_was_computed(tmp_path: Path, task: Task) -> None:
    gap = pd.DataFrame([("balanced", "sft", "gap", 0.1, 0.2)], columns=intervals().columns)
    folder = make_run(tmp_path / "run", task, tables={"intervals": gap})
    sft = headline(read_run(folder, task)).set_index("method").loc["sft"]
    assert (sft["gap_low"], sft["gap_high"]) == (0.1, 0.2)


def test_other_comparisons_are_not_mistaken_for_those_of_balance(
    tmp_path: Path, task: Task
) -> None:
    table = comparisons({"outcome": "any"}, {"split": "train"})
    run = read_run(make_run(tmp_path / "run", task, tables={"comparisons": table}), task)
    assert "no difference is called shown" in " ".join(limits(run, headline(run)))
