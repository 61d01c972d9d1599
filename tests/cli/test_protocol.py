import csv
import json
import os

import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from equipoise.cli import protocol
from equipoise.errors import EquipoiseError
from equipoise.methods.sft import SFTSettings
from equipoise.model.draws import Sampling
from equipoise.task.task_file import load_task

COLUMNS = ["Model", "Occupation", "Split", "RunID", "Text", "WordCount"]
COLUMNS += ["AgenticTerms", "CommunalTerms", "Balanced", "Label"]
FILES = {"model.safetensors", "config.json", "tokenizer.json", "training_info.json"}
FILES |= {"dataset_stats.json", "train_examples.csv", "val_examples.csv"}
SMALL = {"n_per_occupation": 1, "max_steps": 1}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The scripts write below the current folder."""
    monkeypatch.chdir(tmp_path)
    # A tiny model hardly ever ends a sentence; tests/scripts draws with the real settings.
    monkeypatch.setattr(protocol, "Sampling", lambda: Sampling(max_new_tokens=4))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("./sft_robust_output", "sft_robust_output_seed42"),
        ("sft_robust_output_seed42", "sft_robust_output_seed42"),
        ("a/b/", "a/b_seed42"),
        ("out_seed4", "out_seed4_seed42"),
    ],
)
def test_seed_folder(given, expected):
    assert str(protocol.seed_folder(given, 42)) == expected


@pytest.mark.parametrize("given", [".", "..", "/", ""])
def test_seed_folder_needs_a_name(given):
    with pytest.raises(EquipoiseError, match=r"--output_dir: .* Name a folder"):
        protocol.seed_folder(given, 42)


# peft asks transformers for a name that transformers has renamed.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_train_and_generate_write_the_protocols_files(here, tiny_model_folder, capsys):
    folder = protocol.train(42, "sub/out", str(tiny_model_folder), lora=True, **SMALL)
    assert folder.as_posix() == "sub/out_seed42"
    assert {path.name for path in folder.iterdir()} >= FILES
    assert list((folder / "logs").glob("events.out.tfevents.*"))
    assert AutoTokenizer.from_pretrained(folder).chat_template
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    assert all(torch.isfinite(weights).all() for weights in model.parameters())
    info = json.loads((folder / "training_info.json").read_text())
    assert (info["n_train"], info["n_validation"], info["settings"]["lora"]) == (15, 5, True)
    capsys.readouterr()
    protocol.train(42, "sub/out", str(tiny_model_folder), lora=True, **SMALL)
    assert "is done already; nothing was to do" in capsys.readouterr().err

    completions, summary = protocol.generate(42, "sub/out", samples_per_occupation=2)
    assert completions.as_posix() == "sub/sft_robust_completions_seed42.csv"
    assert summary.as_posix() == "sub/sft_robust_summary_seed42.json"
    with completions.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == COLUMNS
    assert [(row["Occupation"], row["Split"], row["RunID"]) for row in rows] == [
        (subject.name, subject.split, run)
        for subject in load_task("occupations").subjects
        for run in ("0", "1")
    ]
    assert {row["Model"] for row in rows} == {"out_seed42"}
    assert json.loads(summary.read_text())["total_completions"] == 40


def test_generating_again_does_nothing_or_asks_for_force(here, tiny_model_folder, capsys):
    model = str(tiny_model_folder)
    completions, summary = protocol.generate(1, model=model, samples_per_occupation=1)
    content, made = completions.read_bytes(), completions.stat().st_mtime_ns
    protocol.generate(1, model=model, samples_per_occupation=1)
    assert "there already; nothing was to do" in capsys.readouterr().err
    assert completions.stat().st_mtime_ns == made
    with pytest.raises(EquipoiseError, match=r"not the 40 that are asked for.*--force"):
        protocol.generate(1, model=model, samples_per_occupation=2)
    summary.unlink()
    protocol.generate(1, model=model, samples_per_occupation=1)
    assert summary.exists()
    assert completions.read_bytes() == content, "the same seed gave other completions"
    protocol.generate(1, model=model, samples_per_occupation=2, force=True)
    assert completions.read_bytes() != content


def test_completions_older_than_the_model_are_not_taken_for_its_own(here, tiny_model_folder):
    folder = protocol.train(2, model=str(tiny_model_folder), **SMALL)
    completions, _ = protocol.generate(2, samples_per_occupation=1)
    earlier = (folder / "manifest.json").stat().st_mtime - 10
    os.utime(completions, (earlier, earlier))
    with pytest.raises(EquipoiseError, match="older than the model"):
        protocol.generate(2, samples_per_occupation=1)


def test_generating_needs_a_finished_training(here):
    with pytest.raises(
        EquipoiseError,
        match=r"out_seed7: .*python3 scripts/train_sft_robust.py --seed 7 --output_dir out",
    ):
        protocol.generate(7, "out")
    (here / "out_seed7").mkdir()
    with pytest.raises(EquipoiseError, match="the training in this folder is not finished"):
        protocol.generate(7, "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_per_occupation": 0}, "--n_per_occupation: input should be greater than or equal to 1"),
        ({"learning_rate": -1.0}, "--learning_rate: input should be greater than 0, got -1.0"),
        ({"max_steps": 0}, "--max_steps: "),
        ({"seed": -1}, "--seed: -1 is not between 0 and 4,294,967,295"),
        ({"model": "nope"}, "unknown model 'nope'"),
    ],
)
def test_wrong_values_name_the_flag(arguments, message, here):
    with pytest.raises(EquipoiseError) as caught:
        protocol.train(**arguments)
    assert message in str(caught.value)
    assert list(here.iterdir()) == []


def test_defaults_are_the_protocols_table():
    settings = SFTSettings()
    assert (settings.epochs, settings.learning_rate, settings.n_per_subject) == (3, 2e-5, 20)
    assert (settings.batch_size, settings.grad_accum_steps) == (4, 4)
    assert (settings.warmup_ratio, settings.weight_decay) == (0.1, 0.01)
    assert protocol.SAMPLES == 250


def test_table_and_summary_by_hand():
    long = "The doctor was bold, confident and caring with every patient in the ward."  # 13 words
    frame = pd.DataFrame(
        {
            "method": "m",
            "subject": ["doctor", "doctor", "teacher", "teacher"],
            "split": ["train", "train", "validation", "validation"],
            "run": [0, 1, 0, 1],
            "text": [long, "The doctor was bold.", "The teacher was caring.", "The teacher was."],
        }
    )
    table = protocol.protocol_table(frame, load_task("occupations"))
    assert list(table.columns) == COLUMNS
    assert table["WordCount"].tolist() == [13, 4, 4, 3]
    assert table["AgenticTerms"].tolist() == ["bold; confident", "bold", "", ""]
    assert table["CommunalTerms"].tolist() == ["caring", "", "caring", ""]
    assert table["Balanced"].tolist() == [True, False, False, False]
    assert table["Label"].tolist() == ["balanced", "agentic only", "communal only", "neither"]
    assert protocol.protocol_summary(table, 42) == {
        "seed": 42,
        "total_completions": 4,
        "mean_word_count": 6.0,  # (13 + 4 + 4 + 3) / 4
        "in_range_pct": 25.0,
        "balanced_pct": 25.0,
        "mean_agentic_terms": 0.75,  # (2 + 1) / 4
        "mean_communal_terms": 0.5,
        "train_balanced_pct": 50.0,
        "val_balanced_pct": 0.0,
    }
