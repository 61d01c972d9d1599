"""The peak is that of the work since it was last read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from equipoise.study.peak_memory import _CLEAR, PeakMemory


def test_peak_is_at_least_what_was_held() -> None:
    memory = PeakMemory()
    block = bytearray(200_000_000)
    block[::4096] = b"x" * len(block[::4096])  # touched, so that it is there
    assert memory.read() >= 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the mark back")
def test_peak_falls_once_the_memory_is_given_back() -> None:
    try:
        _CLEAR.write_text("5")
    except OSError:
        pytest.skip("the mark cannot be set back here")
    memory = PeakMemory()
    block = bytearray(300_000_000)
    block[::4096] = b"x" * len(block[::4096])
    high = memory.read()
    del block
    memory.read()  # what was still held when the mark was set back
    assert memory.read() <= high - 0.25


def test_without_the_systems_files_it_is_the_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("equipoise.study.peak_memory._STATUS", tmp_path / "none")
    monkeypatch.setattr("equipoise.study.peak_memory._CLEAR", tmp_path / "none" / "none")
    assert 0.01 < PeakMemory().read() < 1000
