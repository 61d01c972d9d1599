"""From completions to cells: nothing is lost, and what cannot be compared is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import EquipoiseError
from equipoise.statistics import comparisons
from equipoise.statistics.cells import Grouped, cells_of, sampling_floor_of, sampling_of

from .conftest import Scored


def test_counts_and_rates(scored: Scored) -> None:
    frame = scored({"a": {2: {"t": (1, 4), "v": (3, 3)}, 1: {"v": (0, 2)}}})
    [cells] = cells_of(frame, "balanced").values()
    assert (cells.method, cells.kind, cells.seeds) == ("a", "rate", (1, 2))
    assert (cells.subjects, cells.splits) == (("t", "v"), ("train", "validation"))
    assert cells.n.tolist() == [[0, 2], [4, 3]]
    assert cells.totals.tolist() == [[0, 0], [1, 3]]
    assert np.isnan(cells.means[0, 0])
    assert cells.means[1].tolist() == [0.25, 1]
    assert cells.complete == {"v"}
    assert cells.of_split("train") == ["t"]
    assert cells.of_split("all") == ["t", "v"]
    assert cells.only(["v"]).means.tolist() == [[0], [1]]
    assert cells.rare


def test_or_and_and_are_outcomes_of_their_own_and_no_replicates(study: pd.DataFrame) -> None:
    """Replicates are the seeds, three of them, whatever is counted of their completions."""
    frame = study.assign(any=True)
    both = comparisons(frame, ["balanced", "any"])
    assert set(both["seeds_a"]) == set(both["seeds_b"]) == {3}
    assert both["outcome"].tolist() == ["balanced"] * 3 + ["any"] * 3
    pd.testing.assert_frame_equal(both.iloc[:3], comparisons(frame, ["balanced"]))
    assert both["difference"].iloc[3:].tolist() == [0, 0, 0]


def test_scores_and_their_sampling_variance() -> None:
    frame = pd.DataFrame(
        {
            "method": "a",
            "seed": [1, 1, 1, 1, 1],
            "subject": ["x", "x", "y", "y", "y"],
            "split": "",
            "score": [1.0, 3.0, 2.0, None, 4.0],
        }
    )
    [cells] = cells_of(frame, "score").values()
    assert cells.kind == "score"
    assert cells.n.tolist() == [[2, 2]]  # a missing score is in no count
    # within x and y: squares 2 + 2 on 2 df = 2; 2 (1/2 + 1/2) / 2² = 0.5
    assert sampling_of(cells) == pytest.approx(0.5)
    single = cells_of(frame.iloc[[0, 2]], "score")["a"]
    assert sampling_of(single) == 0


def test_grouped_once_gives_what_pandas_gives_for_each_outcome() -> None:
    rng = np.random.default_rng(3)
    size = 400
    frame = pd.DataFrame(
        {
            "method": rng.choice(["b", "a", "c"], size),
            "seed": rng.choice([7, 2], size),
            "subject": rng.choice(["x", "y", "z"], size),
            "flag": rng.choice([True, False], size),
            "score": np.where(rng.random(size) < 0.2, np.nan, rng.normal(size=size)),
        }
    )
    frame["split"] = frame["subject"].map({"x": "train", "y": "", "z": "validation"})
    grouped = Grouped.of(frame)
    assert Grouped.of(grouped) is grouped
    for outcome in ("flag", "score"):
        found = cells_of(grouped, outcome)
        assert list(found) == list(dict.fromkeys(frame["method"]))
        for method, cells in found.items():
            groups = frame[frame["method"] == method].groupby(["seed", "subject"])[outcome]
            for i, seed in enumerate(cells.seeds):
                for j, subject in enumerate(cells.subjects):
                    values = groups.get_group((seed, subject)).dropna().astype(float)
                    assert cells.n[i, j] == len(values)
                    assert cells.totals[i, j] == pytest.approx(values.sum())
                    assert cells.squares[i, j] == pytest.approx((values**2).sum())


def test_sampling_is_a_floor_where_seeds_cannot_be_seen_to_differ(scored: Scored) -> None:
    often = {seed: {"t": (5, 10), "v": (5, 10)} for seed in (1, 2)}
    seldom = {seed: {"t": (0, 10), "v": (1, 10)} for seed in (1, 2)}
    cells = cells_of(scored({"a": often, "b": seldom, "c": {1: often[1]}}), "balanced")
    assert sampling_floor_of(cells["a"]) == 0
    for sides in ([cells["b"]], [cells["c"]], [cells["a"], cells["b"]], [cells["a"], cells["c"]]):
        assert sampling_floor_of(*sides) == sampling_of(*sides) > 0


def test_missing_flags_leave_no_method() -> None:
    frame = pd.DataFrame(
        {"method": "a", "seed": 1, "subject": "x", "split": "", "flag": [pd.NA, pd.NA]}
    ).astype({"flag": "boolean"})
    assert cells_of(frame, "flag") == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"balanced": ["x", "y"]}, "column 'balanced' holds no numbers"),
        ({"balanced": [1.0, float("inf")]}, "holds infinite values"),
        ({"split": ["train", "validation"]}, "subject 't' is in more than one split"),
    ],
)
def test_what_cannot_be_compared(scored: Scored, change: dict[str, list], message: str) -> None:
    frame = scored({"a": {1: {"t": (1, 2)}}}).assign(**change)
    with pytest.raises(EquipoiseError, match=message):
        cells_of(frame, "balanced")
    with pytest.raises(EquipoiseError, match="no column 'nothing'"):
        cells_of(frame, "nothing")
