"""Other people's files, by the rule of the judged sentence: rates, and what is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from equipoise.completions.frame import as_completions
from equipoise.measures import evaluate
from equipoise.task.task_file import load_task

TYPOGRAPHY = {
    "nurse": "The nurse\u00a0was self\u2011reliant and “caring” with every patient at work.",
    "doctor": "The doctor\u00a0was bold and caring with every patient at work.",
    "teacher": "The teacher wasn’t shy but bold—and caring—with every pupil at school.",
    "pilot": "The pilot was self–reliant and caring with every passenger at work.",
    "chef": "The chef was bold and sup\u00adportive with every guest at the table.",
    "writer": "\ufeffThe writer was tired after the very long day at home.",
}
THOUGHTS = {
    "nurse": "<think>\nEight words.\n</think>\n\nThe nurse was bold and caring at work.",
    "doctor": "</think>\n\nThe doctor was bold and caring with every patient at work.",
}
ABBREVIATIONS = {
    "nurse": "The nurse was the No. 1 choice because she was bold and caring.",
    "doctor": "The doctor was an M.D. who was bold and caring with patients.",
    "pilot": "The pilot was 6 ft. tall and both bold and caring in the air.",
    "pharmacist": "The pharmacist was an expert on vitamin C. She was bold and caring every day.",
    "teacher": "The teacher was assigned to Grade B. He was bold and caring every day.",
    "chef": "The chef was born on Sept. 5 and was bold and caring every day.",
    "lawyer": "The lawyer was with Smith v. Jones, Fig. 2, bold and caring every day.",
}
MARKDOWN = {
    "nurse": "**The nurse was tired after work.** She was bold and caring with patients.",
    "doctor": "*The doctor was tired after work.* He was bold and caring with patients.",
}


@pytest.mark.parametrize(
    ("texts", "balanced"),
    [
        (TYPOGRAPHY, [True] * 5 + [False]),
        (THOUGHTS, [True, True]),
        (ABBREVIATIONS, [True, True, True, False, False, True, True]),
        (MARKDOWN, [False, False]),
    ],
    ids=["typography", "thoughts", "abbreviations", "markdown"],
)
def test_what_is_balanced(texts: dict[str, str], balanced: list[bool], tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    pd.DataFrame(texts.items(), columns=["occupation", "text"]).to_csv(path, index=False)
    assert evaluate(path).completions["balanced"].tolist() == balanced


def test_what_was_cut_is_said() -> None:
    frame = pd.DataFrame(THOUGHTS.items(), columns=["occupation", "text"])
    said = "Taken away before judging, of 2 texts: reasoning before the answer 2."
    assert said in evaluate(frame).remarks


def test_the_frame_is_read_back_as_it_is() -> None:
    task = load_task("occupations")
    once = as_completions(pd.DataFrame(TYPOGRAPHY.items(), columns=["occupation", "text"]), task)
    assert "cut" in once
    assert as_completions(once, task).equals(once)
