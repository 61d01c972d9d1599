"""``equipoise status`` and ``equipoise verify``."""

import json

import pytest


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_status_and_verify_of_a_run(equipoise, study_file):
    assert equipoise("status", "run").code == 1
    assert equipoise("run", study_file, "--out", "run").code == 0
    outcome = equipoise("status", "run")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["method", "seed", "state", "seconds"]
    assert lines[1].split()[:3] == ["prompt", "1", "done"]
    assert lines[-1] == "small: 4 done of 4 cells"
    found = json.loads(equipoise("status", "run", "--json").out)
    assert found["counts"] == {"done": 4}
    assert found["cells"][0]["state"] == "done"
    assert equipoise("verify", "run").out == (
        "18 of 18 sealed folders and files are as they were written.\n"
    )


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_verify_names_the_file_and_the_hint(equipoise, study_file, tmp_path):
    assert equipoise("run", study_file, "--out", "run").code == 0
    (tmp_path / "run" / "cells" / "sft" / "seed2" / "model" / "config.json").unlink()
    (tmp_path / "run" / "results" / "wilson.csv").write_text("")
    outcome = equipoise("verify", "run")
    assert outcome.code == 1
    cell, tables, count = outcome.out.splitlines()
    assert cell.startswith("cells/sft/seed2: model/config.json has 0 bytes instead of ")
    assert cell.endswith(
        "Its cell is computed again when you run the study again with this folder; the damaged "
        "one is kept beside it."
    )
    assert tables.startswith("results: wilson.csv has 0 bytes instead of ")
    assert count == "16 of 18 sealed folders and files are as they were written."
    found = json.loads(equipoise("verify", "run", "--json").out)
    assert sum(finding["problem"] is not None for finding in found) == 2
    outcome = equipoise("status", "run")
    assert outcome.code == 1
    assert "damaged" in outcome.out


def test_options_of_engines_that_have_no_meaning(equipoise, study_file, no_model):
    for option in ("--cpus", "--gpus"):
        outcome = equipoise("run", study_file, option, "2")
        assert outcome.code == 1
        assert outcome.err == (
            f"Error: {option}: it has no meaning with the engine 'local'. "
            "Leave it out, or choose another --engine.\n"
        )
    outcome = equipoise("run", study_file, "--engine", "ray", "--slurm", "a=1")
    assert outcome.err.startswith("Error: --slurm: it has no meaning with the engine 'ray'.")
    outcome = equipoise("run", study_file, "--engine", "slurm", "--slurm", "a")
    assert outcome.err.startswith("Error: --slurm: 'a' is not of the form NAME=VALUE.")
    outcome = equipoise("run", study_file, "--engine", "slurm", "--gpus", "0.5")
    assert outcome.err.startswith("Error: --gpus: 0.5 is no whole number.")
    assert equipoise("run", study_file, "--engine", "nowhere").code == 2
