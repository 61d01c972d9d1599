"""Bad input ends with one clear line, before any model is loaded and without a traceback."""

import errno
import os
from pathlib import Path

import pytest

BUILTIN = "smollm2-135m-instruct"

STUDY = """
[study]
name = "small"
samples_per_subject = 1
[methods.prompt]
"""

# (what is replaced in STUDY, by what, what the error says)
STUDIES = {
    "unknown method": ("methods.prompt", "methods.promt", "no method 'promt'. Did you mean 'pro"),
    "unknown setting": (
        "[methods.prompt]",
        "[methods.sft]\nlearning_rat = 1",
        "methods.sft.learning_rat: unknown setting. Did you mean 'learning_rate'?",
    ),
    "wrong type": (
        "[methods.prompt]",
        '[methods.sft]\nlearning_rate = "1e-4"',
        "methods.sft.learning_rate: input should be a valid number, got '1e-4'",
    ),
    "unknown study setting": ("samples_per", "sample_per", "Did you mean 'samples_per_subject'?"),
    "unknown task": (
        "[study]",
        '[study]\ntask = "ocupations"',
        "study.task: there is no built-in task 'ocupations'. Did you mean 'occupations'?",
    ),
    "unknown model": (
        "[study]",
        '[study]\nmodel = "smollm2-135m-instuct"',
        f"study.model: unknown model 'smollm2-135m-instuct'. Did you mean '{BUILTIN}'?",
    ),
    "seed is text": ("[study]", '[study]\nseeds = ["42"]', "study.seeds.0: input should be a val"),
    "seed is negative": ("[study]", "[study]\nseeds = [-1]", "greater than or equal to 0, got -1"),
    "duplicate key": ("[study]", '[study]\nname = "a"', "not valid TOML: Cannot overwrite"),
    "byte order mark": ("\n[study]", "\ufeff[study]", "starts with a byte order mark. Save it as"),
    "NUL byte": ("[study]", "[study]\0", "holds NUL bytes. Save it as plain UTF-8 text."),
    "name with a slash": ('"small"', '"a/b"', "'a/b' cannot be the name of a folder"),
    "name with dots": ('"small"', '".."', "'..' cannot be the name of a folder"),
    "name too long": ('"small"', f'"{"x" * 300}"', "is 300 characters long. Use at most 100."),
    "label with a slash": (
        "[methods.prompt]",
        '[methods."a/b"]\nuse = "prompt"',
        "'a/b' cannot be the name of a folder",
    ),
}


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("case", STUDIES)
def test_study_file(case, equipoise, tmp_path):
    old, new, message = STUDIES[case]
    assert old in STUDY
    Path("study.toml").write_text(STUDY.replace(old, new))
    _assert_fails(equipoise("run", "study.toml"), "study.toml: ", message)
    assert not (tmp_path / "runs").exists()


TASKS = {
    "empty term set": (
        '["bold", "ambitious", "self-reliant"]',
        "[]",
        "terms.agentic.listed: tuple should have at lea",
    ),
    "subject in both splits": (
        "[templates]",
        '[subjects.doctor]\nsplit = "validation"\n[templates]',
        "not valid TOML: Cannot declare",
    ),
    "missing set": ('"{communal}"]', '"{comunal}"]', "Did you mean 'communal'?"),
    "impossible word range": ("[6, 11]", "[50, 60]", "words"),
    "unknown slot": ("{people}.", "{peeple}.", "peeple"),
    "byte order mark": ("\n[task]", "\ufeff[task]", "starts with a byte order mark"),
    "NUL byte": ("[task]", "[task]\0", "holds NUL bytes"),
    "duplicate key": ('prefix = "', 'name = "b"\nprefix = "', "not valid TOML: Cannot overwrite"),
}


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("case", TASKS)
def test_task_file(case, equipoise, task_text):
    old, new, message = TASKS[case]
    assert old in task_text
    Path("my.toml").write_text(task_text.replace(old, new))
    _assert_fails(equipoise("task", "check", "my.toml"), "my.toml: ", message)
    _assert_fails(equipoise("data", "--task", "my.toml", "--out", "d.csv"), "my.toml: ", message)
    assert not Path("d.csv").exists()


