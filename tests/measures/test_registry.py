"""The registry of measures: names that are one, and pages that say what is declared."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from equipoise.measures import registry
from equipoise.measures.column import Column

DOCS = Path(__file__).parents[2] / "docs"


def test_names_stand_for_one_thing() -> None:
    for names in (
        [measure.name for measure in registry.MEASURES],
        [table.name for table in registry.tables()],
        [headline.name for headline in registry.headlines()],
        [outcome.name for outcome in registry.outcomes()],
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        assert not twice


def test_headlines_that_stand_in_or_have_ends_name_others() -> None:
    known = {headline.name for headline in registry.headlines()}
    for headline in registry.headlines():
        assert {*headline.ends, headline.stands_in_for or headline.name} <= known


def test_pages_hold_the_tables_of_the_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python docs/tables.py`` writes them anew."""
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop("tables", None)
    import tables  # type: ignore[import-not-found]

    stale = [
        page.name
        for page in sorted(DOCS.glob("*.md"))
        if tables.filled(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    assert not stale


@pytest.mark.parametrize(
    ("low", "high", "unit", "words"),
    [
        (0, 1, "", "0–1"),
        (-1, 1, "", "−1 to 1"),
        (0, float("inf"), "tokens", "≥ 0, tokens"),
        (float("-inf"), 0, "nats", "≤ 0, nats"),
        (float("-inf"), float("inf"), "nats", "any, nats"),
    ],
)
def test_ranges_in_words(low: float, high: float, unit: str, words: str) -> None:
    assert Column("x", low=low, high=high, unit=unit).range == words
