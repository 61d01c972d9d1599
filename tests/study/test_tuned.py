"""Who chose a setting: named in the study file, found to have tried it, told in a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise import EquipoiseError, Study
from equipoise.study.builtin import builtin_studies
from equipoise.study.settings_table import settings_table
from equipoise.study.specification import Specification, read_specification
from study.conftest import WriteStudy

CHOOSING = """
[study]
name = "choosing"
subjects = "train"
seeds = [7]

[methods.sft]
sweep = { learning_rate = [1e-4, 5e-4] }
"""
TAKING = """
[study]
name = "taking"
seeds = [1]

[methods.prompt]

[methods.taught]
use = "sft"
learning_rate = 5e-4
tuned_by = "choosing.toml"
"""
CONFIGURATIONS = 4


def study(folder: Path, *changes: tuple[str, str]) -> Specification:
    choosing, taking = CHOOSING, TAKING
    for old, new in changes:
        assert old in choosing + taking
        choosing, taking = choosing.replace(old, new), taking.replace(old, new)
    (folder / "choosing.toml").write_text(choosing)
    (folder / "taking.toml").write_text(taking)
    return read_specification(folder / "taking.toml")


def test_it_is_told_beside_the_settings_and_decides_nothing(tmp_path: Path) -> None:
    one = study(tmp_path)
    assert one.tuned == {"taught": "choosing.toml"}
    table = settings_table(one.methods, one.task, one.tuned).set_index("setting")
    assert table.loc["tuned_by"].tolist() == ["no", "", "choosing.toml"]
    silent = study(tmp_path, ('tuned_by = "choosing.toml"\n', ""))
    assert silent.record() == one.record()
    assert "tuned_by" not in settings_table(silent.methods, silent.task, {})["setting"].tolist()


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (("learning_rate = 5e-4\nt", "learning_rate = 3e-4\nt"), "taught.learning_rate", "0.0003"),
        (("seeds = [1]", "seeds = [1, 7]"), "taught.tuned_by", "seed 7 chose it"),
        (('"choosing.toml"', '""'), "taught.tuned_by", "'' is not a study's name"),
        (("choosing.toml", "missing.toml"), "taught.tuned_by", "missing.toml"),
        (("choosing.toml", "tuning/stf"), "taught.tuned_by", "tuning/stf"),
        (('subjects = "train"\n', ""), "taught.tuned_by", "validation subjects"),
        (("[methods.sft]\nsweep = { learning_rate = [1e-4, 5e-4] }", "[methods.prompt]"),
         "taught.tuned_by", "sweeps no setting of method 'sft'"),
        (('"choosing.toml"', "3"), "taught.tuned_by", "3 is not a study's name"),
        (("learning_rate = 5e-4\nt", "sweep = {learning_rate = [5e-4]}\nt"),
         "taught.tuned_by", "was not chosen"),
    ],
)  # fmt: skip
def test_a_claim_that_does_not_hold_is_refused(
    tmp_path: Path, change: tuple[str, str], field: str, message: str
) -> None:
    with pytest.raises(EquipoiseError, match=message) as caught:
        study(tmp_path, change)
    assert caught.value.field == f"methods.{field}"


def test_what_was_otherwise_there_is_told(tmp_path: Path) -> None:
    one = study(
        tmp_path,
        ('subjects = "train"\n', 'subjects = "train"\nmodel = "gemma-3-270m"\ntask = "age"\n'),
        ("tuned_by", "n_per_subject = 3\ntuned_by"),
    )
    assert one.tuned["taught"] == "choosing.toml (otherwise there: n_per_subject, task, model)"


def test_what_it_builds_on_counts_as_well(tmp_path: Path) -> None:
    vector = '[methods.vector]\nuse = "task-vector"\nof = "base"\n'
    base = '[methods.base]\nuse = "sft"\nlearning_rate = '
    (tmp_path / "choosing.toml").write_text(
        CHOOSING[: CHOOSING.index("[methods")]
        + f"{base}1e-4\n{vector}sweep = {{ scale = [0.5, 1.0] }}\n"
    )
    (tmp_path / "taking.toml").write_text(
        TAKING[: TAKING.index("[methods.taught")]
        + f'{base}5e-4\n{vector}scale = 0.5\ntuned_by = "choosing.toml"\n'
    )
    one = read_specification(tmp_path / "taking.toml")
    assert one.tuned["vector"] == "choosing.toml (otherwise there: base.learning_rate)"


def test_values_may_be_tried_in_several_tables(tmp_path: Path) -> None:
    more = '\n[methods.more]\nuse = "sft"\nepochs = 1\nsweep = { learning_rate = [3e-4, 5e-4] }\n'
    sweep = "sweep = { learning_rate = [1e-4, 5e-4] }\n"
    assert study(tmp_path, (sweep, sweep + more)).tuned == {"taught": "choosing.toml"}
    only = study(tmp_path, (sweep, sweep + more), ("rate = 5e-4\nt", "rate = 3e-4\nt"))
    assert only.tuned == {"taught": "choosing.toml (otherwise there: epochs)"}


def test_a_value_that_is_set_by_hand_was_not_chosen(tmp_path: Path) -> None:
    study(tmp_path)
    path = tmp_path / "taking.toml"
    assert not read_specification(path, ["methods.taught.learning_rate=2e-5"]).tuned
    assert read_specification(path, ["study.samples_per_subject=3"]).tuned


class TestTrainSubjectsAlone:
    """``subjects = "train"``."""

    def test_the_others_are_gone_from_the_task_and_its_axis(self, tmp_path: Path) -> None:
        all_of = read_specification("quickstart")
        one = read_specification("quickstart", ["study.subjects='train'"])
        assert one.task.subjects == all_of.task.train
        assert not one.task.validation
        measured = {subject.name for subject in all_of.task.validation}
        assert measured & set(all_of.task.shares)
        assert set(one.task.shares) == set(all_of.task.shares) - measured
        assert one.conditions()["study"]["subjects"] == "train"
        assert "subjects" not in all_of.conditions()["study"]

    def test_what_is_not_a_choice_is_refused(self) -> None:
        with pytest.raises(EquipoiseError, match=r"study\.subjects"):
            read_specification("quickstart", ["study.subjects='validation'"])

    def test_such_a_run_is_whole(self, study_file: WriteStudy, tmp_path: Path) -> None:
        study = Study.from_toml(study_file(), ["study.subjects='train'"])
        result = study.run(tmp_path / "run", quiet=True)
        named = {subject.name for subject in study.specification.task.subjects}
        assert set(result.evaluation.completions["subject"]) == named
        assert set(result.evaluation.tables["compliance"]["split"]) == {"train", "all"}
        assert result.evaluation.tables["compliance"]["balanced_requested"].notna().all()
        again = study.run(tmp_path / "run", quiet=True)
        assert not again.computed


@pytest.mark.parametrize("name", [one for one in builtin_studies() if one.startswith("tuning/")])
def test_every_study_that_chooses_tries_as_many_values(name: str) -> None:
    one = read_specification(name)
    assert one.study.subjects == "train"
    assert one.study.seeds == (7,)
    assert not one.measures.without_listed
    assert not one.measures.side_effects
    [sweep] = one.sweeps
    assert len(sweep.values) == CONFIGURATIONS
