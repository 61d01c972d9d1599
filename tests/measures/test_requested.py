"""What was asked for counts: golden rows by hand, and what is certain enters no test."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from equipoise.completions.frame import as_completions
from equipoise.measures import assemble, by_seed, compliance_table, score, write_table
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.requested import certain, is_certain, with_requests
from equipoise.runs.result_tables import read_table
from equipoise.task.task import Task

BOTH, ONE = "was bold and caring.", "was bold and decisive."
KEYS = ["method", "seed", "split"]


def texts(method: str, seed: int, **of_subject: list[str]) -> pd.DataFrame:
    rows = [
        (method, seed, name, f"The {name} {text}")
        for name, found in of_subject.items()
        for text in found
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "subject", "text"])


@pytest.fixture
def scored(task: Task) -> pd.DataFrame:
    """Subjects doctor and nurse (train) and teacher (validation), four of each asked for.

    ``all`` delivers all twelve, ``some`` with seed 1 three and with seed 2 nothing.
    """
    parts = [
        texts("all", seed, doctor=[BOTH] * seed + [ONE] * (4 - seed), nurse=[ONE] * 4,
              teacher=[BOTH, ONE, ONE, ONE])
        for seed in (1, 2)
    ]  # fmt: skip
    parts.append(texts("some", 1, doctor=[BOTH, BOTH], teacher=[BOTH]))
    return score(as_completions(pd.concat(parts), task), task)


FACTS = [
    CellFacts("all", 1, 4, told=4, by_construction=False),
    CellFacts("all", 2, 4, told=6, by_construction=False),
    CellFacts("some", 1, 4, told=20, by_construction=True),
    CellFacts("some", 2, 4, told=20, by_construction=True),
]


def test_golden_rows(scored: pd.DataFrame, task: Task) -> None:
    assert [len(task.train), len(task.validation)] == [2, 1]
    table = with_requests(by_seed(scored, task), FACTS, task)
    columns = [*KEYS, "n", "wanted", "balanced_requested", "told"]
    assert table[columns].values.tolist() == [
        ["all", 1, "train", 8, 8, 1 / 8, 4],
        ["all", 1, "validation", 4, 4, 1 / 4, 4],
        ["all", 1, "all", 12, 12, 2 / 12, 4],
        ["all", 2, "train", 8, 8, 2 / 8, 6],
        ["all", 2, "validation", 4, 4, 1 / 4, 6],
        ["all", 2, "all", 12, 12, 3 / 12, 6],
        ["some", 1, "train", 2, 8, 2 / 8, 20],
        ["some", 1, "validation", 1, 4, 1 / 4, 20],
        ["some", 1, "all", 3, 12, 3 / 12, 20],
        ["some", 2, "train", 0, 8, 0, 20],
        ["some", 2, "validation", 0, 4, 0, 20],
        ["some", 2, "all", 0, 12, 0, 20],
    ]
    assert table["balanced"].isna().tolist() == [False] * 9 + [True] * 3
    assert table["by_construction"].tolist() == [False] * 6 + [True] * 6


def test_means_over_seeds(scored: pd.DataFrame, task: Task) -> None:
    table = compliance_table(with_requests(by_seed(scored, task), FACTS, task))
    rows = table[table["split"] == "all"].set_index("method")
    assert rows.loc["all", "balanced_requested"] == pytest.approx(5 / 24)
    # deviations of 2/12 and 3/12 from their mean: 1/24 each
    assert rows.loc["all", "balanced_requested_sd"] == pytest.approx(math.sqrt(2) / 24)
    assert rows.loc["some", "balanced_requested"] == pytest.approx(1 / 8)
    assert rows.loc["some", "balanced_mean"] == 1  # among the delivered
    assert rows["wanted"].tolist() == [24, 24]
    assert rows["n"].tolist() == [24, 3]
    assert rows["told"].tolist() == [6, 20]  # the most of any seed
    assert rows["by_construction"].tolist() == [False, True]


def test_rows_stand_in_the_order_of_the_study(scored: pd.DataFrame, task: Task) -> None:
    table = with_requests(by_seed(scored, task), [*FACTS[3:], *FACTS[2:3], *FACTS[:2]], task)
    assert list(dict.fromkeys(zip(table["method"], table["seed"], strict=True))) == [
        ("some", 1), ("some", 2), ("all", 1), ("all", 2),
    ]  # fmt: skip


def test_other_peoples_texts_have_none_of_it(scored: pd.DataFrame, task: Task) -> None:
    evaluation = assemble(scored, task)
    for name in ("by_seed", "compliance"):
        assert not {"wanted", "told", "by_construction"} & set(evaluation.tables[name].columns)
    own = ["balanced_requested", "told", "by_construction"]
    assert evaluation.tables["summary"][own].isna().all(axis=None)
    assert "Balanced completions\n" in str(evaluation)


def test_what_a_seed_has_not_taken_down_is_not_known(scored: pd.DataFrame, task: Task) -> None:
    """A cell of an earlier version says what was asked for, and no more; never 0."""
    older = [CellFacts("all", 1, 4), *FACTS[1:2]]
    own = scored[scored["method"] == "all"]
    table = compliance_table(with_requests(by_seed(own, task), older, task))
    assert table["told"].isna().all()
    assert table["by_construction"].isna().all()
    assert table["balanced_requested"].notna().all()
    assert not any(is_certain(row) for row in table.to_dict("records"))
    evaluation = assemble(own, task, cells=older)
    assert "told" not in str(evaluation)
    assert evaluation.tables["summary"][["told", "by_construction"]].isna().all(axis=None)


def test_they_come_back_from_files(scored: pd.DataFrame, task: Task, tmp_path: Path) -> None:
    seeds = with_requests(by_seed(scored, task), [*FACTS[:1], *FACTS[2:]], task)
    write_table(tmp_path / "by_seed.csv", seeds)
    lines = (tmp_path / "by_seed.csv").read_text().splitlines()
    assert lines[0].endswith(",wanted,balanced_requested,told,by_construction")
    assert lines[1].endswith(",8,0.125000,4,False")
    again = compliance_table(read_table(tmp_path / "by_seed.csv"))
    expected = compliance_table(seeds)
    pd.testing.assert_frame_equal(again, expected, check_dtype=False, atol=1e-6)
    assert again["by_construction"].tolist() == expected["by_construction"].tolist()


def test_the_summary_has_whole_numbers_and_truth_values(
    scored: pd.DataFrame, task: Task, tmp_path: Path
) -> None:
    summary = assemble(scored, task, cells=FACTS).tables["summary"]
    write_table(tmp_path / "summary.csv", summary)
    read = pd.read_csv(tmp_path / "summary.csv").set_index("method")
    assert read["told"].tolist() == [6, 20]
    assert read["told"].dtype == "int64"
    assert read["by_construction"].tolist() == [False, True]
    assert read["balanced_requested"].tolist() == pytest.approx([5 / 24, 1 / 8], abs=1e-6)
    assert read["balanced"].tolist() == pytest.approx([5 / 24, 1], abs=1e-6)


def test_what_is_certain_is_not_tested(scored: pd.DataFrame, task: Task) -> None:
    assert certain(FACTS) == ["some"]
    third = scored[scored["method"] == "all"].assign(method="third")
    facts = [*FACTS, *(CellFacts("third", seed, 4, 0, by_construction=False) for seed in (1, 2))]
    evaluation = assemble(pd.concat([scored, third]), task, cells=facts)
    for name in ("comparisons", "intervals", "wilson"):
        table = evaluation.tables[name]
        methods = [column for column in table.columns if column.startswith("method")]
        of_balance = table[table["outcome"].isin(["balanced", "satisfied"])]
        others = table[table["outcome"] == "any"]
        assert not (of_balance[methods] == "some").any(axis=None)
        assert (of_balance[methods] == "third").any(axis=None)
        assert (others[methods] == "some").any(axis=None)
    # In the tests of others it is left out as if it were not there at all.
    alone = assemble(pd.concat([scored[scored["method"] == "all"], third]), task)
    family = evaluation.comparisons.query("outcome == 'balanced'").reset_index(drop=True)
    expected = alone.comparisons.query("outcome == 'balanced'").reset_index(drop=True)
    pd.testing.assert_frame_equal(family, expected)


def test_the_terminal_marks_it(scored: pd.DataFrame, task: Task) -> None:
    said = str(assemble(scored, task, cells=FACTS))
    assert "Balanced completions, of all that were asked for" in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line}
    lines = [line.split() for line in said.splitlines()]
    [every] = [line for line in lines if line[:1] == ["all"]][:1]
    assert every[1:9] == ["18.8", "±", "8.8", "%", "25.0", "±", "0.0", "%"]
    assert every[9:12] == ["20.8", "%", "6"]
    assert rows["*"][:3] == ["*", "By", "construction:"]
    [some] = [line for line in lines if line[:1] == ["some"]][:1]
    assert some[9:12] == ["100.0", "%*", "20"]  # beside what was asked for, of which it is 12.5 %
    assert all(len(line) <= 80 for line in said.splitlines() if "─" in line)


def test_delivered_whole_it_is_certain_of_what_was_asked_for(task: Task) -> None:
    parts = texts("sure", 1, doctor=[BOTH], nurse=[BOTH], teacher=[BOTH])
    whole = score(as_completions(parts, task), task)
    facts = [CellFacts("sure", 1, 1, told=20, by_construction=True)]
    said = [line.split() for line in str(assemble(whole, task, cells=facts)).splitlines()]
    [row] = [line for line in said if line[:1] == ["sure"]][:1]
    assert row[1:8] == ["100.0", "%*", "100.0", "%*", "100.0", "%*", "20"]