CSVS = {
    "empty": (b"", "empty. It needs a header and at least one row."),
    "header only": (b"text,subject\n", "has a header but no rows. Add completions."),
    "ragged": (b"text,subject\na,b,c\n", "line 2: 3 fields where the header has 2."),
    "not UTF-8": (
        b"text,subject\n\xff,doctor\n",
        "not UTF-8 at byte 13. Line 2 is probably Windows-1252. Convert it: "
        "iconv -f WINDOWS-1252 -t UTF-8 c.csv > c.utf8.csv",
    ),
    "no encoding": (b"text,subject\n\xff\x81,doctor\n", "Save it as CSV in UTF-8."),
    "NUL byte": (b"text,subject\na\0,doctor\n", "line 2: holds a NUL byte."),
    "no text column": (
        b"words,subject\na,doctor\n",
        "no column is the text; the columns are 'words', 'subject'. "
        "Name the right one with --text-column.",
    ),
    "numbers for texts": (
        b"sample,subject\n0,doctor\n",
        "no column is the text ('sample' holds numbers); the columns are 'sample', 'subject'. ",
    ),
    "no subject column": (b"text\na\n", "Name the right one with --subject-column."),
    "open quotation": (b'text,subject\n"a,doctor\n', "line 2: unexpected end of data."),
}


@pytest.mark.parametrize("case", CSVS)
def test_completions(case, equipoise):
    content, message = CSVS[case]
    Path("c.csv").write_bytes(content)
    _assert_fails(equipoise("evaluate", "c.csv", "--out", "scores"), "c.csv: ", message)
    assert not list(Path("scores").iterdir())


# Command lines without any file but "taken" (a file) and "full/" (a folder that holds a file).
LINES = {
    "study is missing": ("run no.toml", "no.toml: no such file. Check the path."),
    "study is unknown": ("run ful", "there is no built-in study 'ful'. Did you mean 'full'?"),
    "study is elsewhere": ("plan a/full.toml", "no such file. Did you mean the study 'full' that"),
    "study is a folder": ("run ./full", "full: cannot be read (Is a directory)."),
    "run into a file": ("run s.toml --out taken", "taken: cannot be written (File exists). A file"),
    "run below a file": ("run s.toml --out taken/x", "taken/x: cannot be written (Not a directory"),
    "run into another's folder": ("run s.toml --out full", "full: the folder is not empty and hol"),
    "run with a long name": (f"run s.toml --out {'x' * 300}", "(File name too long). The name is"),
    "override without value": ("run s.toml --set study.name", "--set 'study.name' is not of the "),
    "override of nothing": ("run s.toml --set study.nam=1", "study.nam: unknown setting. Did you"),
    "train: unknown method": ("train stf", "there is no method 'stf'. Did you mean 'sft'?"),
    "train: nothing to train": ("train prompt", "method 'prompt' trains nothing."),
    "train: unknown setting": (
        "train sft --set epoch=1",
        "epoch: unknown setting. Did you mean 'e",
    ),
    "train: wrong type": ("train sft --set epochs=x", "epochs: input should be a valid number, go"),
    "train: no value": ("train sft --set epochs", "--set 'epochs' is not of the form setting=val"),
    "train: unknown model": ("train sft --model nope", "model: unknown model 'nope'. "),
    "train: unknown task": ("train sft --task nope", "there is no built-in task 'nope'."),
    "train: another's folder": ("train sft --out full", "full: the folder is not empty and holds "),
    "train: into a file": ("train sft --out taken", "taken: cannot be written (Not a directory)"),
    "generate: no prompt": ("generate --out o.csv --prompt x", "no prompt 'x'. Valid: balanced, n"),
    "generate: no subject": ("generate --out o.csv --subjects doctr", "Did you mean 'doctor'?"),
    "generate: no model": ("generate --out o.csv --model gemma-3", "Did you mean 'gemma-3-270m'?"),
    "generate: not a model": ("generate --out o.csv --model full", "full' has no config.json"),
    "generate: temperature": (
        "generate --out o.csv --temperature -1",
        "--temperature: input should be greater than or equal to 0, got -1.0.",
    ),
    "generate: top-p": (
        "generate --out o.csv --top-p 0",
        "--top-p: input should be greater than 0",
    ),
    "generate: over a file": ("generate --out taken", "taken: exists already. Choose another name"),
    "generate: over a folder": ("generate --out full", "full: cannot be written (Is a directory)"),
    "generate: below a file": (
        "generate --out taken/o.csv",
        "taken: cannot be written (File exists). A",
    ),
    "generate: long name": (f"generate --out {'x' * 300}", "(File name too long). The name is"),
    # 250 characters are a valid name, but not for the file that is written first.
    "generate: nearly too long": (f"generate --out {'x' * 250}", "(File name too long)"),
    "evaluate: missing": ("evaluate no.csv", "no.csv: no such file. Check the path."),
    "evaluate: unknown judge": (
        "evaluate ok.csv --reference-model smollm2-135m-instuct",
        f"--reference-model: unknown model 'smollm2-135m-instuct'. Did you mean '{BUILTIN}'?",
    ),
    "evaluate: no LAC": (
        "evaluate ok.csv --lac full",
        "full/train.csv: no such file. Check the path.",
    ),
    "evaluate: into a file": (
        "evaluate no.csv --out taken",
        "taken: cannot be written (File exist",
    ),
    "compare: missing": ("compare no.csv no.csv", "no.csv: no such file. Check the path."),
    "compare: over a file": ("compare a.csv b.csv --out taken", "taken: exists already."),
    "compare: margin": ("compare a.csv b.csv --margin 0", "--margin: input should be greater than"),
    "compare: alpha": ("compare a.csv b.csv --alpha 1", "--alpha: input should be less than 0.5"),
    "power: no such rate": ("power --baseline 0.95", "baseline + difference is 1.05, not between"),
    "power: no list": ("power --seeds 3-5", "--seeds: '3-5' is no list of numbers. Write such as"),
    "power: one seed": ("power --seeds 1", "seeds must be from 2 to 1000"),
    "power: too much": ("power --studies 99999 --seeds 99", "is above 20 million; ask for less"),
    "power: over a file": ("power --out taken", "taken: exists already. Choose another name"),
    "data: too many": ("data -n 10000000 --out o.csv", "10,000,000 are asked for. Ask for at most"),
    "data: over a file": ("data --out taken", "taken: exists already. Choose another name, or a"),
    "task check: missing": ("task check no.toml", "no.toml: no such file. Check the path."),
    "task show: unknown": ("task show occupation", "Did you mean 'occupations'?"),
    "models fetch: unknown": (
        "models fetch gemma-3",
        "no embedded model 'gemma-3'. Did you mean 'ge",
    ),
}


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("case", LINES)
def test_command_line(case, equipoise, tmp_path):
    line, message = LINES[case]
    Path("s.toml").write_text(STUDY)
    Path("taken").write_text("mine")
    Path("full").mkdir()
    Path("full/note.txt").write_text("mine")
    Path("ok.csv").write_text("subject,text\ndoctor,The doctor was bold.\n")
    before = sorted(tmp_path.rglob("*"))
    _assert_fails(equipoise(*line.split()), "", message)
    assert sorted(tmp_path.rglob("*")) == before
    assert Path("taken").read_text() == Path("full/note.txt").read_text() == "mine"


