"""The public function, and the table it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from equipoise.errors import EquipoiseError
from equipoise.measures import Evaluation, evaluate
from equipoise.statistics import StatisticsSettings, comparisons
from equipoise.task.task import Task

BOTH = "The nurse was bold and caring."
ONE = "The nurse was bold and decisive."
STATISTICS = ("comparisons", "intervals", "wilson", "consistency")
RATES = ("balanced", "satisfied", "any", "balanced_held_out")


def rows(
    method: str, seed: int, subject: str, balanced: int, total: int
) -> list[dict[str, object]]:
    """``total`` completions of which the first ``balanced`` are balanced."""
    return [
        {"method": method, "seed": seed, "subject": subject, "text": BOTH if i < balanced else ONE}
        for i in range(total)
    ]


def test_table_shows_mean_and_sd_of_both_splits_in_80_columns(task: Task) -> None:
    frame = pd.DataFrame(
        rows("sft", 1, "nurse", 10, 10) + rows("sft", 2, "nurse", 8, 10)
        + rows("sft", 1, "teacher", 0, 4) + rows("sft", 2, "teacher", 4, 4)
        + rows("prompt-balanced", 1, "nurse", 4, 4)
        + rows("a-method-with-quite-a-long-label", 1, "nurse", 0, 4)
    )  # fmt: skip
    found = evaluate(frame, task)
    printed = str(found)
    # train: rates 1.0 and 0.8, mean 0.9, SD sqrt(0.01 + 0.01) = 0.1414
    # validation: rates 0 and 1, mean 0.5, SD sqrt(0.25 + 0.25) = 0.7071
    assert "90.0 ± 14.1 %" in printed
    assert "50.0 ± 70.7 %" in printed
    assert "mean ± sample SD over 2 seeds (1, 2)" in printed
    lines = [line for line in printed.splitlines() if line not in found.remarks]
    assert max(map(len, lines)) <= 80
    balance, _, others = printed.partition("What else changed\n")
    cells = {line.split()[0]: line.split()[1:] for line in balance.splitlines() if line.split()}
    # 6 words
    assert " ".join(cells["sft"]) == "90.0 ± 14.1 % 50.0 ± 70.7 % 6.0"
    # one seed, so no SD; no validation subject
    assert " ".join(cells["prompt-balanced"]) == "100.0 % – 6.0"
    # bold alone, then each of bold and caring equally often: one pair of four, texts all alike
    lines = [line for line in others.splitlines() if line.startswith("prompt-balanced")]
    values = " ".join(line.removeprefix("prompt-balanced").strip() for line in lines).split()
    # no held-out terms, always some term, 6 words of 4 to 9, prose; too few to say how varied they
    # are; like no template; no model asked
    assert " ".join(values) == ("0.0 % 100.0 % 100.0 % 100.0 % – – – 0.0 % – – – –")


def test_one_seed_shows_no_spread(task: Task) -> None:
    printed = str(evaluate(pd.DataFrame(rows("sft", 7, "nurse", 3, 4)), task))
    line, *_ = [line for line in printed.splitlines() if "sft" in line]
    assert "75.0 %" in line
    assert "±" not in line
    assert "4 completions; one seed (7), so no ±" in printed
    assert "validation" not in printed  # no teacher was described


def test_subjects_without_split_are_shown_together(task: Task) -> None:
    printed = str(evaluate(pd.DataFrame(rows("sft", 7, "welder", 1, 4)), task))
    assert "all subjects" in printed
    assert "25.0 %" in printed
    assert "Subjects the task 'small' does not have: 'welder'." in printed


def test_method_names_cannot_style_or_break_the_terminal(task: Task) -> None:
    frame = pd.DataFrame(rows("[red]x[/red]\x1b[2J", 7, "nurse", 1, 1))
    evaluation = evaluate(frame, task)
    console = Console(width=80, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(evaluation.terminal_tables()[0])
    assert "\x1b[2J" not in capture.get()
    assert "[red]x[/red]?[2J" in str(evaluation)


def test_the_built_in_task_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "occupation,completion\n"
        "doctor,The doctor was ambitious and caring with every patient.\n"  # 9 words, in 8-15
        "teacher,The teacher was unfriendly.\n"
    )
    evaluation = evaluate(path)
    assert isinstance(evaluation, Evaluation)
    table = evaluation.compliance.set_index("split")
    assert table["balanced_mean"].to_dict() == {"train": 1.0, "validation": 0.0, "all": 0.5}
    assert table["satisfied_mean"].to_dict() == {"train": 1.0, "validation": 0.0, "all": 0.5}
    assert table["neither_mean"].to_dict() == {"train": 0.0, "validation": 1.0, "all": 0.5}
    assert evaluation.completions["method"].unique().tolist() == ["mine"]


def test_several_methods_are_tested_one_is_not(task: Task) -> None:
    one = rows("sft", 1, "nurse", 9, 10) + rows("sft", 2, "nurse", 8, 10)
    other = rows("prompt", 1, "nurse", 1, 10) + rows("prompt", 2, "nurse", 2, 10)
    both = evaluate(pd.DataFrame(one + other), task)
    tables = both.tables
    assert [name for name in tables if name in STATISTICS] == list(STATISTICS)
    pd.testing.assert_frame_equal(tables["comparisons"], comparisons(both.completions, RATES))
    row = both.comparisons[both.comparisons["outcome"] == "balanced"].iloc[0]
    assert row["difference"] == pytest.approx((17 - 3) / 20)
    alone = evaluate(pd.DataFrame(one), task).tables
    assert alone["comparisons"].empty
    assert all(len(alone[name]) for name in STATISTICS[1:])


def test_statistics_follow_their_settings(task: Task) -> None:
    frame = pd.DataFrame(rows("a", 1, "nurse", 5, 10) + rows("b", 1, "nurse", 6, 10))
    wide = evaluate(frame, task, settings=StatisticsSettings(margin=1.0)).comparisons
    assert wide["verdict"].str.startswith("As good as each other: within 100 points.").all()


def test_training_texts_give_the_verbatim_rate(task: Task) -> None:
    frame = pd.DataFrame(rows("sft", 7, "nurse", 1, 4))
    assert evaluate(frame, task, training_texts=[BOTH]).by_seed["verbatim"].tolist() == [0.25, 0.25]


def test_unknown_task_is_an_error(task: Task, write_csv: Callable[..., Path]) -> None:
    with pytest.raises(EquipoiseError, match="occupation"):
        evaluate(write_csv("subject,text\nnurse,bold\n"), "ocupations")
