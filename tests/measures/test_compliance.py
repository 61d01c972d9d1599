"""Rates per seed and over seeds: golden values, and a twin in plain Python."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import write_table
from equipoise.measures.compliance import by_seed, compliance_table
from equipoise.measures.judgement import score
from equipoise.task.task import Task

BY_SEED = [
    "method", "seed", "split", "n", "balanced", "any", "agentic_only", "communal_only", "neither",
    "in_range", "mean_words", "mean_agentic", "mean_communal", "satisfied", "balanced_held_out",
    "balanced_all", "verbatim", "finished", "well_formed",
]  # fmt: skip
COMPLIANCE = [
    "method", "split", "n", "seeds", "balanced_mean", "balanced_sd", "any_mean", "any_sd",
    "agentic_only_mean", "communal_only_mean", "neither_mean", "in_range_mean", "mean_words",
    "satisfied_mean", "satisfied_sd", "balanced_held_out_mean", "balanced_held_out_sd",
    "balanced_all_mean", "balanced_all_sd", "verbatim_mean", "finished_mean",
    "well_formed_mean", "mean_agentic", "mean_communal",
]  # fmt: skip
BOTH = "The x was bold and caring."  # 6 words
ONE = "The x was bold and decisive."  # 6 words, two agentic terms
NONE = "The x was"  # 3 words, too few


def completions(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Rows of method, seed, split, text; a text is finished if it ends in a full stop."""
    frame = pd.DataFrame(list(rows), columns=["method", "seed", "split", "text"])
    return frame.assign(finished=frame["text"].str.endswith(".").astype("bool"))


@pytest.fixture
def two_methods(task: Task) -> pd.DataFrame:
    """``z`` with two seeds of unequal size, then ``a`` with one seed and no validation subject."""
    frame = completions(
        ("z", 9, "train", BOTH), ("z", 9, "train", ONE), ("z", 9, "train", NONE),
        ("z", 9, "validation", BOTH),
        ("z", 2, "validation", NONE), ("z", 2, "train", BOTH),
        ("a", 2, "train", ONE), ("a", 2, "", BOTH),
    )  # fmt: skip
    return by_seed(score(frame, task, [ONE]), task)


def test_by_seed_golden(two_methods: pd.DataFrame) -> None:
    assert two_methods.columns.tolist() == BY_SEED
    keys = two_methods[["method", "seed", "split", "n"]]
    assert list(keys.itertuples(index=False, name=None)) == [
        ("z", 2, "train", 1), ("z", 2, "validation", 1), ("z", 2, "all", 2),
        ("z", 9, "train", 3), ("z", 9, "validation", 1), ("z", 9, "all", 4),
        ("a", 2, "train", 1), ("a", 2, "all", 2),
    ]  # fmt: skip
    row = two_methods.iloc[5]  # z, seed 9, all: BOTH, ONE, NONE, BOTH
    expected = {
        "balanced": 2 / 4,
        "any": 3 / 4,
        "agentic_only": 1 / 4,
        "communal_only": 0.0,
        "neither": 1 / 4,
        "in_range": 3 / 4,  # NONE has 3 words, fewer than 4
        "mean_words": (6 + 6 + 3 + 6) / 4,
        "mean_agentic": (1 + 2 + 0 + 1) / 4,
        "mean_communal": (1 + 0 + 0 + 1) / 4,
        "satisfied": 2 / 4,
        "balanced_held_out": 0.0,
        "balanced_all": 2 / 4,
        "verbatim": 1 / 4,  # ONE
        "finished": 3 / 4,
        "well_formed": 3 / 4,  # NONE has no full stop
    }
    assert row[4:].to_dict() == pytest.approx(expected, abs=1e-15)


def test_compliance_golden(two_methods: pd.DataFrame) -> None:
    table = compliance_table(two_methods)
    assert table.columns.tolist() == COMPLIANCE
    assert list(table[["method", "split", "n", "seeds"]].itertuples(index=False, name=None)) == [
        ("z", "train", 4, 2), ("z", "validation", 2, 2), ("z", "all", 6, 2),
        ("a", "train", 1, 1), ("a", "all", 2, 1),
    ]  # fmt: skip
    train = table.iloc[0]
    # seed 2: 1/1 balanced; seed 9: 1/3. The mean is of seeds, (1 + 1/3)/2, not 2/4 of completions.
    assert train["balanced_mean"] == pytest.approx(2 / 3, abs=1e-15)
    # sample SD of 1 and 1/3: deviations ±1/3, sqrt((1/9 + 1/9) / (2 - 1)) = sqrt(2)/3
    assert train["balanced_sd"] == pytest.approx(math.sqrt(2) / 3, abs=1e-15)
    assert train["mean_words"] == pytest.approx((6 + 5) / 2, abs=1e-15)  # 6/1 and 15/3
    one_seed = table.iloc[4]
    assert one_seed["balanced_mean"] == 0.5
    assert math.isnan(one_seed["balanced_sd"])


