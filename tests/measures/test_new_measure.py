"""The measure of docs/new-measure.md: one file and one line, and it is shown everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from equipoise.measures import evaluate, registry
from equipoise.measures.declaration import Measure
from equipoise.report.answer import answer
from equipoise.report.headline import headline
from equipoise.report.machine import write_results
from equipoise.report.page import render_page
from equipoise.report.tables import write_tables
from equipoise.runs.finished_run import read_run
from equipoise.task.task import Task
from equipoise.testing import check_measure
from report.made_runs import make_run, small_task

PAGE = Path(__file__).parents[2] / "docs" / "new-measure.md"


@pytest.fixture
def new_measure(monkeypatch: pytest.MonkeyPatch) -> Measure:
    """The page's measure, in the registry for the time of a test."""
    [code, _] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), found)  # noqa: S102 - of our own page
    measure: Measure = found["Exclamations"]()
    place = [one.name for one in registry.MEASURES].index("certainty")
    monkeypatch.setattr(
        registry, "MEASURES", [*registry.MEASURES[:place], measure, *registry.MEASURES[place:]]
    )
    monkeypatch.setattr("equipoise.measures.overview.MEASURES", registry.MEASURES)
    return measure


def loud(task: Task) -> pd.DataFrame:
    """Two methods with two seeds; ``sft`` exclaims in one of two completions."""
    return pd.DataFrame(
        [
            {"method": method, "seed": seed, "subject": subject.name, "text": text}
            for method in ("prompt", "sft")
            for seed in (1, 2)
            for subject in task.subjects
            for text in (
                f"The {subject.name} was bold{'!' if method == 'sft' else '.'}",
                f"The {subject.name} was kind.",
            )
        ]
    )


def test_it_keeps_the_laws(new_measure: Measure) -> None:
    check_measure(new_measure)


def test_it_is_in_terminal_csv_and_comparisons(new_measure: Measure, tmp_path: Path) -> None:
    task = small_task(tmp_path)
    found = evaluate(loud(task), task)
    assert re.search(r"loud", str(found))
    [line] = [line for line in str(found).splitlines() if line.startswith("sft") and "50.0" in line]
    assert line
    assert found.summary.set_index("method")["exclaiming"].to_dict() == {"prompt": 0, "sft": 0.5}
    assert found.exclamations.columns.tolist() == ["method", "seed", "split", "n", "exclaiming"]
    tested = found.comparisons[found.comparisons["outcome"] == "exclaims"]
    assert set(tested["difference"]) == {-0.5}
    assert list(found.tables)[-5:-3] == ["exclamations", "comparisons"]


def test_it_is_on_the_page_in_latex_and_json(new_measure: Measure, tmp_path: Path) -> None:
    task = small_task(tmp_path)
    rows = [
        (method, seed, split, 4, share)
        for method, share in (("prompt", 0.0), ("sft", 0.75))
        for seed in (1, 2, 3)
        for split in ("train", "validation", "all")
    ]
    table = pd.DataFrame(rows, columns=["method", "seed", "split", "n", "exclaiming"])
    run = read_run(make_run(tmp_path / "run", task, tables={"exclamations": table}), task)
    main = headline(run)
    page = render_page(run, main, answer(run, main), "")
    assert "How loud the texts are" in page
    assert page.count("75.0 %") == 2, "once in the main table, once in its section"
    write_tables(run, main, tmp_path / "tables")
    assert "75.0" in (tmp_path / "tables" / "beside_balance.tex").read_text()
    assert "exclamations" in (tmp_path / "tables" / "exclamations.tex").read_text()
    write_results(run, main, answer(run, main), tmp_path / "results.json")
    assert '"exclaiming": 0.75' in (tmp_path / "results.json").read_text()


def test_a_run_without_its_table_says_so(new_measure: Measure, tmp_path: Path) -> None:
    task = small_task(tmp_path)
    run = read_run(make_run(tmp_path / "run", task), task)
    main = headline(run)
    page = render_page(run, main, answer(run, main), "")
    assert "Exclamations: results/exclamations.csv is not there." in page
