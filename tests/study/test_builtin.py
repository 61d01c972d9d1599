"""The studies that come with the package, and what else may stand where a study is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise import Study
from equipoise.errors import EquipoiseError
from equipoise.study.builtin import builtin_studies, study_path
from equipoise.study.specification import read_specification

NAMES = builtin_studies()


def test_the_documented_studies_are_there() -> None:
    assert [name for name in NAMES if not name.startswith("tuning/")] == [
        "decoding",
        "families",
        "full",
        "guarantee",
        "llama-3.1-8b",
        "preference",
        "quickstart",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_study_that_ships_is_read_by_its_name(name: str) -> None:
    study = read_specification(name)
    assert study.cells()
    assert study.study.name == name.replace("/", "-")  # so its folder is runs/NAME
    assert study.study.description


def test_a_name_works_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    by_name = Study.from_toml("quickstart").specification
    assert by_name.path == study_path("quickstart")
    copy = tmp_path / "mine.toml"
    copy.write_bytes(study_path("quickstart").read_bytes())
    for path in (copy, str(copy), "mine.toml", "./mine.toml"):
        assert Study.from_toml(path).specification.record() == by_name.record()


def test_the_description_decides_nothing() -> None:
    plain = read_specification("quickstart")
    other = read_specification("quickstart", ["study.description=other"])
    assert other.study.description == "other"
    assert other.record() == plain.record()
    assert [other.cell_config(cell) for cell in other.cells()] == [
        plain.cell_config(cell) for cell in plain.cells()
    ]


def test_a_file_of_the_same_name_is_asked_for_by_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("full").write_text("own")
    assert study_path("full").parent.name == "studies"
    assert study_path("./full").read_text() == "own"
    assert study_path(Path("full")).read_text() == "own"
    Path("mine").write_text("own")
    assert study_path("mine") == Path("mine")  # a file need not end in .toml


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "quikstart",
            "there is no built-in study 'quikstart'. Did you mean 'quickstart'? Your own",
        ),
        ("QUICKSTART", "Did you mean 'quickstart'?"),
        (
            "zzz",
            "Valid: decoding, families, full, guarantee, llama-3.1-8b, preference, quickstart.",
        ),
        ("my.toml", "my.toml: no such file. Check the path."),
        (
            "studies/full.toml",
            "studies/full.toml: no such file. Did you mean the study 'full' that",
        ),
        ("quickstart.toml", "Did you mean the study 'quickstart' that comes with Equipoise?"),
        ("x" * 5000, "there is no built-in study 'xxx"),
        ("a\0b", "there is no built-in study"),
        ("~nobody-here/x.toml", "no such file"),
    ],
)
def test_neither_a_name_nor_a_path(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EquipoiseError) as caught:
        Study.from_toml(name)
    assert message in str(caught.value)
