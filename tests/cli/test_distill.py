"""``equipoise distill``: what it writes and prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from equipoise.cli.distill import likelihood_table
from equipoise.files.manifest import fault
from equipoise.methods.ctrlg.hmm_fit import DistillRecord, DistillSettings
from equipoise.methods.ctrlg.hmm_store import load

SMALL = ("--hidden-states", "2", "--n-samples", "20", "--iterations", "2", "--seed", "3")
SAMPLING = ("--max-new-tokens", "12", "--temperature", "0.9", "--top-k", "40")


@pytest.fixture
def task_file(tmp_path, task_text) -> Path:
    """A task of two subjects."""
    path = tmp_path / "my.toml"
    path.write_text(task_text)
    return path


def test_writes_an_hmm_that_complete_reads(equipoise, tiny_lm, tiny_model_folder, task_file):
    line = ("distill", "--model", tiny_model_folder, "--task", task_file, *SMALL, *SAMPLING)
    outcome = equipoise(*line, "--out", "new/hmm")
    assert outcome.code == 0, outcome.err
    assert fault(Path("new/hmm")) is None
    hmm, record = load(Path("new/hmm"))
    rows = tiny_lm.model.get_output_embeddings().weight.shape[0]
    assert hmm.emission.shape == (2, rows)

    about = json.loads(Path("new/hmm/record.json").read_text())
    assert (about["model"], about["task"], about["prompt"]) == ("tiny", "small", "neutral")
    assert about["sampling"]["temperature"] == 0.9
    assert about["sampling"]["top_k"] == 40
    assert about["distilling"] == DistillSettings(
        hidden_states=2, n_samples=20, iterations=2, hmm_seed=3
    ).model_dump(mode="json")
    assert len(about["contexts"]) == 2
    assert about["seconds"] > 0

    lines = outcome.out.splitlines()
    rows_shown = [line.split() for line in lines if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows_shown[:-1]] == [str(i) for i in range(len(record.train))]
    assert rows_shown[0][1:3] == [f"{record.train[0]:.3f}", f"{record.held_out[0]:.3f}"]
    assert lines[-1].startswith(f"{record.tokens} tokens learnt from, ")
    assert "Written:\n  new/hmm/hmm.safetensors\n  new/hmm/record.json\n" in outcome.err

    again = equipoise(*line, "--out", "again", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")
    same = load(Path("again"))[0]
    assert (same.transition == hmm.transition).all()

    completing = ("complete", "--model", tiny_model_folder, "--hmm", "new/hmm", "--prompt", "The")
    completed = equipoise(*completing, "--all-of", "bold", "-n", "2", "--max-new-tokens", "30")
    assert completed.code == 0, completed.err
    assert len(completed.out.splitlines()) == 2


def test_a_folder_that_holds_something_needs_force(equipoise, tiny_model_folder, task_file):
    Path("full").mkdir()
    Path("full/note.txt").write_text("mine")
    line = ("distill", "--model", tiny_model_folder, "--task", task_file, *SMALL, *SAMPLING)
    outcome = equipoise(*line, "--out", "full")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        "Error: full: the folder is not empty. Choose another one, or add --force.\n"
    )
    assert [path.name for path in Path("full").iterdir()] == ["note.txt"]
    assert equipoise(*line, "--out", "full", "--force").code == 0
    assert Path("full/note.txt").read_text() == "mine"
    assert load(Path("full"))[0].n_states == 2


LINES = {
    "prompt": ("--prompt-kind x", "--prompt-kind: task 'occupations' has no prompt 'x'."),
    "task": ("--task nope", "there is no built-in task 'nope'."),
    "model": ("--model nope", "--model: unknown model 'nope'."),
    "states": ("--hidden-states 0", "--hidden-states: input should be greater than or equal to 1"),
    "samples": ("--n-samples 9", "--n-samples: input should be greater than or equal to 10"),
    "smoothing": ("--smoothing 0", "--smoothing: input should be greater than 0"),
    "iterations": ("--iterations -1", "--iterations: input should be greater than or equal to 0"),
    "top-k": ("--top-k -1", "--top-k: input should be greater than or equal to 0"),
    "a file": ("--out taken", "taken: cannot be written (File exists)."),
}


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("case", LINES)
def test_bad_input_is_found_before_a_model_is_loaded(case, equipoise):
    line, message = LINES[case]
    Path("taken").write_text("mine")
    outcome = equipoise("distill", "--out", "hmm", *line.split())
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: {message}"), outcome.err
    assert not Path("hmm").exists()


def test_too_many_states_names_the_flag(equipoise, tiny_model_folder, task_file):
    options = ("--hidden-states", "500", "--n-samples", "10", "--max-new-tokens", "1")
    line = ("distill", "--model", tiny_model_folder, "--task", task_file, *options)
    outcome = equipoise(*line, "--out", "hmm")
    assert outcome.code == 1
    assert "Error: --hidden-states: the samples have fewer than 500 distinct states." in outcome.err
    assert "Set fewer --hidden-states or more --n-samples." in outcome.err


def test_the_output_is_required(equipoise):
    outcome = equipoise("distill")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Missing option '--out'" in outcome.err


def test_the_table_marks_the_iteration_that_is_kept():
    table = likelihood_table(DistillRecord(10, [-3.0, -2.0, -1.9], [-3.1, -2.2, -2.3], 1))
    assert [list(column.cells) for column in table.columns] == [
        ["0", "1", "2"],
        ["-3.000", "-2.000", "-1.900"],
        ["-3.100", "-2.200", "-2.300"],
        ["", "kept", ""],
    ]
