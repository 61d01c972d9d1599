"""Runs that were made otherwise stand apart, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from board.made_boards import SMALL, sealed_run
from equipoise.board.conditions import set_apart, settings_remarks
from equipoise.board.finished import BoardRun, read_runs
from equipoise.errors import EquipoiseError
from report.made_runs import TASK, small_task

BOTH = 'all_of = ["{agentic}", "{communal}"]'
SAMPLING = {"temperature": 1.0, "top_p": 0.95, "max_new_tokens": 64}


class Maker:
    """Makes and reads runs whose names are those of their models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, text: str = TASK, **options: Any) -> BoardRun:
        task = small_task(self.folder / f"{name}-task", text)
        study = {"model": name, **options.pop("study", {})}
        folder = sealed_run(self.folder / name, task, options.pop("values", SMALL), study=study,
                            **options)  # fmt: skip
        (run,) = read_runs([folder])
        return run


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


def test_other_models_tasks_and_seeds_can_be_compared(make: Maker) -> None:
    runs = [
        make("one"),
        make("two", seeds=(2, 3)),
        make("three", TASK.replace('"kind"', '"calm"'), record={"name": "other"}),
        make("four", record={"sampling": {**SAMPLING, "batch_size": 3}}),
    ]
    assert set_apart(runs) == (runs, [])


def test_each_reason(make: Maker) -> None:
    runs = [
        make("first"),
        make("same"),
        make("longer", TASK.replace("words = [4, 9]", "words = [4, 8]")),
        make("fewer", TASK.replace(BOTH, 'all_of = ["{agentic}"]')),
        make("more", study={"samples_per_subject": 9}),
        make("cold", record={"sampling": {**SAMPLING, "temperature": 0.5}}),
    ]
    like, apart = set_apart(runs)
    assert [run.name.split(",")[0] for run in like] == ["first", "same"]
    low, high = runs[0].task.constraint.words
    assert [(run.name.split(",")[0], reason) for run, reason in apart] == [
        ("longer", f"constraint.words: 4 to 8, and {low} to {high} in first, small"),
        ("fewer", "number of entries in constraint.all_of: 1, and 2 in first, small"),
        ("more", "samples_per_subject: 9, and 4 in first, small"),
        ("cold", "sampling.temperature: 0.5, and 1.0 in first, small"),
    ]


def test_an_endpoint_that_was_not_sent_a_setting_drew_otherwise(make: Maker) -> None:
    asked = make("asked", record={"endpoint": {"leave_out": ["top_p"]}})
    _, apart = set_apart([make("first"), make("same"), asked])
    assert apart == [(asked, "sampling.top_p: None, and 0.95 in first, small")]


def test_none_can_be_compared(make: Maker) -> None:
    runs = [make("first"), make("more", study={"samples_per_subject": 9})]
    with pytest.raises(EquipoiseError, match="samples_per_subject: 9") as caught:
        set_apart(runs)
    assert caught.value.file == str(runs[1].folder)
    assert set_apart(runs[:1]) == (runs[:1], [])


def test_a_method_of_other_settings_is_told(make: Maker) -> None:
    def methods(steps: int) -> dict[str, Any]:
        return {"methods": {"prompt": {"use": "prompt"}, "sft": {"use": "sft", "steps": steps},
                            "filter": {"use": "filter"}}}  # fmt: skip

    runs = [make("one", record=methods(5)), make("two", record=methods(5))]
    assert settings_remarks(runs) == []
    runs.append(make("three", record=methods(6)))
    assert settings_remarks(runs) == [
        "sft is not the same in all runs: its steps is 5 in one, small and 6 in three, small."
    ]