USAGE = {
    "no such command": ("rum s.toml", "No such command 'rum'. Did you mean 'run'?"),
    "no such option": ("run s.toml --quite", "No such option: --quite"),
    "argument is missing": ("run", "Missing argument 'STUDY'"),
    "output is missing": ("generate", "Missing option '--out'"),
    "seed is text": ("train sft --seed many", "Invalid value for '--seed'"),
    "seed is negative": ("train sft --seed -1", "-1 is not between 0 and 4,294,967,295"),
    "seed is too large": ("data --out o.csv --seed 4294967296", "4294967296 is not between 0 and"),
    "no completions": ("generate --out o.csv -n 0", "Invalid value for '-n'"),
    "unknown format": ("data --out o.csv --format xml", "'xml' is not one of 'csv', 'jsonl'"),
    "unknown split": (
        "data --out o.csv --split test",
        "'test' is not one of 'train', 'validation'",
    ),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage_errors_exit_with_two(case, equipoise):
    line, message = USAGE[case]
    outcome = equipoise(*line.split())
    assert outcome.code == 2
    assert message in outcome.err
    assert "Usage: equipoise" in outcome.err
    assert outcome.out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.usefixtures("no_model")
def test_folder_that_is_not_writable(equipoise):
    Path("s.toml").write_text(STUDY)
    Path("closed").mkdir(mode=0o500)
    message = "cannot be written (Permission denied). You may not write there"
    _assert_fails(equipoise("run", "s.toml", "--out", "closed/run"), "closed/run: ", message)
    _assert_fails(equipoise("data", "--out", "closed/d.csv"), "closed: ", message)


def test_full_disk_is_told_and_leaves_no_file(equipoise, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    message = "cannot be written (No space left on device). The disk is full: make room and run"
    _assert_fails(equipoise("data", "-n", "1", "--out", "d.csv"), "", message)
    assert list(Path().iterdir()) == []


def _assert_fails(outcome, start: str, message: str) -> None:
    """One error on standard error, which starts with the file and holds ``message``."""
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith(f"Error: {start}"), outcome.err
    assert message in outcome.err
    assert "Traceback" not in outcome.err
