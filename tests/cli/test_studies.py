"""``equipoise studies``, and its names in other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.study.builtin import builtin_studies, study_path


def test_every_study_has_its_line(equipoise) -> None:
    outcome = equipoise("studies")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == builtin_studies()
    for line in lines:
        assert 40 < len(line) <= 120, line
        assert any(unit in line for unit in ("minutes", "hour", "timed yet")), line
    assert outcome.err == "Run one with: equipoise run NAME\n"


def test_a_printed_study_is_the_file_to_the_byte(equipoise) -> None:
    for name in builtin_studies():
        assert equipoise("studies", name).out.encode() == study_path(name).read_bytes()


def test_an_unknown_study(equipoise) -> None:
    outcome = equipoise("studies", "ful")
    assert outcome.code == 1
    assert outcome.err == "Error: there is no built-in study 'ful'. Did you mean 'full'?\n"


@pytest.mark.usefixtures("no_model")
def test_names_reach_the_commands_from_any_folder(equipoise, tiny_model_folder: Path) -> None:
    unknown = ("--set", "study.task=nope")
    assert "there is no built-in task 'nope'" in equipoise("run", "quickstart", *unknown).err
    model = ("--set", f'study.model="{tiny_model_folder}"')
    planned = equipoise("plan", "decoding", "--tflops", "1", *model)
    assert planned.code == 0, planned.err
    assert "filter" in planned.out
