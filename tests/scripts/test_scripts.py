"""The protocol's scripts as processes of their own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.methods.sft import SFTSettings

SCRIPTS = Path(__file__).parents[2] / "scripts"
SEEDS = ("42", "123", "456")


def _run(name: str, *arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, **options)


@pytest.mark.slow
def test_train_and_generate_as_the_protocol_writes_them(tmp_path, tiny_model_folder):
    flags = ["--output_dir", "./sft_robust_output", "--n_per_occupation", "1", "--epochs", "3"]
    flags += ["--batch_size", "4", "--learning_rate", "2e-5", "--grad_accum_steps", "4"]
    flags += ["--max_steps", "1"]
    model = ["--model", str(tiny_model_folder)]
    trained = _run("train_sft_robust.py", "--seed", "42", *flags, *model, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    drawn = _run(
        "generate_sft_robust.py", "--seed", "42", "--samples_per_occupation", "1", cwd=tmp_path
    )
    assert drawn.returncode == 0, drawn.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sft_robust_completions_seed42.csv",
        "sft_robust_output_seed42",
        "sft_robust_summary_seed42.json",
    ]


@pytest.mark.slow
def test_errors_and_usage_errors(tmp_path):
    failed = _run("generate_sft_robust.py", "--seed", "9", cwd=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: sft_robust_output_seed9: there is no such folder")
    assert _run("train_sft_robust.py", "--seed", "x", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("name", ["train_sft_robust.py", "generate_sft_robust.py"])
def test_without_equipoise_they_say_how_to_install_it(name, tmp_path):
    command = [sys.executable, "-S", "-E", str(SCRIPTS / name)]  # -S: no installed packages
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "the Python package 'equipoise' is missing" in done.stderr
    assert "make install" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_tells_the_defaults_of_sft(tmp_path):
    shown = _run("train_sft_robust.py", "--help", cwd=tmp_path, env={**os.environ, "COLUMNS": "80"})
    assert max(map(len, shown.stdout.splitlines())) <= 80
    told = dict(re.findall(r"--(\w+) [A-Z_]+\s+[^(]*?\(([^)]*)\)", shown.stdout))
    settings = SFTSettings()
    for flag, name in {
        "n_per_occupation": "n_per_subject",
        "epochs": "epochs",
        "batch_size": "batch_size",
        "learning_rate": "learning_rate",
        "grad_accum_steps": "grad_accum_steps",
    }.items():
        assert float(told[flag]) == getattr(settings, name), flag


@pytest.fixture
def project(tmp_path) -> Path:
    """A project whose two Python scripts only write down how they were called."""
    scripts = tmp_path / "a project" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(SCRIPTS / "run_multiple_seeds.sh", scripts)
    record = (
        "import sys\n"
        "with open('calls.txt', 'a') as f: f.write('NAME|' + '|'.join(sys.argv[1:]) + '\\n')\n"
        "sys.exit('NAME123' in ['NAME' + a for a in sys.argv] and 'FAIL' in sys.argv)\n"
    )
    for name in ("train", "generate"):
        (scripts / f"{name}_sft_robust.py").write_text(record.replace("NAME", name))
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "python3").symlink_to(sys.executable)
    return scripts


def _seeds(project: Path, *arguments: str) -> tuple[int, list[str], str]:
    """Exit code and calls of run_multiple_seeds.sh, started from another folder."""
    here = project.parents[1]
    path = f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", str(project / "run_multiple_seeds.sh"), *arguments],
        capture_output=True,
        text=True,
        cwd=here,
        env={**os.environ, "PATH": path},
    )
    calls = here / "calls.txt"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else [], done.stderr


def test_seeds_script_runs_both_for_each_seed(project):
    code, calls, error = _seeds(project)
    assert (code, error) == (0, "")
    assert calls == [f"{name}|--seed|{seed}" for seed in SEEDS for name in ("train", "generate")]


def test_seeds_script_hands_each_flag_to_its_script(project):
    flags = ["--model", "a b", "--samples_per_occupation", "5", "--epochs=2", "--output_dir", "x"]
    code, calls, _ = _seeds(project, *flags)
    assert code == 0
    assert calls[:2] == [
        "train|--seed|42|--model|a b|--epochs=2|--output_dir|x",
        "generate|--seed|42|--samples_per_occupation|5|--output_dir|x",
    ]
    assert len(calls) == 6


def test_seeds_script_stops_at_the_first_failure(project):
    code, calls, _ = _seeds(project, "FAIL")
    assert code == 1
    assert [call.split("|")[:3] for call in calls] == [
        ["train", "--seed", "42"],
        ["generate", "--seed", "42"],
        ["train", "--seed", "123"],
    ]


def test_seeds_script_prefers_the_projects_python(project):
    own = project.parent / ".venv" / "bin"
    own.mkdir(parents=True)
    (own / "python").write_text('#!/bin/sh\necho "own $2 $3" >> calls.txt\n')
    (own / "python").chmod(0o755)
    assert _seeds(project)[1] == [f"own --seed {seed}" for seed in SEEDS for _ in range(2)]


@pytest.mark.parametrize("flags", [["--seed", "1"], ["--seed=1"], ["--output_dir"]])
def test_seeds_script_refuses_what_makes_no_sense(flags, project):
    code, calls, error = _seeds(project, *flags)
    assert (code, calls) == (2, [])
    assert error.startswith("Error: ")
