"""Preference pairs from the command line, DPO outside a study, and studies with failing cells."""

import json
from pathlib import Path

import pytest

NEUTRAL = '\n[neutral]\nlisted = ["old", "brown"]\n'


def test_pairs_are_written_with_their_statistics(equipoise, task_text):
    Path("small.toml").write_text(task_text + NEUTRAL)
    flags = ("--task", "small.toml", "-n", "2", "--format", "preference", "--out", "pairs.jsonl")
    assert equipoise("data", *flags).code == 0
    rows = [json.loads(line) for line in Path("pairs.jsonl").read_text().splitlines()]
    assert [row["subject"] for row in rows] == ["doctor", "doctor"]
    assert {row["kind"] for row in rows} == {"agentic only", "communal only"}
    assert rows[0]["prompt"] == [{"role": "user", "content": "Complete: The doctor was"}]
    assert json.loads(Path("pairs_pair_stats.json").read_text())["train"]["pairs"] == 2
    again = equipoise("data", *flags)
    assert again.code == 1
    assert "pairs.jsonl" in again.err, "nothing is replaced unasked"
    free = ("--pairs", "free", "--neither", "1", "--force")
    assert equipoise("data", *flags, *free).code == 0
    kinds = {json.loads(line)["kind"] for line in Path("pairs.jsonl").read_text().splitlines()}
    assert kinds == {"neither"}


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--format", "csv", "--pairs", "free"), 2, "--pairs needs --format preference"),
        (("--format", "preference", "--neither", "2"), 2, "--neither"),
        (("--format", "preference", "--neither", "0.5"), 1, "differs as little as possible"),
        (
            ("--format", "preference", "--neither", "0.5", "--pairs", "free"),
            1,
            "task 'small' has no neutral words",
        ),
        (("--format", "preference", "--prompt", "rude"), 1, "has no prompt 'rude'"),
    ],
)
def test_flags_that_do_not_go_together(equipoise, task_text, flags, code, message):
    Path("small.toml").write_text(task_text)
    outcome = equipoise("data", "--task", "small.toml", "-n", "1", *flags, "--out", "pairs.jsonl")
    assert outcome.code == code
    assert message in outcome.err
    assert not Path("pairs.jsonl").exists()


def test_dpo_outside_a_study(equipoise, task_text, tiny_model_folder):
    Path("small.toml").write_text(task_text)
    command = ("train", "dpo", "--task", "small.toml", "--model", tiny_model_folder)
    settings = ("--set", "n_per_subject=1", "--set", "max_steps=1")
    trained = equipoise(*command, *settings)
    assert trained.code == 0, trained.err
    names = {path.name for path in Path("trained/dpo_seed42").iterdir()}
    assert {"train_pairs.jsonl", "pair_stats.json", "model", "training_info.json"} <= names


@pytest.mark.usefixtures("no_model")
def test_starts_are_a_matter_of_studies(equipoise, task_text, tiny_model_folder):
    Path("small.toml").write_text(task_text)
    command = ("train", "dpo", "--task", "small.toml", "--model", tiny_model_folder)
    outcome = equipoise(*command, "--set", "init_from=sft")
    assert outcome.code == 1
    assert "init_from: only a study has the models and completions of other methods" in outcome.err


@pytest.mark.usefixtures("no_report")
def test_a_failing_cell_leaves_a_table_and_an_error(equipoise, study_file):
    """The table is over what is finished; the error names the rest and how to try it again."""
    diverging = ("--set", "methods.sft.learning_rate=1e30", "--set", "methods.sft.max_steps=3")
    outcome = equipoise("run", study_file, "--set", "study.seeds=[1]", *diverging)
    assert outcome.code == 1
    assert outcome.out.startswith("Balanced completions, of all that were asked for\n")
    assert "prompt" in outcome.out
    assert "1 cell failed: sft, seed 1: " in outcome.err
    assert "loss became nan at update 3" in outcome.err
    assert "Run the same command again" in outcome.err
