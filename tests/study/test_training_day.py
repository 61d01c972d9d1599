"""A training asks the context of the day on which it began, whenever it goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import equipoise.study.training_run as module
from equipoise.errors import EquipoiseError
from equipoise.methods.sft import SFT, SFTSettings
from equipoise.model.language_model import LanguageModel
from equipoise.study.training_run import TrainingRun
from equipoise.task.task_file import load_task


class StoppedError(Exception):
    """The training was stopped."""


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch, fresh_tiny_lm: Any) -> list[date]:
    """The days that trainings were begun with; each is stopped before its first update."""
    found: list[date] = []

    def fit(self: SFT, lm: LanguageModel, *arguments: object) -> None:
        found.append(lm.day)
        raise StoppedError

    monkeypatch.setattr(SFT, "fit", fit)
    monkeypatch.setattr("equipoise.model.loading.load_model", lambda *_, **__: fresh_tiny_lm())
    return found


def start(folder: Path, model: Path) -> None:
    method = SFT(SFTSettings(n_per_subject=1, max_steps=1))
    run = TrainingRun(folder, folder, method, load_task("occupations"), str(model), 42)
    with pytest.raises(StoppedError):
        run.run(quiet=True)


def calendar(monkeypatch: pytest.MonkeyPatch, today: date) -> None:
    class Calendar(date):
        @classmethod
        def today(cls) -> date:
            return today

    monkeypatch.setattr(module, "date", Calendar)


def test_it_goes_on_with_the_day_on_which_it_began(
    days: list[date], tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for today in (date(2026, 11, 26), date(2027, 1, 2)):
        calendar(monkeypatch, today)
        start(tmp_path / "out", tiny_model_folder)
    assert days == [date(2026, 11, 26)] * 2
    assert json.loads((tmp_path / "out" / "run.json").read_text())["day"] == "2026-11-26"


def test_a_training_of_an_earlier_version_begins_today(
    days: list[date], tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar(monkeypatch, date(2026, 11, 26))
    start(tmp_path / "out", tiny_model_folder)
    path = tmp_path / "out" / "run.json"
    record = json.loads(path.read_text())
    del record["day"]
    path.write_text(json.dumps(record))
    calendar(monkeypatch, date(2027, 1, 2))
    start(tmp_path / "out", tiny_model_folder)
    assert days[-1] == date(2027, 1, 2)


@pytest.mark.parametrize("day", ["today", 3, ["2026-11-26"]])
def test_a_damaged_day_is_named(
    day: object, days: Sequence[date], tmp_path: Path, tiny_model_folder: Path
) -> None:
    start(tmp_path / "out", tiny_model_folder)
    path = tmp_path / "out" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "day": day}))
    method = SFT(SFTSettings(n_per_subject=1, max_steps=1))
    run = TrainingRun(
        path.parent, path.parent, method, load_task("occupations"), str(tiny_model_folder), 42
    )
    with pytest.raises(EquipoiseError, match=r"run\.json: day: .* is no day such as 2026-11-26"):
        run.run(quiet=True)
