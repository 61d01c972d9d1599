"""SIGKILL at any moment, and inside saving: the same command once more ends with the same bytes.

So does the report, given the same seconds, which it shows.

``EQUIPOISE_KILLS`` is the number of kills of each kind; few by default, as they take seconds each.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

import study_process
from equipoise.report import write_report
from equipoise.study.specification import read_specification

from .conftest import TIMED_COLUMNS, TIMED_KEYS, WriteStudy, steady

KILLS = int(os.environ.get("EQUIPOISE_KILLS", "1"))
OFTEN = ("methods.sft.checkpoint_minutes=0.0005", "methods.sft-fast.checkpoint_minutes=0.0005")
"""A checkpoint every 30 ms, so that many moments are inside one."""

SIGKILLED = -9


@pytest.fixture
def whole(study_file: WriteStudy, tmp_path: Path) -> tuple[dict[str, bytes], float, int]:
    """Of an uninterrupted run: its files, its seconds, and how often it accessed files."""
    started, log = time.monotonic(), tmp_path / "log"
    process = study_process.start(study_file(), tmp_path / "whole", OFTEN, log=log)
    process.join()
    assert process.exitcode == 0
    accesses = int(log.read_text().split()[-1])
    return steady(tmp_path / "whole"), time.monotonic() - started, accesses


@pytest.mark.slow
def test_kill_at_random_moments(
    whole: tuple[dict[str, bytes], float, int], study_file: WriteStudy, tmp_path: Path
) -> None:
    """Each kill may hit a run that goes on after an earlier one; a new run when one is complete."""
    expected, seconds, accesses = whole
    dice, file = random.Random(1), study_file()  # noqa: S311
    kinds = ["moment", "access"] * KILLS
    number = survived = 0
    while kinds:
        folder = tmp_path / f"run{number}"
        inside = kinds[-1] == "access"
        die_at = dice.randint(1, accesses) if inside else None
        process = study_process.start(file, folder, OFTEN, die_at=die_at)
        process.join(None if inside else dice.uniform(0, seconds))
        process.kill()
        process.join()
        if process.exitcode == SIGKILLED:
            kinds.pop()
            continue
        assert process.exitcode == 0
        assert steady(folder) == expected
        number, survived = number + 1, survived + 1
    process = study_process.start(file, folder, OFTEN)
    process.join()
    assert process.exitcode == 0
    assert steady(folder) == expected
    assert _report(folder, file, tmp_path / "killed") == _report(
        _with_clock_of(folder, tmp_path / "whole"), file, tmp_path / "again"
    )


def _with_clock_of(run: Path, whole: Path) -> Path:
    """``whole``, with what the clock decided in ``run`` in place of its own."""
    for name in (*TIMED_COLUMNS, *TIMED_KEYS, "manifest.json"):
        for path in whole.rglob(name):
            shutil.copyfile(run / path.relative_to(whole), path)
    return whole


def _report(run: Path, study: Path, out: Path) -> dict[str, bytes]:
    """All files of a run's report."""
    write_report(run, out=out, task=read_specification(study).task)
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
