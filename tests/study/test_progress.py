from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from equipoise.study.progress import StudyProgress


def test_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(1) as progress:
        progress.begin_cell("sft, seed 1")
        progress.report("training", 1, 2)
        progress.say("Out of memory with [4] sequences.")
        progress.end_cell("50.0 % balanced")
    assert capsys.readouterr() == (
        "",
        "Out of memory with [4] sequences.\nsft, seed 1: 50.0 % balanced (0 s)\n",
    )


def test_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(1, quiet=True) as progress, progress.paused():
        progress.begin_cell("sft, seed 1")
        progress.report("training", 1, 2)
        progress.end_cell("50.0 % balanced")
    assert capfd.readouterr() == ("", "")


def test_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(
        "equipoise.progress_bars.Console",
        lambda **_: Console(file=terminal, force_terminal=True, width=80, color_system=None),
    )
    with StudyProgress(2) as progress:
        progress.begin_cell("sft, seed 1")
        progress.report("training", 0, 20)
        progress.report("training", 20, 20)
        progress.report("sampling", 5, 5)
        with progress.paused():
            pass
        progress.end_cell("50.0 % balanced")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"cells done +0/2 +0:00:00", shown)
    assert re.search(r"sft, seed 1: sampling ━+ 5/5 0:00:00 left", shown)
    assert "sft, seed 1: 50.0 % balanced (0 s)\n" in shown
    assert not re.search(r"cells done[^\n\r]*left", shown)
