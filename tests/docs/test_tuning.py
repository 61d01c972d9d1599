"""What was tried is what the study files try, and what is taken is what the rule chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from equipoise.study.specification import read_specification

ROOT = Path(__file__).parents[2]
FOUND = pd.read_csv(ROOT / "results" / "tuning.csv")

Rule = Callable[[pd.DataFrame], float]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """The rule of the documentation."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import tuning_results  # type: ignore[import-not-found]

    rule: Rule = tuning_results.chosen
    return rule


@pytest.mark.parametrize("name", FOUND["study"].unique())
def test_every_value_of_a_study_was_tried(name: str) -> None:
    [sweep] = read_specification(name).sweeps
    rows = FOUND[FOUND["study"] == name]
    assert rows["value"].tolist() == pytest.approx(list(sweep.values.values()))
    assert rows["setting"].unique().tolist() == [sweep.setting]
    assert rows.notna().all(axis=None)


@pytest.mark.parametrize("name", ["families", "full"])
def test_what_comparisons_take_is_what_was_chosen(name: str, chosen: Rule) -> None:
    study = read_specification(name)
    tuned = {label: told.partition(" (")[0] for label, told in study.tuned.items()}
    assert {"sft", "dpo", "few-shot", "ctrlg", "sft-rlhf"} <= tuned.keys()
    for label, chose in tuned.items():
        rows = FOUND[FOUND["study"] == chose]
        taken = getattr(study.methods[label].settings, rows["setting"].iloc[0])
        assert taken == pytest.approx(chosen(rows)), label


def test_the_rule(chosen: Rule) -> None:
    """Golden: 0.90 is within three points of 0.92, and likelier; 0.88 is likelier and worse."""
    rows = pd.DataFrame(
        {
            "value": [1.0, 2.0, 3.0],
            "balanced_requested": [0.92, 0.90, 0.88],
            "log_probability_base": [-5.0, -4.0, -3.0],
        }
    )
    assert chosen(rows) == 2.0