def test_rates_of_exactly_nought_and_one(task: Task) -> None:
    frame = completions(*[("m", seed, "train", BOTH) for seed in (1, 2, 3) for _ in range(7)])
    row = compliance_table(by_seed(score(frame, task), task)).iloc[0]
    assert (row["balanced_mean"], row["balanced_sd"], row["neither_mean"]) == (1.0, 0.0, 0.0)
    assert math.isnan(row["verbatim_mean"])  # not measured


def test_not_measured_stays_empty_beside_measured(task: Task, tmp_path: Path) -> None:
    """A study joins cells with training texts (sft) and without (prompt)."""
    prompt = score(completions(("prompt", 1, "train", BOTH)), task)
    sft = score(completions(("sft", 1, "train", BOTH)), task, [BOTH])
    table = by_seed(pd.concat([prompt, sft]), task)
    assert table["verbatim"].isna().tolist() == [True, True, False, False]
    write_table(tmp_path / "by_seed.csv", table)
    assert (tmp_path / "by_seed.csv").read_text().splitlines()[1] == (
        "prompt,1,train,1,1.000000,1.000000,0.000000,0.000000,0.000000,1.000000,6.000000,1.000000,"
        "1.000000,1.000000,0.000000,1.000000,,1.000000,1.000000"
    )


def test_no_held_out_terms_no_held_out_rate(task_without_held_out: Task) -> None:
    scored = score(completions(("m", 1, "train", BOTH)), task_without_held_out)
    table = compliance_table(by_seed(scored, task_without_held_out))
    assert table["balanced_held_out_mean"].isna().all()
    assert table["balanced_all_mean"].tolist() == [1.0, 1.0]


def test_term_set_named_words_is_refused(task: Task) -> None:
    clashing = SimpleNamespace(lexicons={"words": task.lexicons["agentic"]}, path="my.toml")
    with pytest.raises(EquipoiseError, match=r"my.toml: terms.words: a term set named 'words'"):
        by_seed(pd.DataFrame(), clashing)  # type: ignore[arg-type]


TEXTS = [BOTH, ONE, NONE, "", "The x was active and warm.", "Loyal", "bold " * 12]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["sft", "prompt", "=x"]),
        st.sampled_from([42, 123, 456]),
        st.sampled_from(["train", "validation", ""]),
        st.sampled_from(TEXTS),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(rows=ROWS)
def test_equals_plain_loops(task: Task, rows: list[tuple[str, int, str, str]]) -> None:
    scored = score(completions(*rows), task, [BOTH])
    seeds = by_seed(scored, task)
    table = compliance_table(seeds)
    records = scored.to_dict("records")
    expected_seeds, expected_table = [], []
    for method in dict.fromkeys(row[0] for row in rows):
        rates: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "all": []}
        for seed in sorted({row[1] for row in rows}):
            for split in ("train", "validation", "all"):
                cell = [
                    r for r in records
                    if r["method"] == method and r["seed"] == seed
                    and (split == "all" or r["split"] == split)
                ]  # fmt: skip
                if cell:
                    line = plain_rates(cell)
                    rates[split].append(line)
                    expected_seeds.append((method, seed, split, len(cell), *line.values()))
        for split, lines in rates.items():
            if lines:
                n = sum(r[0] == method and split in ("all", r[2]) for r in rows)
                expected_table.append((method, split, n, len(lines), *over_seeds(lines).values()))
    assert_rows(seeds, expected_seeds)
    assert_rows(table, expected_table)


def plain_rates(cell: list[dict[str, Any]]) -> dict[str, float]:
    sources = {
        "mean_words": "word_count",
        "mean_agentic": "n_agentic",
        "mean_communal": "n_communal",
    }
    return {
        name: sum(float(row[sources.get(name, name)]) for row in cell) / len(cell)
        for name in BY_SEED[4:]
    }


def over_seeds(lines: list[dict[str, float]]) -> dict[str, float]:
    found = {}
    for column in COMPLIANCE[4:]:
        values = [line[column.removesuffix("_mean").removesuffix("_sd")] for line in lines]
        spread = statistics.stdev(values) if len(values) > 1 else math.nan
        found[column] = spread if column.endswith("_sd") else statistics.fmean(values)
    return found


def assert_rows(frame: pd.DataFrame, expected: list[tuple[Any, ...]]) -> None:
    got = list(frame.itertuples(index=False, name=None))
    assert len(got) == len(expected)
    for left, right in zip(got, expected, strict=True):
        text = sum(isinstance(value, str) for value in right)
        keys = 4
        assert text == (2 if len(right) >= keys else 0)
        assert left[:keys] == right[:keys]
        assert left[keys:] == pytest.approx(right[keys:], abs=1e-12, nan_ok=True)
