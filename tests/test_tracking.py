"""Long work tells how far it is, to whoever listens; nobody pays for it otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from equipoise import tracking
from equipoise.progress import StageProgress
from equipoise.statistics.power import PowerSettings, power_table
from equipoise.tracking import LISTENER, tell, tracked


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, int]]]:
    """What a listener hears; each item takes a second."""
    clock = itertools.count()
    monkeypatch.setattr(tracking.time, "monotonic", lambda: float(next(clock)))
    heard: list[tuple[str, int, int]] = []
    token = LISTENER.set(lambda *what: heard.append(what))
    yield heard
    LISTENER.reset(token)


def test_each_item_that_takes_long_is_told(told: list[tuple[str, int, int]]) -> None:
    assert list(tracked("abc", "letters", 3)) == ["a", "b", "c"]
    assert told == [("letters", 0, 3), ("letters", 1, 3), ("letters", 2, 3), ("letters", 3, 3)]


def test_quick_work_says_nothing() -> None:
    heard: list[object] = []
    token = LISTENER.set(lambda *what: heard.append(what))
    try:
        assert list(tracked(range(1000), "numbers", 1000)) == list(range(1000))
    finally:
        LISTENER.reset(token)
    assert heard == []


def test_nobody_listens() -> None:
    assert LISTENER.get() is None
    assert list(tracked(iter("ab"), "letters", 2)) == ["a", "b"]
    tell("letters", 1, 2)


def test_a_progress_listens_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int, int]] = []
    with StageProgress(quiet=True) as progress:
        assert LISTENER.get() == progress.report
        monkeypatch.setattr(StageProgress, "report", lambda self, *what: heard.append(what))
        with StageProgress(quiet=True):
            tell("inner", 1, 2)
        assert LISTENER.get() is not None
    assert LISTENER.get() is None
    assert heard == [("inner", 1, 2)]


def test_simulated_studies_are_told(told: list[tuple[str, int, int]]) -> None:
    power_table(PowerSettings(seeds=(2, 3), samples=(5,), studies=100))
    assert told[0] == ("simulated studies", 0, 2)
    assert told[-1] == ("simulated studies", 2, 2)
