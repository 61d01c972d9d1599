from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.evaluation.fitted_items import FITTED_CONTEXTS, FITTED_PAIRS
from equipoise.task import Task
from equipoise.task.counterfactual import ENDINGS, counterfactuals, write_counterfactuals
from equipoise.task.lexicon import normal_words

HE_SHE = FITTED_PAIRS[0]
MOST = len(FITTED_CONTEXTS) * len(ENDINGS)


@pytest.mark.parametrize("n", [1, 10, MOST])
def test_every_subject_has_both_words_equally_often(occupations: Task, n: int) -> None:
    pairs = counterfactuals(occupations, n, 42, FITTED_CONTEXTS, HE_SHE)
    assert Counter(p.subject for p in pairs) == {s.name: n for s in occupations.train}
    texts = [text for pair in pairs for text in pair.texts]
    assert len(set(texts)) == len(texts) == 2 * n * len(occupations.train)
    for pair in pairs:
        he, she = pair.texts
        assert he.startswith(pair.context + " he had ")
        assert she == pair.context + he.removeprefix(pair.context).replace(" he ", " she ", 1)
        assert f"The {pair.subject} " in pair.context
    for subject in occupations.train:
        mine = Counter(p.context for p in pairs if p.subject == subject.name)
        assert max(mine.values()) - (min(mine.values()) if n >= len(FITTED_CONTEXTS) else 1) <= 1


def test_endings_say_nothing_about_anyone(occupations: Task) -> None:
    """No term of the task, no gendered word: only the word itself differs within a pair."""
    gendered = {word for pair in FITTED_PAIRS for word in pair}
    for ending in ENDINGS:
        assert not gendered & set(normal_words(ending))
        verdict = occupations.constraint.check(ending)
        assert not any(verdict.hits.values())


def test_the_same_seed_gives_the_same_pairs_on_every_machine(small: Task) -> None:
    pairs = counterfactuals(small, 3, 42, FITTED_CONTEXTS, HE_SHE)
    assert pairs == counterfactuals(small, 3, 42, FITTED_CONTEXTS, HE_SHE)
    assert pairs != counterfactuals(small, 3, 43, FITTED_CONTEXTS, HE_SHE)
    assert pairs[:2] != counterfactuals(small, 2, 42, FITTED_CONTEXTS, HE_SHE)[2:]
    assert {p.subject for p in pairs} == {"doctor", "pilot"}  # the nurse is for validation


def test_more_pairs_than_there_are(small: Task) -> None:
    with pytest.raises(EquipoiseError) as caught:
        counterfactuals(small, MOST + 1, 1, FITTED_CONTEXTS, HE_SHE)
    assert caught.value.field == "counterfactual"
    assert f"and there are {MOST}" in caught.value.problem


def test_the_file_has_a_row_a_sentence(small: Task, tmp_path: Path) -> None:
    pairs = counterfactuals(small, 2, 1, ("The {occupation} said that",), HE_SHE)
    write_counterfactuals(tmp_path / "c.csv", pairs)
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == [text for pair in pairs for text in pair.texts]
    assert rows[0]["context"] == "The doctor said that"
    assert counterfactuals(small, 0, 1, FITTED_CONTEXTS, HE_SHE) == []
