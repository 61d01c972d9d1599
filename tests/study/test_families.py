"""Methods that build on other methods' models: what is computed, known and measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise import Study
from study.conftest import WriteStudy
from tiny_study import STUDY

FROM = STUDY[STUDY.index("[methods.prompt]") :]
METHODS = """
[methods.again]
use = "task-vector"

[methods.half]
use = "task-vector"
scale = 0.5

[methods.experts]
alpha = 2.0

[methods.best]
use = "best-of"
init_from = "again"
draws = 2

[methods.sft]
n_per_subject = 2
max_steps = 1
batch_size = 2
learning_rate = 1e-1

[methods.steered]
use = "steer"
init_from = "sft"
n_per_subject = 2
strength = 1.0
"""


@pytest.fixture
def written(study_file: WriteStudy) -> Path:
    """A study in which most stands before what it needs."""
    return study_file(("[1, 2]", "[1]"), (FROM, METHODS))


def test_they_are_computed_after_what_they_need_and_know_what_that_knows(
    written: Path, tmp_path: Path
) -> None:
    study = Study.from_toml(written, ["measures.without_listed=1"])
    result = study.run(tmp_path / "run", quiet=True)
    labels = [cell.label for cell in result.computed]
    assert labels == ["sft", "again", "half", "experts", "best", "steered"]
    drawn = result.evaluation.completions.set_index("method")
    assert drawn.loc["again", "text"].tolist() == drawn.loc["sft", "text"].tolist()
    for label in ("half", "experts", "best", "steered"):
        assert drawn.loc[label, "text"].tolist() != drawn.loc["sft", "text"].tolist()
    assert drawn["verbatim"].notna().all(), "what sft learnt would be found in any of them"
    summary = result.evaluation.tables["summary"].set_index("method")
    assert (summary["told"] >= summary.loc["sft", "told"]).all()
    assert summary["control"].to_dict() == {
        "again": "parametric",
        "half": "parametric",
        "experts": "parametric + logits",
        "best": "parametric + post-hoc",
        "sft": "parametric",
        "steered": "parametric + steering",
    }
    cells = result.folder / "cells"
    listed = summary["without_listed_in_range"].notna()
    assert listed.to_dict() == {label: label != "experts" for label in labels}
    assert (cells / "steered" / "seed1" / "model" / "steering.safetensors").is_file()


def test_what_is_built_on_decides_what_a_cell_holds(written: Path) -> None:
    study, changed = Study.from_toml(written), Study.from_toml(written, ["methods.sft.max_steps=2"])
    for cell in study.specification.cells():
        configs = [one.specification.cell_config(cell) for one in (study, changed)]
        assert configs[0] != configs[1], f"{cell} does not say what it builds on"
