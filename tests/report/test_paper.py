from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.report.headline import headline
from equipoise.report.paper import paper
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from equipoise.wording.bibliography import bibliography
from report.made_runs import comparisons, make_run


def written(run: FinishedRun) -> str:
    return paper(run, headline(run), bibliography(run.task.name))


def test_the_numbers_are_those_that_were_measured(run: FinishedRun) -> None:
    told = written(run)
    assert (
        "**sft** was balanced in 100.0 % (± 0.0 across 3 seeds) on train subjects and 83.3 % "
        "(± 28.9 across 3 seeds; 95 % interval 70.0 to 99.9) on validation subjects."
    ) in told
    assert "**prompt** was balanced in 0.0 % (± 0.0 across 3 seeds) on train subjects" in told
    assert "2 of which training data may describe; 1 were held out" in told
    assert "sft was trained with 40 programmatically generated examples, 5 updates" in told
    assert "learning rate 0.0001" in told
    assert "@software{equipoise" in told


def test_claims_stand_against_the_untuned_baseline(run: FinishedRun) -> None:
    told = written(run)
    assert "Against prompt, validation subjects:\n\n- sft (90.0 %) is significantly higher" in told


def test_without_tests_nothing_is_significant(bare: FinishedRun) -> None:
    told = written(bare)
    assert "signific" not in told.casefold()
    assert "not tested against each other" in told


@pytest.mark.parametrize(("p", "count"), [(0.049, 1), (0.05, 0), (0.9, 0), (float("nan"), 0)])
def test_significant_is_said_as_often_as_rows_say_so(
    tmp_path: Path, task: Task, p: float, count: int
) -> None:
    folder = make_run(tmp_path / "run", task, tables={"comparisons": comparisons({"p_holm": p})})
    told = written(read_run(folder, task))
    assert told.count("significant") == count


def test_what_three_seeds_cannot_say_is_said(bare: FinishedRun, tmp_path: Path, task: Task) -> None:
    assert "cannot give a p-value below 0.25" in written(bare)
    one = read_run(make_run(tmp_path / "one", task, seeds=[1]), task)
    assert "nothing can be concluded about methods" in written(one)
    assert "±" not in written(one)
