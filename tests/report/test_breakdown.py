from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from equipoise.report.breakdown import (
    MOST_POINTS,
    by_subject,
    curves,
    slopes,
    subjects_of,
    term_frequencies,
    trade_off,
)
from equipoise.report.headline import headline
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task


def test_rates_by_subject_count_each_seed_once(run: FinishedRun) -> None:
    table = by_subject(run)
    assert list(table.index) == ["doctor", "pilot", "nurse"]
    assert table["sft"].tolist() == pytest.approx([1, 1, 2.5 / 3])
    assert table["prompt"].tolist() == [0, 0, 0]
    assert subjects_of(run)[-1] == ("nurse", "validation")


def test_term_frequencies_are_of_all_subjects_and_seeds(
    run: FinishedRun, bare: FinishedRun
) -> None:
    table = term_frequencies(run)
    assert table is not None
    assert table.loc[("agentic", "bold", True), "sft"] == 0.75
    assert table.loc[("agentic", "active", False), "sft"] == 0
    assert len(table) == 6
    assert term_frequencies(bare) is None


def test_slopes_keep_single_seeds_apart(run: FinishedRun, bare: FinishedRun) -> None:
    table = slopes(run)
    assert table is not None
    assert table["slope"].tolist() == [2.2, 1.4]
    assert table["seeds"].tolist() == [pytest.approx([2.1, 2.3]), pytest.approx([1.3, 1.5])]
    assert slopes(bare) is None


def test_trade_off_needs_fluency(run: FinishedRun, bare: FinishedRun) -> None:
    points = trade_off(headline(run))
    assert points is not None
    assert points["fluency"].tolist() == [-2.0, -1.5]
    assert trade_off(headline(bare)) is None


class TestCurves:
    """Training curves, whatever stands in training_info.json."""

    def test_loss_and_evaluation(self, run: FinishedRun) -> None:
        first, *_ = found = curves(run)
        assert len(found) == 3
        assert first.values.tolist() == [4.0 / step for step in range(1, 6)]
        assert first.held_out == ((5.0, 1.5),)

    def test_long_ones_are_averaged_not_thinned(self, folder: Path, task: Task) -> None:
        history = [
            {"loss": float(step % 2), "step": float(step)} for step in range(4 * MOST_POINTS)
        ]
        self.write(folder, history)
        curve = next(curve for curve in curves(read_run(folder, task)) if curve.seed == 1)
        assert len(curve.steps) == MOST_POINTS
        assert np.unique(curve.values).tolist() == [0.5]

    @pytest.mark.parametrize(
        "history", [None, 3, [3, "x", None], [{"loss": "a", "step": 1}], [{"loss": 1}], [{}]]
    )
    def test_odd_records_draw_nothing(self, folder: Path, task: Task, history: object) -> None:
        self.write(folder, history)
        assert {curve.seed for curve in curves(read_run(folder, task))} == {2, 3}

    def test_rewards_are_drawn_where_there_are_some(self, folder: Path, task: Task) -> None:
        self.write(folder, [{"reward": 0.1, "loss": 1.0, "step": 1}, {"reward": 0.2, "step": 2}])
        curve = next(curve for curve in curves(read_run(folder, task)) if curve.seed == 1)
        assert (curve.name, curve.values.tolist()) == ("reward", [0.1, 0.2])

    def write(self, folder: Path, history: object) -> None:
        path = folder / "cells" / "sft" / "seed1" / "training_info.json"
        path.write_text(json.dumps({"history": history}))
