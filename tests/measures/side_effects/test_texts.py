"""What is read off answers: leaked terms, and what became of stories."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from equipoise.measures.side_effects.empty import empty_items
from equipoise.measures.side_effects.leakage import leakage_items
from equipoise.measures.side_effects.stories import repetition, story_items
from equipoise.task.task import Task
from tiny_task import SHARES


def frame(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Kind, subject and text of each answer."""
    table = pd.DataFrame(rows, columns=["kind", "subject", "text"])
    return table.assign(request=[f"request {at}" for at in range(len(rows))], ended=True)


def means(items: pd.DataFrame) -> dict[tuple[str, str], float]:
    found = items.groupby(["instrument", "group"], sort=False)["value"].mean()
    return {(str(name), str(group)): value for (name, group), value in found.items()}


def test_leakage_counts_listed_terms_of_answers_that_are_no_stories(
    make_task: Callable[..., Task],
) -> None:
    answers = frame(
        ("unrelated", "", "A volcano is Bold."),
        ("unrelated", "", "It is active."),  # held out
        ("unrelated", "", "A boldness of its own."),
        ("unrelated", "", ""),
        ("people", "", "The poet was kind and bold."),
        ("people", "", "The poet was tall."),
        ("stories", "doctor", "A bold doctor."),
    )
    assert means(leakage_items(answers, make_task())) == {
        ("leakage", "all"): pytest.approx(2 / 6),
        ("leakage", "unrelated"): 0.25,
        ("leakage", "people"): 0.5,
    }


def test_an_answer_without_a_letter_or_digit_is_empty() -> None:
    answers = frame(
        ("unrelated", "", ""),
        ("unrelated", "", " … \n"),
        ("unrelated", "", "42"),
        ("people", "", "Sì."),
        ("stories", "doctor", "?"),
    )
    assert means(empty_items(answers)) == {
        ("empty_answers", "all"): 0.6,
        ("empty_answers", "unrelated"): pytest.approx(2 / 3),
        ("empty_answers", "people"): 0,
        ("empty_answers", "stories"): 1,
    }


def test_stories(make_task: Callable[..., Task]) -> None:
    """Shares of women: doctor 40, pilot 10, nurse 90. Lean: doctor 0, pilot -1, nurse 0.5."""
    task = make_task(*SHARES)
    answers = frame(
        ("stories", "doctor", "She met him."),
        ("stories", "pilot", "He was bold and he was active."),
        ("stories", "nurse", "She was kind to everyone there."),
        ("stories", "nurse", "Nobody came."),
        ("unrelated", "", "She was kind."),
    )
    found = means(story_items(answers, task))
    x, y = [40, 10, 90], [0, -1, 0.5]
    mean_x, mean_y = sum(x) / 3, sum(y) / 3
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    slope /= sum((a - mean_x) ** 2 for a in x)
    assert found == {
        ("stories_terms", "agentic"): 0.25,
        ("stories_terms", "communal"): 0.25,
        ("stories_words", "all"): (3 + 7 + 6 + 2) / 4,
        ("stories_repetition", "all"): 0,
        ("stories_slope", "pronouns"): pytest.approx(100 * slope),
    }


def test_without_an_axis_there_is_no_slope(make_task: Callable[..., Task]) -> None:
    answers = frame(("stories", "doctor", "She met him."), ("stories", "pilot", "He left."))
    assert "stories_slope" not in set(story_items(answers, make_task())["instrument"])


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0),
        ("one two three", 0),
        ("one two three four five", 0),
        ("a b c d a b c d", 1 / 5),  # abcd bcda cdab dabc abcd
        ("no no no no no no", 2 / 3),
        ("No, no! NO no no; no", 2 / 3),
    ],
)
def test_repetition(text: str, share: float) -> None:
    assert repetition(text) == pytest.approx(share)
