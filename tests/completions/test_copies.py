"""Which rows are one draw: copies are found, honest repeats are not, and intervals stay."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from equipoise.completions.copies import distinct_draws
from equipoise.completions.frame import read_anything
from equipoise.measures import Evaluation, evaluate
from equipoise.task.task import Task

SUBJECTS = ("doctor", "nurse", "teacher")
WORDS = (
    *("bold", "caring", "loyal", "decisive", "warm", "active", "tall"),
    *("loud", "slow", "old", "kind", "calm", "late", "glad"),
)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - data


def draws(
    rng: random.Random, n: int, words: int, *, choices: int = 14, **more: object
) -> pd.DataFrame:
    """``n`` completions of each subject, each of so many words out of so many."""
    rows = [
        {"subject": subject, "text": f"The {subject} was {' '.join(own)}.", **more}
        for subject in SUBJECTS
        for _ in range(n)
        for own in [rng.choices(WORDS[:choices], k=words)]
    ]
    return pd.DataFrame(rows)


def several(rng: random.Random, n: int = 8) -> pd.DataFrame:
    """Two methods of two seeds."""
    parts = [
        draws(rng, n, words, method=method, seed=seed)
        for method, words in (("a", 4), ("b", 6))
        for seed in (1, 2)
    ]
    return pd.concat(parts, ignore_index=True)


def kept(frame: pd.DataFrame, task: Task) -> int:
    return len(read_anything(frame, task).completions)


def assert_same_tables(found: Evaluation, expected: Evaluation) -> None:
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], table, obj=name)


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("order", ["appended", "interleaved", "shuffled"])
def test_a_log_written_again_changes_no_number(task: Task, times: int, order: str) -> None:
    once = several(chance(times))
    again = pd.concat([once] * times, ignore_index=True)
    if order == "interleaved":
        again = once.loc[once.index.repeat(times)]
    elif order == "shuffled":
        again = again.sample(frac=1, random_state=1).sort_values("method", kind="stable")
        once = again.drop_duplicates()
        assert len(once) * times == len(again)
    expected, found = evaluate(once, task), evaluate(again, task)
    assert_same_tables(found, expected)
    copies = (times - 1) * len(once)
    assert found.remarks[-1 - (len(expected.remarks) > 0)] == (
        f"Rows of a log that was written more than once, left out: {copies} of {len(again)}."
    ) or any(f"left out: {copies} of {len(again)}." in remark for remark in found.remarks)


def test_a_small_log_written_twice(task: Task) -> None:
    texts = [
        "The doctor was bold and caring with every patient she met.",
        "The nurse was confident in the operating room every single day.",
        "The teacher was friendly to all the children in school.",
        "The teacher was tired after the very long day outside.",
    ]
    once = pd.DataFrame({"subject": [text.split()[1] for text in texts], "text": texts})
    again = pd.concat([once, once], ignore_index=True)
    assert_same_tables(evaluate(again, task), evaluate(once, task))


def test_a_log_with_honest_repeats_written_twice_keeps_them(task: Task) -> None:
    once = draws(chance(4), 40, 1, choices=10)  # 40 draws of ten texts
    again = pd.concat([once, once], ignore_index=True)
    assert kept(once, task) == 120
    assert kept(again, task) == 120


def test_a_decoder_that_does_not_draw_is_one_draw_a_subject(task: Task) -> None:
    once = draws(chance(0), 1, 8)
    again = pd.concat([once] * 10, ignore_index=True)
    again = pd.concat([again, once.iloc[:1]])  # not the same number of every subject
    found = evaluate(again, task)
    assert_same_tables(found, evaluate(once, task))
    assert any(
        "the same in every draw of a subject, as when the likeliest token is always taken, count "
        "as one draw; left out: 28 of 31." in remark
        for remark in found.remarks
    )
    wilson = found.wilson[(found.wilson["split"] == "all")]
    assert set(wilson["n"]) == {3}


def test_a_decoder_that_does_not_draw_has_one_seed(task: Task) -> None:
    once = draws(chance(0), 1, 8)
    seeds = pd.concat([once.assign(seed=seed) for seed in (1, 2, 3) for _ in range(5)])
    found = evaluate(seeds, task)
    assert_same_tables(found, evaluate(once.assign(seed=1), task))
    assert any("Rows of seeds whose texts are those of an" in remark for remark in found.remarks)


def test_seeds_with_the_same_varied_texts_are_one(task: Task) -> None:
    once = draws(chance(1), 12, 3)
    other = draws(chance(2), 12, 3, seed=3)
    seeds = pd.concat([once.assign(seed=1), once.sample(frac=1).assign(seed=2), other])
    assert sorted(set(read_anything(seeds, task).completions["seed"])) == [1, 3]


def test_a_stretch_that_was_written_again_is_found(task: Task) -> None:
    once = draws(chance(3), 20, 3)
    again = pd.concat([once.iloc[:25], once], ignore_index=True)  # stopped, and begun again
    reading = read_anything(again, task)
    assert reading.remarks == (
        "Rows that repeat a stretch of rows further up, left out: 25 of 85.",
    )
    expected = read_anything(once, task).completions
    pd.testing.assert_frame_equal(reading.completions, expected)


@pytest.mark.parametrize("name", ["RunID", "sample_id", "uuid", "timestamp"])
def test_numbered_draws_count_once_and_only_those(task: Task, name: str) -> None:
    texts = ["tired", "tired", "bold", "tired", "tired"]
    frame = pd.DataFrame(
        {
            "subject": ["nurse"] * 5,
            "text": [f"The nurse was {text}." for text in texts],
            name: ["7", "8", "9", "7", "8"],
        }
    )
    reading = read_anything(frame, task)
    assert reading.completions["text"].tolist() == [
        "The nurse was tired.", "The nurse was tired.", "The nurse was bold."
    ]  # fmt: skip
    assert reading.remarks == (
        "Rows that have the number and the text of another, left out: 2 of 5.",
    )
    frame[name] = "7"  # numbers that tell nothing apart
    assert kept(frame, task) == 5
    frame[name] = ["7", "8", "9", "7", "7"]
    frame.loc[4, "text"] = "The nurse was loyal."  # nor here: two texts of one number
    assert kept(frame, task) == 5


HONEST = {
    "one short text of a few": lambda rng: draws(rng, 6, 1, choices=3),
    "the same sentence now and then": lambda rng: draws(rng, 30, 2, choices=5),
    "nearly always the same": lambda rng: pd.concat(
        [draws(rng, 25, 8, choices=1), draws(rng, 2, 8)], ignore_index=True
    ),
    "twice the same of two": lambda rng: pd.concat(
        [draws(rng, 2, 1, choices=1), draws(rng, 1, 3)], ignore_index=True
    ),
    "two texts, half and half": lambda rng: pd.DataFrame(
        {
            "subject": ["nurse"] * 20,
            "text": ["The nurse was bold and tall.", "The nurse was bold and caring."] * 10,
        }
    ).sample(frac=1, random_state=rng.randrange(99)),
    "few texts, sorted": lambda rng: draws(rng, 60, 1, choices=4).sort_values("text"),
    "two seeds of a method that knows two texts": lambda rng: pd.concat(
        [draws(rng, 9, 1, choices=2).assign(seed=seed) for seed in (1, 2)]
    ),
    "a text a subject in every one of two seeds": lambda rng: pd.concat(
        [draws(rng, 1, 1, choices=1).assign(seed=seed) for seed in (1, 2)]
    ),
}


@pytest.mark.parametrize("kind", HONEST)
@pytest.mark.parametrize("seed", range(5))
def test_honest_repeats_are_draws(task: Task, kind: str, seed: int) -> None:
    frame = HONEST[kind](chance(seed))
    reading = read_anything(frame, task)
    assert len(reading.completions) == len(frame)
    assert not any("left out" in remark for remark in reading.remarks)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """Samplers of one to six texts a subject, honest: one in 2^10 files may be taken for copies."""
    rng = np.random.default_rng(0)
    alarms = files = 0
    for _ in range(400):
        size, subjects = int(rng.integers(2, 12)), int(rng.integers(1, 5))
        texts = int(rng.integers(2, 7))
        chosen = rng.integers(texts, size=(subjects, size))
        rows = [(str(s), str(t)) for s, drawn in enumerate(chosen) for t in drawn]
        found = distinct_draws(
            ["m"] * len(rows), [0] * len(rows), *map(list, zip(*rows, strict=True)), lambda *_: 2
        )
        alarms, files = alarms + (not found.kept.all()), files + 1
    assert alarms <= 4


def test_texts_that_differ_after_the_judged_sentence_are_two_draws(task: Task) -> None:
    first = "The nurse was bold and caring with every patient she ever met here. "
    frame = pd.DataFrame({"subject": ["nurse"] * 6, "text": [first + c * 9 for c in "ABCDEF"]})
    assert kept(frame, task) == 6


def test_what_is_kept_is_the_first_of_each_copy(task: Task) -> None:
    once = draws(chance(5), 6, 4).assign(run=list(range(6)) * 3)
    again = pd.concat([once, once], ignore_index=True)
    frame = read_anything(again, task).completions
    assert frame["run"].tolist() == list(range(6)) * 3
