"""Files of preference pairs: TRL reads them, and wrong ones are named by line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import EquipoiseError
from equipoise.task import Task
from equipoise.task.preference import PreferencePair, PreferencePairGenerator
from equipoise.task.preference_file import (
    TextPair,
    preference_statistics,
    read_pairs,
    text_pairs,
    write_pairs,
)

GOOD = {
    "prompt": "Say it.",
    "chosen": "The doctor was bold and caring.",
    "rejected": "The doctor was bold.",
}


@pytest.fixture
def pairs(occupations: Task) -> list[PreferencePair]:
    return list(PreferencePairGenerator(occupations, 42, "free", 0.2).generate(5))


def test_what_is_written_reads_back(
    occupations: Task, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    assert write_pairs(path, pairs, occupations, "neutral") == len(pairs) == 75
    read = read_pairs(path, occupations)
    assert read == text_pairs(pairs, occupations, "neutral")
    assert read[0].prefix == "The architect was"


def test_trl_takes_the_file_as_it_is(
    occupations: Task, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import Dataset
        from trl.data_utils import is_conversational

    path = tmp_path / "pairs.jsonl"
    write_pairs(path, pairs, occupations, "neutral")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    example: dict[str, Any] = Dataset.from_list(rows)[0]
    assert is_conversational(example)
    assert example["prompt"][0]["role"] == "user"
    assert example["chosen"] == [{"role": "assistant", "content": pairs[0].chosen.text}]


def test_plain_texts_are_read_too(occupations: Task, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    rows = [GOOD, {**GOOD, "subject": "doctor"}, {**GOOD, "subject": "nurse"}]
    path.write_text("\n\n".join(map(json.dumps, rows)))
    texts = ("Say it.", GOOD["chosen"], GOOD["rejected"])
    assert read_pairs(path, occupations) == [
        TextPair(texts[0], prefix, texts[1], texts[2]) for prefix in ("", "The doctor was", "")
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": 1', "line 1: not a JSON object"),
        ("[]", "line 1: not a JSON object"),
        (json.dumps({"prompt": "a", "chosen": "b"}), "line 1: has no 'rejected'"),
        (json.dumps({**GOOD, "rejected": " "}), "line 1: 'rejected' is empty"),
        (json.dumps({**GOOD, "chosen": 3}), "line 1: 'chosen' is neither a text nor"),
        (
            json.dumps({**GOOD, "prompt": [{"role": "user", "content": "a"}] * 2}),
            "line 1: 'prompt' is neither a text nor a conversation of one turn",
        ),
        (
            json.dumps({**GOOD, "rejected": GOOD["chosen"]}),
            "line 1: chosen and rejected are the same",
        ),
        ("", "holds no pair"),
        ("[" * 100_000, "line 1: not a JSON object"),
    ],
)
def test_wrong_files_are_named_by_line(
    occupations: Task, tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text(line)
    with pytest.raises(EquipoiseError, match=message) as caught:
        read_pairs(path, occupations)
    assert str(path) in str(caught.value)


def test_statistics_count_by_hand(occupations: Task) -> None:
    pairs = list(PreferencePairGenerator(occupations, 42).generate(20))
    part = preference_statistics(pairs, [], occupations)["train"]
    assert part["pairs"] == part["distinct_chosen"] == part["same_template"] == 300
    assert part["kinds"] == {"agentic only": 150, "communal only": 150}
    # Both sides of a minimal pair have as many words.
    assert part["length_difference"]["words"] == {"mean": 0, "min": 0, "max": 0}
    for side, texts in (
        ("chosen", [pair.chosen.text for pair in pairs]),
        ("rejected", [pair.rejected for pair in pairs]),
    ):
        for term in ("bold", "loyal"):
            name = "agentic" if term == "bold" else "communal"
            words = [text.replace(",", " ").replace(".", " ").split() for text in texts]
            assert part["term_frequency"][side][name][term] == sum(term in w for w in words)
    empty = preference_statistics([], [], occupations)["validation"]
    assert empty["pairs"] == 0
    assert empty["length_difference"]["words"] == {"mean": None, "min": None, "max": None}
