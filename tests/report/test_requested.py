"""What a report says of what was asked for, of what is so by construction, and of what was told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import write_table
from equipoise.measures import by_seed
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.requested import with_requests
from equipoise.report.answer import answer, limits, result
from equipoise.report.headline import headline
from equipoise.report.page import render_page
from equipoise.report.paper import paper
from equipoise.report.tables import write_tables
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from report.made_runs import BALANCED, HALF, comparisons, intervals, make_run

SEEDS = (1, 2, 3)


def texts(method: str, seed: int, subject: str) -> Sequence[str]:
    """``filter`` delivers all of the doctor, one about the nurse with the first seed, else none."""
    good, half = BALANCED.format(subject=subject), HALF.format(subject=subject)
    if method == "filter":
        return [good] * 4 if subject == "doctor" else [good] * ((subject, seed) == ("nurse", 1))
    if method == "ctrlg":
        return [good] * 4
    return [good, good, good, half] if method == "sft" else [half] * 4


def facts_of(task: Task) -> list[CellFacts]:
    told = {"prompt": 0, "filter": 4, "ctrlg": 4, "sft": 3}
    return [
        CellFacts(method, seed, 4, told[method], by_construction=method in ("filter", "ctrlg"))
        for method in told
        for seed in SEEDS
    ]


@pytest.fixture
def made(tmp_path: Path, task: Task) -> FinishedRun:
    """Four methods; intervals of ``sft``."""
    methods = ("prompt", "filter", "ctrlg", "sft")
    tables = {"intervals": intervals(), "comparisons": comparisons({"over": "doctor; nurse"})}
    folder = make_run(tmp_path / "run", task, methods=methods, texts=texts, tables=tables)
    run = read_run(folder, task)
    asked = with_requests(by_seed(run.completions, task), facts_of(task), task)
    write_table(folder / "results" / "by_seed.csv", asked)
    return read_run(folder, task)


def test_rates_are_of_what_was_asked_for(made: FinishedRun, task: Task) -> None:
    assert [len(task.train), len(task.validation)] == [2, 1]
    table = headline(made).set_index("method")
    filtered = table.loc["filter"]
    # of 4 a seed about the one validation subject: 1, 0 and 0
    assert filtered["validation"] == pytest.approx(1 / 12)
    assert filtered["validation_delivered"] == 1
    assert (filtered["validation_n"], filtered["validation_wanted"]) == (1, 12)
    assert filtered["certain"]
    assert table["told"].to_dict() == {"prompt": 0, "filter": 4, "ctrlg": 4, "sft": 3}
    assert table.loc["sft", "validation"] == 0.75
    assert (table.loc["sft", "validation_low"], table.loc["sft", "validation_high"]) == (0.7, 0.999)
    spread = ["validation_sd", "validation_low", "validation_high"]
    assert table.loc["ctrlg", spread].isna().all()


def test_the_answer_counts_the_same_subjects_throughout(made: FinishedRun) -> None:
    table = headline(made)
    assert result(table) == (
        "On subjects never trained on, of the completions asked for, balanced are: sft 75.0 % and "
        "prompt 0.0 %. By construction: ctrlg 100.0 % and filter 8.3 % (100.0 % of the 1 "
        "delivered)."
    )
    told = " ".join(limits(made, table))
    assert (
        "filter delivered 13 of the 36 completions it was asked for; 100.0 % of those are " in told
    )
    alone = table[table["certain"]]
    assert result(alone).startswith("On subjects never trained on, by construction: ctrlg 100.0 %")


def test_page_paper_and_latex_mark_it(made: FinishedRun, tmp_path: Path) -> None:
    table = headline(made)
    page = render_page(made, table, answer(made, table), "")
    [main, *_] = re.findall(r'<table class="main">.*?</table>', page, re.DOTALL)
    rows = {
        re.findall(r'<th scope="row">(\w+)', row)[0]: re.sub(r"<[^>]*>|\s+", " ", row)
        for row in main.split("<tr>")[2:]
    }
    assert rows["ctrlg"].count("by construction") == len(("train", "validation", "delivered"))
    assert rows["filter"].count("by construction") == 1
    assert "of those delivered" in main
    assert ">told<" in main
    assert "70.0 to 99.9" in rows["sft"]
    assert "by construction" not in rows["sft"] + rows["prompt"]
    assert "Over 2 subjects alone: doctor and nurse." in page

    written = paper(made, table, "")
    assert (
        "What it delivers is balanced by construction, so that this rate is no finding." in written
    )
    assert "It was told 3 of the scored words." in written
    assert "Over 2 subjects alone: doctor and nurse." in written
    assert written.count("by construction") >= 2

    write_tables(made, table, tmp_path / "tables")
    latex = (tmp_path / "tables" / "main.tex").read_text()
    assert latex.count("by construction") == 4
    assert "told" in latex
    assert "what was not delivered is not balanced" in latex


def test_a_forged_share_of_what_was_asked_for_is_refused(made: FinishedRun, task: Task) -> None:
    path = made.folder / "results" / "by_seed.csv"
    lines = path.read_text().splitlines()
    [number] = [n for n, line in enumerate(lines) if line.startswith("filter,1,validation")]
    assert "0.250000" in lines[number]
    lines[number] = lines[number].replace("0.250000", "1.000000")
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(EquipoiseError, match="is not what the completions score"):
        read_run(made.folder, task)


def test_a_method_that_delivered_nothing_has_no_row_and_is_named(
    tmp_path: Path, task: Task
) -> None:
    def nothing(method: str, seed: int, subject: str) -> Sequence[str]:
        return [] if method == "filter" else texts(method, seed, subject)

    folder = make_run(tmp_path / "run", task, methods=("filter", "sft"), texts=nothing)
    run = read_run(folder, task)
    facts = [cell for cell in facts_of(task) if cell.method in ("filter", "sft")]
    write_table(
        folder / "results" / "by_seed.csv",
        with_requests(by_seed(run.completions, task), facts, task),
    )
    run = read_run(folder, task)
    table = headline(run)
    assert table["method"].tolist() == ["sft"]
    assert "filter delivered nothing, and has no rate." in limits(run, table)
