"""Ctrl-C and SIGTERM wait until what was begun is finished."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.files.artifacts import open_atomic
from equipoise.files.interrupts import finishing


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    """As in a terminal: a shell lets what it starts in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end(number: int) -> None:
    before, seen = signal.getsignal(number), []
    signal.signal(number, lambda received, frame: seen.append(received))
    mine = signal.getsignal(number)
    try:
        with finishing():
            os.kill(os.getpid(), number)
            assert seen == []
        assert seen == [number]
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)


def _interrupt(*times: int) -> None:
    for _ in times:
        os.kill(os.getpid(), signal.SIGINT)


def test_a_second_signal_does_not_wait() -> None:
    seen: list[str] = []

    def work() -> None:
        with finishing():
            _interrupt(1, 2)
            seen.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == []


def test_inner_blocks_leave_it_to_the_outer_one() -> None:
    seen: list[str] = []

    def work() -> None:
        with finishing():
            with finishing():
                _interrupt(1)
            seen.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["after"]


def test_a_file_is_written_to_its_end(tmp_path: Path) -> None:
    def work() -> None:
        with open_atomic(tmp_path / "f.txt") as stream:
            stream.write("first ")
            _interrupt(1)
            stream.write("last")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (tmp_path / "f.txt").read_text() == "first last"
    assert [path.name for path in tmp_path.iterdir()] == ["f.txt"]
