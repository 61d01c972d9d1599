"""What is published of a run is what was sealed, and its means are those of its seeds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

RESULTS = Path(__file__).parents[2] / "results"
RUNS = sorted(path.parent for path in RESULTS.rglob("study.json"))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_files_are_those_that_were_sealed(run: Path) -> None:
    about = json.loads((run / "manifest.json").read_text("utf-8"))
    sums, published = about["files"], sorted(run.glob("*.csv"))
    assert published
    for path in published:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name]["sha256"]
    for name in ("study.json", "environment.json"):
        content = (run / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about[f"{name}_sha256"]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_means_are_those_of_the_seeds(run: Path) -> None:
    """Every number of the summary that a seed's row also has, computed again."""
    by_seed, summary = (pd.read_csv(run / f"{name}.csv") for name in ("by_seed", "summary"))
    for published, split, column in (
        ("balanced_requested", "all", "balanced_requested"),
        ("balanced_train", "train", "balanced"),
        ("balanced_validation", "validation", "balanced"),
    ):
        means = by_seed[by_seed["split"] == split].groupby("method")[column].mean()
        for row in summary.to_dict("records"):
            assert row[published] == pytest.approx(means[row["method"]], abs=2e-6)
    study = json.loads((run / "study.json").read_text("utf-8"))
    assert set(by_seed["seed"]) == set(study["seeds"])
    assert set(by_seed["method"]) == set(study["methods"])
