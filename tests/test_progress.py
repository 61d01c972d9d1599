"""Work tells how far it is, to whoever listens; nobody pays for it otherwise."""

from __future__ import annotations

import itertools

import pytest

from equipoise import progress
from equipoise.progress import counting, listener, listening, say, tell, tracked
from equipoise.progress_bars import StageProgress
from equipoise.statistics.power import PowerSettings, power_table
from heard import Heard


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item takes a second."""
    clock = itertools.count()
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))


@pytest.mark.usefixtures("slow")
def test_each_item_that_takes_long_is_told(heard: Heard) -> None:
    assert list(tracked("abc", "letters", 3)) == ["a", "b", "c"]
    assert heard.told == [("letters", done, 3) for done in range(4)]


def test_quick_work_says_nothing(heard: Heard) -> None:
    assert list(tracked(range(1000), "numbers", 1000)) == list(range(1000))
    assert heard.told == []


def test_parts_are_added_up(heard: Heard) -> None:
    more = counting("texts", 5)
    more(0)
    more(3)
    more(2)
    assert heard.told == [("texts", 0, 5), ("texts", 3, 5), ("texts", 5, 5)]


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert listener() is None
    assert list(tracked(iter("ab"), "letters", 2)) == ["a", "b"]
    tell("letters", 1, 2)
    assert capsys.readouterr() == ("", "")
    say("Two words were left out.")
    assert capsys.readouterr() == ("", "Two words were left out.\n")


def test_sentences_reach_the_listener(heard: Heard, capsys: pytest.CaptureFixture[str]) -> None:
    say("Two words were left out.")
    assert heard.said == ["Two words were left out."]
    assert capsys.readouterr() == ("", "")


def test_the_one_before_listens_again(heard: Heard) -> None:
    inner = Heard()
    with listening(inner):
        tell("inner", 1, 2)
    tell("outer", 1, 2)
    assert (inner.told, heard.told) == ([("inner", 1, 2)], [("outer", 1, 2)])


def test_a_progress_listens_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(StageProgress, "report", lambda self, *what: told.append(what))
    with StageProgress(quiet=True) as outer:
        assert listener() is outer
        with StageProgress(quiet=True) as inner:
            assert listener() is inner
            tell("inner", 1, 2)
        assert listener() is outer
    assert listener() is None
    assert told == [("inner", 1, 2)]


@pytest.mark.usefixtures("slow")
def test_simulated_studies_are_told(heard: Heard) -> None:
    power_table(PowerSettings(seeds=(2, 3), samples=(5,), studies=100))
    assert heard.told[0] == ("simulated studies", 0, 2)
    assert heard.told[-1] == ("simulated studies", 2, 2)
