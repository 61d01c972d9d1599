"""One table, several methods: what a sweep becomes, and what is refused before anything is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise import EquipoiseError, Study
from equipoise.files.artifacts import check_name
from equipoise.methods.registry import METHODS
from equipoise.model.model_size import model_size
from equipoise.report.doses import doses
from equipoise.runs.cell import Cell
from equipoise.runs.finished_run import read_run
from equipoise.runs.store import Store
from equipoise.runs.study_description import check_comparable
from equipoise.runs.sweep import Sweep, sweeps_of
from equipoise.study.specification import Specification, read_specification
from equipoise.study.sweeps import expand_sweeps
from equipoise.task.task_file import load_task
from study.conftest import WriteStudy

RUN = """
[methods.v]
use = "task-vector"
sweep = {scale = [0, 1]}
"""
HEAD = '[study]\nname = "s"\nseeds = [1, 2]\nsamples_per_subject = 2\n'
VECTOR = 'use = "task-vector"\nof = "sft"\nprompt = "balanced"\n'


def study(folder: Path, methods: str, *overrides: str) -> Specification:
    path = folder / "s.toml"
    path.write_text(HEAD + methods)
    return read_specification(path, overrides)


def swept(values: Any, setting: str = "scale") -> tuple[Any, tuple[Sweep, ...]]:
    tables = {"v": {"use": "task-vector", "sweep": {setting: values}}}
    return expand_sweeps(tables, Path("s.toml"))


def test_it_is_what_the_tables_written_out_are(tmp_path: Path) -> None:
    values = {"v-minus-0.5": "-0.5", "v-0": "0", "v-1": "1.0"}
    out = "".join(f'[methods."{name}"]\n{VECTOR}scale = {v}\n' for name, v in values.items())
    long = study(tmp_path, f"[methods.sft]\n{out}[methods.prompt]\n")
    short = study(
        tmp_path,
        f"[methods.sft]\n[methods.v]\n{VECTOR}sweep = {{scale = [-0.5, 0, 1.0]}}\n"
        "[methods.prompt]\n",
    )
    assert list(short.methods) == list(long.methods)
    assert short.computing_order() == long.computing_order()
    for cell in long.cells():
        assert short.cell_config(cell) == long.cell_config(cell)
    told = short.record()
    assert told.pop("sweeps") == {
        "v": {"setting": "scale", "methods": {"v-minus-0.5": -0.5, "v-0": 0, "v-1": 1.0}}
    }
    assert told == long.record(), "a study without a sweep says nothing of sweeps"
    assert sweeps_of(short.record()) == list(short.sweeps)
    assert short.needs(Cell("v-1", 2)) == [Cell("sft", 2)]


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("[methods.steer]\nsweep = {strength = [0.02, -0.02]}", ["steer-0.02", "steer-minus-0.02"]),
        ("[methods.filter]\nsweep = {max_draws = [1, 2000]}", ["filter-1", "filter-2000"]),
        ("[methods.best-of]\nsweep = {draws = [1, 4]}", ["best-of-1", "best-of-4"]),
        ("[methods.sft]\nsweep = {learning_rate = [1e-5, 2e-4]}", ["sft-1e-5", "sft-0.0002"]),
        ("[methods.steer]\nsweep = {layer = [-1, 3]}", ["steer-minus-1", "steer-3"]),
    ],
)
def test_any_setting_of_any_method(tmp_path: Path, table: str, labels: list[str]) -> None:
    found = study(tmp_path, table)
    assert list(found.methods) == labels
    [sweep] = found.sweeps
    got = [getattr(found.methods[label].settings, sweep.setting) for label in labels]
    assert got == list(sweep.values.values())


def test_values_may_be_set_for_one_run(tmp_path: Path) -> None:
    table = "[methods.steer]\nsweep = {strength = [0.1]}"
    found = study(tmp_path, table, "methods.steer.sweep.strength=[0.3, 0.4]")
    assert list(found.methods) == ["steer-0.3", "steer-0.4"]


def test_no_method_has_a_setting_of_that_name() -> None:
    assert not [name for name, m in METHODS.items() if "sweep" in m.settings_model.model_fields]


FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20)


@given(st.lists(FINITE, min_size=1, max_size=20, unique=True))
def test_every_value_has_a_folder_of_its_own(values: list[float]) -> None:
    tables, [sweep] = swept(values)
    assert list(tables) == list(sweep.values)
    assert list(sweep.values.values()) == values
    assert len({label.lower() for label in tables}) == len(values)
    for label in tables:
        assert check_name(label, "methods") == label


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "sweep = {scal = [1.0]}",
            "methods.v.sweep.scal: unknown setting. Did you mean 'scale'?",
        ),
        ("sweep = {scale = []}", "methods.v.sweep.scale: no value is named. Name one to 20."),
        (
            "sweep = {scale = 1.0}",
            "methods.v.sweep.scale: 1.0 is not a list. Write for example "
            "sweep = {learning_rate = [1e-5, 1e-4]}.",
        ),
        (
            "sweep = {scale = [1, 0.5, 1.0]}",
            "methods.v.sweep.scale: 1.0 stands twice. Name it once.",
        ),
        (
            f"sweep = {{scale = {list(range(1000))}}}",
            "methods.v.sweep.scale: 1,000 values, and each is a method with every seed. Name 20 at "
            "most.",
        ),
        (
            'sweep = {prompt = ["neutral"]}',
            "methods.v.sweep.prompt: 'neutral' is not a number. Sweeps are over numbers alone.",
        ),
        (
            "sweep = {scale = [true]}",
            "methods.v.sweep.scale: True is not a number. Sweeps are over numbers alone.",
        ),
        (
            "scale = 0.5\nsweep = {scale = [1.0]}",
            "methods.v.scale: it is swept, and set to 0.5 too. Leave one of the two out.",
        ),
        (
            "sweep = {scale = [1.0, inf]}",
            "methods.v.sweep.scale: input should be a finite number, got inf.",
        ),
        (
            "sweep = {prompt = [1]}",
            "methods.v.sweep.prompt: input should be a valid string, got 1.",
        ),
        (
            "scle = 1\nsweep = {scale = [1.0]}",
            "methods.v.scle: unknown setting. Did you mean 'scale'?",
        ),
        (
            "sweep = {scale = [1.0], of = [2]}",
            "methods.v.sweep: 2 settings are swept. A sweep is of one setting. Write for example "
            "sweep = {learning_rate = [1e-5, 1e-4]}.",
        ),
        (
            "sweep = 3",
            "methods.v.sweep: not a table. A sweep is of one setting. Write for example "
            "sweep = {learning_rate = [1e-5, 1e-4]}.",
        ),
        (
            "sweep = {scale = [1]}\n[methods.v-1]\nuse = 'prompt'",
            "methods.v-1: 'v-1' would be the label of two methods. Rename one of the tables.",
        ),
        (
            "sweep = {scale = [1]}\n[methods.V-1]\nuse = 'prompt'",
            "methods: 'V-1' differs from another label in case only. Some file systems cannot tell "
            "them apart: rename one.",
        ),
        (
            "sweep = {scale = [-1]}\n[methods.v-minus]\nuse='sft'\nsweep = {epochs = [1]}",
            "methods.v-minus.sweep: 'v-minus-1' would be the label of two methods. Rename one of "
            "the tables.",
        ),
    ],
)
def test_mistakes(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        study(tmp_path, f'[methods.sft]\n[methods.v]\nuse = "task-vector"\n{table}\n')
    assert str(caught.value) == f"{tmp_path / 's.toml'}: {message}"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('use = "stf"\nsweep = {x = [1]}', "methods.v.use: there is no method 'stf'."),
        ("sweep = {x = [1]}", "methods.v: there is no method 'v'."),
        ("use = 3\nsweep = {x = [1]}", "methods.v.use: 3 is not a method's name."),
    ],
)
def test_a_method_that_is_not_there(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        study(tmp_path, f"[methods.v]\n{table}\n")
    assert str(caught.value).startswith(f"{tmp_path / 's.toml'}: {message}")


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ('use = "prompt"\ninit_from = "sft"', "init_from"),
        ('use = "task-vector"', "of"),
        ('use = "task-vector"\nof = {sft = 1.0}', "of"),
        ('use = "experts"', "expert"),
        ('use = "experts"\nexpert = "a/b"\nanti_expert = "sft"', "anti_expert"),
        ('use = "distil"\nlearn_from = "sft"', "learn_from"),
        ('use = "filter"\nask = "sft"', "ask"),
    ],
)
def test_nothing_builds_on_a_whole_sweep(tmp_path: Path, table: str, field: str) -> None:
    methods = f"[methods.sft]\nsweep = {{epochs = [1, 2]}}\n[methods.m]\n{table}\n"
    with pytest.raises(EquipoiseError) as caught:
        study(tmp_path, methods)
    assert str(caught.value) == (
        f"{tmp_path / 's.toml'}: methods.m.{field}: 'sft' is swept, so that it is 2 methods. "
        "Name one of its values: sft-1, sft-2."
    )


def test_one_value_can_be_built_on(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        "[methods.few-shot]\nsweep = {shots = [1, 2]}\n"
        '[methods.filter]\nask = "few-shot-2"\n'
        "[methods.sft]\nsweep = {epochs = [1, 2]}\n"
        '[methods.m]\nuse = "prompt"\ninit_from = "sft-2"\n',
    )
    assert found.methods["filter"].settings.ask == "few-shot-2"
    assert found.start(Cell("m", 1)) == Cell("sft-2", 1)


def test_what_the_task_or_the_model_refuses_is_named_where_it_stands(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    table = "[methods.steer]\n{}sweep = {{layer = [0, 99]}}\n"
    with pytest.raises(EquipoiseError) as caught:
        study(tmp_path, table.format('prompt = "odd"\n'))
    assert caught.value.field == "methods.steer.prompt"
    found = study(tmp_path, table.format(""))
    found = replace(found, study=found.study.model_copy(update={"model": str(tiny_model_folder)}))
    assert model_size(str(tiny_model_folder)).parameters
    with pytest.raises(EquipoiseError, match="there is no layer 99") as caught:
        found.check_model()
    assert caught.value.field == "methods.steer.sweep.layer"
    assert caught.value.file == str(tmp_path / "s.toml")


def test_a_run_of_one_knows_its_doses(study_file: WriteStudy, tmp_path: Path) -> None:
    """Nothing of the change is the untuned model, all of it the tuned one."""
    path = study_file(
        ("[methods.prompt-balanced]\n", ""), ("seeds = [1, 2]", "seeds = [1]"),
        ('[methods.sft-fast]\nuse = "sft"\nn_per_subject = 8\nlearning_rate = 1e-2\n'
         "max_steps = 2\n", RUN),
    )  # fmt: skip
    folder = Study.from_toml(path).run(tmp_path / "run", quiet=True).folder
    texts = {
        label: pd.read_csv(folder / "cells" / label / "seed1" / "completions.csv")["text"].tolist()
        for label in ("prompt", "sft", "v-0", "v-1")
    }
    assert texts["v-0"] == texts["prompt"]
    assert texts["v-1"] == texts["sft"]
    table = doses(read_run(folder, load_task(path.parent / "small.toml"), own=True))
    assert table is not None
    assert table["method"].tolist() == ["v-0", "v-1"]
    assert table["all_wanted"].tolist() == [len(texts["prompt"])] * 2

    more = read_specification(path, ["methods.v.sweep.scale=[0.5, 1, 0]"])
    check_comparable(folder, more)
    store = Store(folder)
    assert [cell for cell in more.cells() if store.state(cell, more)] == [Cell("v-0.5", 1)]
