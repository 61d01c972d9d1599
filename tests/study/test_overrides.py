from __future__ import annotations

import math
from typing import Any

import pytest

from equipoise import EquipoiseError
from equipoise.study.overrides import EXAMPLE, apply_override
from equipoise.study.specification import read_specification

from .conftest import WriteStudy

pytestmark = pytest.mark.usefixtures("no_model")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        (" 10 ", 10),
        ("2e-5", 2e-5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('"10"', "10"),
        ("occupations", "occupations"),
        ("../a b.toml", "../a b.toml"),
        ("a=b", "a=b"),
        ("", ""),
        ("7\nother = 1", "7\nother = 1"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_values_are_toml_or_text(text: str, value: Any) -> None:
    tables = {"study": {"x": 0, "y": 1}}
    apply_override(tables, f"study.x={text}")
    assert tables == {"study": {"x": value, "y": 1}}
    assert type(tables["study"]["x"]) is type(value)


def test_nan_stays_nan_and_is_refused_as_a_setting(study_file: WriteStudy) -> None:
    tables: dict[str, Any] = {}
    apply_override(tables, "sampling.top_p=nan")
    assert math.isnan(tables["sampling"]["top_p"])
    with pytest.raises(EquipoiseError, match=r"sampling.top_p: .* finite number, got nan\.$"):
        read_specification(study_file(), ["sampling.top_p=nan"])


def test_tables_on_the_way_are_created() -> None:
    tables: dict[str, Any] = {}
    apply_override(tables, "methods.new.use=sft")
    apply_override(tables, 'methods."sft-1.5".epochs=2')
    assert tables == {"methods": {"new": {"use": "sft"}, "sft-1.5": {"epochs": 2}}}


@pytest.mark.parametrize(
    "override", ["", "study.x", "study=3", "=3", ".=3", "study..x=1", "a b.c=1", ".x=1", "x.=1"]
)
def test_bad_forms(override: str) -> None:
    tables = {"study": {"x": 0}}
    with pytest.raises(EquipoiseError) as caught:
        apply_override(tables, override)
    assert (
        str(caught.value) == f"--set {override!r} is not of the form table.setting=value. {EXAMPLE}"
    )
    assert tables == {"study": {"x": 0}}


def test_path_through_a_value() -> None:
    with pytest.raises(EquipoiseError) as caught:
        apply_override({"study": {"name": "x"}}, "study.name.x=1")
    assert str(caught.value) == "--set 'study.name.x=1': 'name' is not a table."


def test_overrides_make_a_study(study_file: WriteStudy) -> None:
    found = read_specification(
        study_file(),
        [
            "study.samples_per_subject=7",
            "study.seeds=[5]",
            "methods.twin.use=sft",
            "methods.twin.n_per_subject=2",
            "methods.twin.n_per_subject=3",
        ],
    )
    assert found.study.samples_per_subject == 7
    assert found.study.seeds == (5,)
    assert found.methods["twin"].settings.n_per_subject == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "study.samples_per_subject=x",
            "study.samples_per_subject: input should be a valid integer, got 'x'.",
        ),
        (
            "study.samples_per_subjct=1",
            "study.samples_per_subjct: unknown setting. Did you mean 'samples_per_subject'?",
        ),
        ("stdy.x=1", "stdy: unknown table [stdy]. Did you mean 'study'?"),
        ("methods.new.use=stf", "methods.new.use: there is no method 'stf'. Did you mean 'sft'?"),
    ],
)
def test_wrong_settings(override: str, message: str, study_file: WriteStudy) -> None:
    path = study_file()
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path, [override])
    assert str(caught.value) == f"{path}: {message}"
