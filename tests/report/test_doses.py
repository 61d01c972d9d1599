"""Dose and response: which rows a finished run gives, and how they are drawn and told."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from equipoise.measures import compliance_table
from equipoise.report import write_report
from equipoise.report.charts import page_charts
from equipoise.report.dose_plot import dose_figure
from equipoise.report.doses import doses, each_sweep, responses, splits_of
from equipoise.report.figures import style
from equipoise.report.headline import headline
from equipoise.report.tables import write_tables
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from report.made_runs import BALANCED, HALF, make_run

SCALES = {"v-minus-1": -1.0, "v-0": 0.0, "v-0.5": 0.5}
DRAWS = {"f-1000": 1000.0, "f-10": 10.0}
SWEEPS = {
    "v": {"setting": "scale", "methods": SCALES},
    "f": {"setting": "max_draws", "methods": DRAWS},
}
BALANCED_OF_FOUR = {"v-minus-1": 0, "v-0": 1, "v-0.5": 3, "f-1000": 4, "f-10": 2, "prompt": 0}


def texts(method: str, seed: int, subject: str) -> Sequence[str]:
    number = BALANCED_OF_FOUR[method]
    return [(BALANCED if i < number else HALF).format(subject=subject) for i in range(4)]


def tables() -> dict[str, pd.DataFrame]:
    """Fluency of all, slopes and an examination of the vectors alone."""
    fluency = [("base", "tiny", m, 1, "all", -2.0 - n) for m, n in BALANCED_OF_FOUR.items()]
    slopes = [("association_unfitted", m, None, 2 - v, 1 - v, 3 - v, 0.8)
              for m, v in SCALES.items()]  # fmt: skip
    # 1.1 times the perplexity, of which 1.05 is let pass: twice as much as that.
    examined = [(m, None, "perplexity_ratio", "all", r, r - 0.01, r + 0.01, 9, 1.0)
                for m, r in zip(SCALES, (1.0, 1.0, 1.1), strict=True)]  # fmt: skip
    tests = [("perplexity_ratio", "all", "v-0.5", "base model", "yes")]
    return {
        "fluency": pd.DataFrame(
            fluency, columns=["judge", "model", "method", "seed", "split", "log_probability_median"]
        ),
        "stereotype": pd.DataFrame(
            slopes, columns=["measure", "method", "seed", "slope", "low", "high", "r"]
        ),
        "side_effects": pd.DataFrame(
            examined,
            columns=["method", "seed", "instrument", "group", "value", "low", "high", "n", "base"],
        ),
        "side_effect_tests": pd.DataFrame(
            tests, columns=["instrument", "group", "method_a", "method_b", "shown"]
        ),
        "intervals": pd.DataFrame(
            [("balanced", "v-0.5", "all", 0.6, 0.9)],
            columns=["outcome", "method", "split", "low", "high"],
        ),
    }


@pytest.fixture
def swept_folder(tmp_path: Path, task: Task) -> Path:
    return make_run(
        tmp_path / "swept", task, methods=list(BALANCED_OF_FOUR), seeds=(1,), texts=texts,
        record={"sweeps": SWEEPS}, tables=tables(),
    )  # fmt: skip


@pytest.fixture
def table(swept_folder: Path, task: Task) -> pd.DataFrame:
    found = doses(read_run(swept_folder, task))
    assert found is not None
    return found


def test_a_row_a_value_in_order(table: pd.DataFrame) -> None:
    assert table["table"].tolist() == ["v"] * 3 + ["f"] * 2
    assert table["setting"].tolist() == ["scale"] * 3 + ["max_draws"] * 2
    assert table["value"].tolist() == [-1, 0, 0.5, 10, 1000]
    assert table["method"].tolist() == ["v-minus-1", "v-0", "v-0.5", "f-10", "f-1000"]
    assert table["all"].tolist() == [0, 0.25, 0.75, 0.5, 1]
    assert table["all_low"].fillna(-1).tolist() == [-1, -1, 0.6, -1, -1]
    assert table["log_probability_base"].tolist() == [-2, -3, -5, -4, -6]
    assert table["stereotype_slope"].tolist()[:3] == [3, 2, 1.5]
    assert table["stereotype_high"].tolist()[:3] == [4, 3, 2.5]
    assert table["worst_harm"].tolist()[:3] == pytest.approx([0, 0, 2])
    assert table.loc[3:, ["stereotype_slope", "worst_harm"]].isna().all(axis=None)
    names = [one.name for one in responses(table)]
    assert names == ["log_probability_base", "stereotype_slope", "worst_harm"]
    assert [part["table"].iloc[0] for part in each_sweep(table)] == ["v", "f"]


def test_without_a_sweep_there_is_nothing(bare: FinishedRun, tmp_path: Path) -> None:
    """Nor is there a figure; see ``test_figures``."""
    assert doses(bare) is None
    assert page_charts(bare, headline(bare))["doses"] == []
    write_tables(bare, headline(bare), tmp_path / "tables")
    assert not (tmp_path / "tables" / "dose_response.csv").exists()


def test_what_delivers_nothing_is_balanced_in_none_of_what_was_asked_for(
    task: Task, swept_folder: Path
) -> None:
    rates = pd.read_csv(swept_folder / "results" / "by_seed.csv")
    nothing = rates["method"] == "f-10"
    rates.loc[nothing, ["n", "balanced"]] = [0, math.nan]
    requested = (rates["balanced"] * rates["n"] / 40).fillna(0)
    rates = rates.assign(wanted=40, balanced_requested=requested, told=0, by_construction=False)
    run = replace(read_run(swept_folder, task), compliance=compliance_table(rates))
    table = doses(run)
    assert table is not None
    assert table.set_index("method").loc["f-10", "all"] == 0


def test_a_method_without_a_finished_cell_has_no_row(tmp_path: Path, task: Task) -> None:
    folder = make_run(
        tmp_path / "part", task, methods=["v-0", "v-1"], seeds=(1,),
        texts=lambda *_: [HALF.format(subject="nurse")], unfinished=[("v-1", 1)],
        record={"sweeps": {"v": {"setting": "scale", "methods": {"v-0": 0, "v-1": 1}}}},
    )  # fmt: skip
    table = doses(read_run(folder, task))
    assert table is not None
    assert table["method"].tolist() == ["v-0"]


def test_the_report_has_the_section_the_figure_and_the_numbers(
    swept_folder: Path, task: Task
) -> None:
    write_report(swept_folder, task=task)
    report = swept_folder / "report"
    for suffix in ("svg", "pdf", "png"):
        assert (report / "figures" / f"dose_response.{suffix}").stat().st_size > 1000
    page = (report / "index.html").read_text()
    section = page.partition('<h2 id="doses">')[2].partition("</section>")[0]
    assert section.count("<svg") == 2
    assert "v: scale; balanced completions, all subjects: -1: 0.0 %, 0: 25.0 %" in section
    assert 'href="#doses"' in page
    with (report / "tables" / "dose_response.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["value"] for row in rows] == ["-1", "0", "0.5", "10", "1000"]
    assert float(rows[2]["all"]) == 0.75
    text = (report / "tables" / "dose_response.tex").read_text()
    assert "v: scale & 0.5 & 75.0" in text


def test_strangers_names_are_text(swept_folder: Path, task: Task, tmp_path: Path) -> None:
    run = read_run(swept_folder, task)
    told = {"<img src=x onerror=alert(1)>": {"setting": "=1+1", "methods": SCALES}}
    hostile = replace(run, record={**run.record, "sweeps": told})
    [(_, chart)] = page_charts(hostile, headline(hostile))["doses"]
    assert "<img" not in chart
    assert "=1+1" in chart
    write_tables(hostile, headline(hostile), tmp_path)
    with (tmp_path / "dose_response.csv").open() as stream:
        assert {row["setting"] for row in csv.DictReader(stream)} == {"'=1+1"}


def made(values: Sequence[float], **columns: Any) -> pd.DataFrame:
    """Rows of one sweep, balanced more and more."""
    rates = np.linspace(0, 1, len(values))
    splits = {f"{split}{end}": rates for split in ("train", "validation", "all")
              for end in ("", "_low", "_high")}  # fmt: skip
    about = {"table": "sft", "setting": "learning_rate", "value": list(values)}
    return pd.DataFrame({**about, **splits, **columns})


def drawn(table: pd.DataFrame) -> Figure:
    with style():
        figure = dose_figure(table)
        figure.canvas.draw()
        return figure


@pytest.mark.parametrize(
    ("values", "scale", "ticks"),
    [
        ([-1, 0, 1], "linear", ["−1", "0", "1"]),
        ([0.5, 1, 1.5, 2], "linear", ["0.5", "1", "1.5", "2"]),
        ([1, 10, 100, 1000], "log", ["1", "10", "100", "1000"]),
        ([1e-5, 1e-4, 1e-3], "log", ["1e−05", "0.0001", "0.001"]),
        ([7], "linear", ["7"]),
    ],
)
def test_doses_stand_as_far_apart_as_can_be_read(
    values: list[float], scale: str, ticks: list[str]
) -> None:
    axes = drawn(made(values, log_probability_base=-2.0)).axes[0]
    assert axes.get_xscale() == scale
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ticks
    low, high = axes.get_xlim()
    assert low < min(values)
    assert max(values) < high


def test_train_and_unseen_subjects_are_told_apart(table: pd.DataFrame) -> None:
    assert splits_of(table) == ["train", "validation"]
    balance, fluency = drawn(made([0, 1], log_probability_base=[-2.0, -3.0])).axes
    train, unseen = balance.lines
    assert (train.get_label(), train.get_mfc()) == ("train subjects", "white")
    assert unseen.get_label() == "validation subjects"
    assert list(unseen.get_ydata()) == [0, 100]
    assert list(fluency.lines[0].get_ydata()) == [-2, -3]
    alone = made([0, 1]).assign(validation=math.nan)
    assert splits_of(alone) == ["all"]
    figure = drawn(alone)
    assert not figure.legends
    assert [line.get_label() for line in figure.axes[0].lines] == ["all subjects"]


def test_each_sweep_has_its_row_and_what_was_not_measured_no_panel(table: pd.DataFrame) -> None:
    axes = np.array(drawn(table).axes).reshape(2, 4)
    assert [[one.get_visible() for one in row] for row in axes] == [[True] * 4, [True, True, False,
                                                                               False]]  # fmt: skip
    assert [row[0].get_ylabel() for row in axes] == ["v", "f"]
    assert [row[0].get_xlabel() for row in axes] == ["scale", "max_draws"]
    assert axes[0, 3].get_title(loc="left").replace("\n", " ") == (
        "worst side effect, × what is let pass"
    )
    ends = axes[0, 2].collections[0].get_segments()
    assert [segment[:, 1].tolist() for segment in ends] == [[2, 4], [1, 3], [0.5, 2.5]]
