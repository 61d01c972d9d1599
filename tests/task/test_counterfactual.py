"""Which counterfactual contexts there are, and in which order."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from equipoise.task.axis import Probe
from equipoise.task.counterfactual import COLUMNS, counterfactuals, write_counterfactuals

PRONOUNS = Probe(
    "pronouns", ("The {subject} said that", "When the {subject} left,"), (("he", "she"),)
)
NAMES = Probe("names", ("The {subject} is named",), (("John", "Mary"), ("David", "Linda")))
SUBJECTS = ("doctor", "pilot")


@pytest.mark.parametrize("n", [1, 5, 6, 7, 12, 20])
def test_every_combination_once_before_any_comes_again(n: int) -> None:
    """Two subjects and three contexts are six combinations."""
    found = counterfactuals(SUBJECTS, (PRONOUNS, NAMES), n, 42)
    assert len(found) == n
    times = Counter(found)
    assert len(times) == min(n, 6)
    assert max(times.values()) - min(times.values()) <= (1 if n > 6 else 0)
    for one in found:
        assert one.pairs == (PRONOUNS if one.kind == "pronouns" else NAMES).pairs
        assert f" {one.subject} " in one.context
        assert "{" not in one.context


def test_the_same_seed_gives_the_same_contexts_on_every_machine() -> None:
    found = counterfactuals(SUBJECTS, (PRONOUNS, NAMES), 6, 42)
    assert [one.context for one in found] == [
        "When the doctor left,",
        "The pilot said that",
        "When the pilot left,",
        "The pilot is named",
        "The doctor is named",
        "The doctor said that",
    ]
    assert found == counterfactuals(SUBJECTS, (PRONOUNS, NAMES), 12, 42)[:6]
    assert found != counterfactuals(SUBJECTS, (PRONOUNS, NAMES), 6, 43)
    assert counterfactuals(SUBJECTS, (PRONOUNS, NAMES), 0, 42) == []


def test_the_file_has_a_row_a_pair(tmp_path: Path) -> None:
    contexts = counterfactuals(("doctor",), (NAMES,), 1, 1)
    write_counterfactuals(tmp_path / "c.csv", contexts)
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        list(COLUMNS),
        ["doctor", "names", "The doctor is named", "John", "Mary"],
        ["doctor", "names", "The doctor is named", "David", "Linda"],
    ]
