"""``equipoise board`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from board.made_boards import sealed_run
from report.made_runs import small_task


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    task = small_task(tmp_path)
    return [sealed_run(tmp_path / name, task, study={"model": name}) for name in ("one", "two")]


@pytest.mark.slow
def test_a_board_is_written_and_named(equipoise, folders: list[Path]) -> None:
    outcome = equipoise("board", *folders, "--over", "balanced_requested")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.endswith(
        "Written:\n  board/index.html\n  board/figures\n  board/tables\n  board/results.json\n"
    )
    assert Path("board/index.html").is_file()


def test_errors_are_one_line_that_says_what_to_do(equipoise, folders: list[Path]) -> None:
    nowhere = equipoise("board", folders[0], "nowhere")
    assert nowhere.code == 1
    assert "nowhere: holds no study.json, so it is no run. Give the folder" in nowhere.err
    wrong = equipoise("board", *folders, "--over", "balance_requested")
    assert wrong.code == 1
    assert "methods cannot be ranked by 'balance_requested'. " in wrong.err
    assert "balanced_requested" in wrong.err
    assert not Path("board").exists()
    assert equipoise("board").code == 2
