"""The first seed's table is shown while the others are computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise import Study
from equipoise.measures.terminal import balance_table
from equipoise.study.engines.local import LocalEngine

from .conftest import WriteStudy

TITLE = "Provisional, seed 1 of 2 seeds; no interval and no test as yet:"


def _said(path: Path, out: Path, capsys: pytest.CaptureFixture[str], jobs: int = 1) -> list[str]:
    engine = LocalEngine(jobs) if jobs > 1 else None
    Study.from_toml(path).run(out, engine=engine)
    return capsys.readouterr().err.splitlines()


def test_methods_stand_in_it_before_the_next_seed_begins(
    study_file: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _said(study_file(), tmp_path / "run", capsys)
    at = said.index(TITLE)
    before = [line for line in said[:at] if "balanced (" in line]
    assert len(before) == 4
    assert all("seed 1:" in line for line in before)
    assert all("seed 2:" not in line for line in said[:at])
    rows = [line.split()[0] for line in said[at:] if line and ", seed" not in line]
    labels = ["prompt", "prompt-balanced", "sft", "sft-fast"]
    assert [row for row in rows if row in labels][:4] == labels
    assert any("one seed (1), so no ±" in line for line in said[at:])
    assert said.count(TITLE) == 1


def test_it_says_what_the_first_seed_alone_would_say(
    study_file: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _said(study_file(), tmp_path / "two", capsys)
    alone = Study.from_toml(study_file(("[1, 2]", "[1]"))).run(tmp_path / "one", quiet=True)
    results = alone.evaluation
    rows = balance_table(
        results.tables["compliance"], results.tables["by_seed"], results.overview
    ).columns[1]
    shown = [line for line in said if line.startswith("prompt ")]
    assert next(iter(rows.cells)) in shown[0]


def test_not_with_one_seed_and_not_when_the_first_was_done_before(
    study_file: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = study_file(("[1, 2]", "[1]"))
    assert not [line for line in _said(one, tmp_path / "run", capsys) if "Provisional" in line]
    both = study_file()
    assert not [line for line in _said(both, tmp_path / "run", capsys) if "Provisional" in line]


@pytest.mark.slow
def test_with_workers_too(
    study_file: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _said(study_file(), tmp_path / "run", capsys, jobs=2).count(TITLE) == 1
