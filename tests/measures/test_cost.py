"""What completions cost: golden values worked out by hand, and where there is nothing to divide."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from equipoise.measures import Evaluation, assemble, evaluate
from equipoise.measures.cost import acceptance_table, cost_table, shortfalls
from equipoise.statistics.rates import wilson_interval
from equipoise.task.task import Task


def draws(*rows: tuple[str, int, bool, bool]) -> pd.DataFrame:
    """Rows of subject, tokens, accepted, delivered; tokens as a completions frame has them."""
    frame = pd.DataFrame(list(rows), columns=["subject", "tokens", "accepted", "delivered"])
    frame.insert(1, "text", "some text")
    return frame.astype({"tokens": "Int64", "accepted": bool, "delivered": bool})


def test_acceptance_by_hand() -> None:
    table = acceptance_table(
        draws(
            ("nurse", 5, False, False),
            ("nurse", 7, True, True),
            ("doctor", 4, True, True),
            ("doctor", 9, True, True),
            ("doctor", 2, True, False),  # accepted, when two were there already
            ("pilot", 12, False, False),
            ("pilot", 11, False, False),
        ),
        wanted=2,
    )
    low, high = "wilson_low", "wilson_high"
    counts = table.drop(columns=["acceptance", low, high, "tokens_per_delivered"])
    assert list(counts.itertuples(index=False, name=None)) == [
        # subject, wanted, delivered, draws, accepted, tokens
        ("nurse", 2, 1, 2, 1, 12),
        ("doctor", 2, 2, 3, 3, 15),
        ("pilot", 2, 0, 2, 0, 23),
        ("all", 6, 3, 7, 4, 50),
    ]
    assert table["acceptance"].tolist() == [1 / 2, 1, 0, 4 / 7]
    assert table["tokens_per_delivered"].tolist() == [12, 15 / 2, math.inf, 50 / 3]
    for row, (k, n) in zip(table.itertuples(), [(1, 2), (3, 3), (0, 2), (4, 7)], strict=True):
        assert (row.wilson_low, row.wilson_high) == wilson_interval(k, n)


def test_acceptance_without_a_draw() -> None:
    [row] = acceptance_table(draws(), wanted=2).to_dict("records")
    assert (row["subject"], row["draws"], row["tokens_per_delivered"]) == ("all", 0, math.inf)
    assert all(math.isnan(row[name]) for name in ("acceptance", "wilson_low", "wilson_high"))


def cell(method: str, *numbers: float, rejects: bool) -> dict[str, Any]:
    """A cell of which 10 were wanted."""
    names = ("delivered", "draws", "accepted", "tokens", "balanced_delivered", "balanced_draws")
    times = ("fit_seconds", "sampling_seconds")
    counts = dict(zip((*names, *times), numbers, strict=True))
    return {"method": method, "wanted": 10, "rejects": rejects, **counts}


CELLS = [
    cell("prompt", 10, 10, 10, 200, 1, 1, 0.0, 4.0, rejects=False),
    cell("prompt", 10, 10, 10, 220, 2, 2, 0.0, 6.0, rejects=False),
    cell("filter", 10, 80, 12, 1600, 10, 12, 0.5, 30.0, rejects=True),
    cell("filter", 4, 100, 4, 2100, 4, 4, 1.5, 40.0, rejects=True),
    cell("strict", 0, 100, 0, 2000, 0, 3, 0.0, 35.0, rejects=True),
]
COLUMNS = [
    "method", "seeds", "wanted", "delivered", "draws", "acceptance", "wilson_low", "wilson_high",
    "tokens_per_delivered", "seconds_per_delivered", "fit_seconds", "balanced_delivered",
    "balanced_draws", "fit_peak_gb", "sampling_peak_gb", "peak_gb", "trainable_parameters",
]  # fmt: skip


def test_cost_by_hand_over_seeds() -> None:
    nan, inf = math.nan, math.inf
    table = cost_table(CELLS)
    assert table.columns.tolist() == COLUMNS
    assert table["method"].tolist() == ["prompt", "filter", "strict"]
    expected = [
        # a method that rejects nothing has no interval
        [2, 20, 20, 20, 1.0, nan, nan, 420 / 20, 10 / 20, 0.0, 3 / 20, 3 / 20],
        [2, 20, 14, 180, 4 / 45, *wilson_interval(16, 180), 3700 / 14, 70 / 14, 1.0, 1.0, 4 / 45],
        [1, 10, 0, 100, 0.0, *wilson_interval(0, 100), inf, inf, 0.0, nan, 3 / 100],
    ]
    unknown = [nan] * 4  # cells of an older version say nothing of memory and size
    for found, row in zip(table.itertuples(index=False), expected, strict=True):
        assert list(found[1:]) == pytest.approx([*row, *unknown], abs=1e-12, nan_ok=True)


def test_memory_and_size_are_the_highest_of_any_seed() -> None:
    sizes = [(1.5, 0.7, 134), (2.0, 2.5, 134), (0.5, 0.6, 0)]
    names = ("fit_peak_gb", "sampling_peak_gb", "trainable_parameters")
    cells = [c | dict(zip(names, s, strict=True)) for c, s in zip(CELLS[:3], sizes, strict=True)]
    table = cost_table(cells)
    assert table["fit_peak_gb"].tolist() == [2.0, 0.5]
    assert table["sampling_peak_gb"].tolist() == [2.5, 0.6]
    assert table["peak_gb"].tolist() == [2.5, 0.6]
    assert table["trainable_parameters"].tolist() == [134, 0]
    # a cell of an older version beside one of this: what is known counts
    assert cost_table([CELLS[0], cells[1]])["peak_gb"].tolist() == [2.5]


def test_cost_of_cells_in_any_order() -> None:
    mixed = [CELLS[i] for i in (2, 0, 4, 3, 1)]
    table = cost_table(mixed).set_index("method")
    assert list(table.index) == ["filter", "prompt", "strict"]
    pd.testing.assert_frame_equal(
        table.sort_index(), cost_table(CELLS).set_index("method").sort_index()
    )


def test_shortfalls() -> None:
    big = cell("big", 1000, 123456, 1000, 2_000_000, 0, 0, 0.0, 1.0, rejects=True)
    assert shortfalls(cost_table([*CELLS, {**big, "wanted": 5000}])) == [
        "filter delivered 14 of 20 completions in 180 draws; acceptance.csv in its cells says for "
        "which subjects.",
        "strict delivered 0 of 10 completions in 100 draws; acceptance.csv in its cells says for "
        "which subjects.",
        "big delivered 1,000 of 5,000 completions in 123,456 draws; acceptance.csv in its cells "
        "says for which subjects.",
    ]
    assert shortfalls(cost_table(CELLS[:2])) == []


@pytest.fixture
def evaluation(task: Task) -> Evaluation:
    """Of ``filter`` and ``prompt``, in that order."""
    texts = {"filter": "The nurse was bold and caring.", "prompt": "The nurse was bold."}
    return evaluate(
        pd.DataFrame(
            [
                {"method": method, "seed": seed, "subject": subject, "text": text}
                for method, text in texts.items()
                for seed in (1, 2)
                for subject in ("nurse", "teacher")
            ]
        ),
        task,
    )


def printed_rows(
    evaluation: Evaluation, task: Task, costs: list[dict[str, Any]] | None
) -> dict[str, list[str]]:
    scored = evaluation.completions
    shown = str(assemble(scored, task, costs=costs)).partition("What else changed")[0]
    assert max(map(len, shown.splitlines())) <= 80
    return {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.split()}


def test_table_with_cost(evaluation: Evaluation, task: Task) -> None:
    rows = printed_rows(evaluation, task, CELLS)
    assert rows["method"][-2:] == ["range", "each"]
    methods = [name for name in rows if name in ("prompt", "filter", "strict")]
    assert methods == ["prompt", "filter", "strict"]  # the order of the cost, which has them all
    # balance of both splits, held-out terms, any term, in range of 4 to 9 words, tokens each
    assert " ".join(rows["prompt"]) == "0.0 ± 0.0 % 0.0 ± 0.0 % 0.0 % 100.0 % 100.0 % 21.0"
    assert " ".join(rows["filter"]) == "100.0 ± 0.0 % 100.0 ± 0.0 % 0.0 % 100.0 % 100.0 % 264.3"
    assert rows["strict"] == [*"–––––", "∞"]


def test_table_without_cost_shows_mean_words(evaluation: Evaluation, task: Task) -> None:
    rows = printed_rows(evaluation, task, None)
    assert rows["method"][-2:] == ["range", "words"]
    assert [rows[name][-1] for name in ("filter", "prompt")] == ["6.0", "4.0"]
    assert "strict" not in rows


def test_method_names_in_a_cost_cannot_style_the_terminal(
    evaluation: Evaluation, task: Task
) -> None:
    hostile = {**CELLS[4], "method": "[b]x\x1b"}
    assert "[b]x?" in printed_rows(evaluation, task, [*CELLS, hostile])
