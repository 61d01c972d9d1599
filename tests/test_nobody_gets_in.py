"""No file runs code: no pickle is written or read, no code of a model's authors, no path leaves."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import check_name
from equipoise.files.manifest import MANIFEST, fault, seal
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import RemoteCodeWarning, load_model
from equipoise.study.specification import read_specification
from equipoise.task.task_file import load_task
from tiny_study import write_study
from training.runs import Run, interrupt_at
from training.twins import make_examples

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
RULES = ("TID251", "S102", "S301", "S302", "S307", "S506", "S602", "S604", "S605")
"""Banned names, exec, pickle, marshal, eval, yaml's loader, and shells."""

BANNED = """
import pickle
import numpy as np
import torch
torch.load("x")
torch.save({}, "x")
np.load("x")
eval("x")
exec("x")
"""


def test_ruff_refuses_what_runs_code() -> None:
    """The bans stand in pyproject.toml, so that an editor says it first; no file lifts one."""
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet"]
    name = ["--stdin-filename", "src/equipoise/some.py", "-"]
    options = ["--ignore-noqa", "--select", ",".join(RULES), "--output-format", "concise"]
    found = subprocess.run(
        [*ruff, *options, *name], input=BANNED, capture_output=True, text=True, cwd=ROOT
    )
    lines = {int(line.split(":")[1]) for line in found.stdout.splitlines()}
    assert lines == {2, 5, 6, 7, 8, 9}, found.stdout
    whole = [*ruff, *options, "src", "scripts"]
    done = subprocess.run(whole, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_no_source_trusts_a_models_code_or_writes_pickles() -> None:
    """What ruff has no rule for. Trust is handed on from a caller, or refused; never given."""
    for path in SOURCES:
        given = re.search(r"trust_remote_code=True[,)]|to_pickle\(", path.read_text("utf-8"))
        assert not given, path


class Bomb:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.mark),)


def test_the_bomb_goes_off_where_pickles_are_read(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))  # noqa: S301
    assert (tmp_path / "mark").is_dir()


PICKLES = (
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "training_args.bin",
    "pytorch_model.bin",
    "adapter_model.bin",
    "scaler.pt",
)


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("name", PICKLES)
def test_a_malicious_checkpoint_runs_nothing(
    name: str, lora: bool, fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    """Its manifest is in order, as an attacker's would be; training goes on or is refused."""
    run, examples = Run(fresh_tiny_lm, tmp_path), make_examples(8)
    options = {"epochs": 2, "batch_size": 4, "grad_accum_steps": 1, "lora": lora}
    with pytest.raises(KeyboardInterrupt):
        run(examples, folder=tmp_path / "run", on_step=interrupt_at(2), **options)
    [checkpoint] = (tmp_path / "run/checkpoints").glob("checkpoint-*")
    mark = tmp_path / "mark"
    torch.save(Bomb(mark), checkpoint / name)
    (checkpoint / MANIFEST).unlink()
    seal(checkpoint)
    assert fault(checkpoint) is None
    try:
        run(examples, folder=tmp_path / "run", **options)
    except EquipoiseError as error:
        assert str(checkpoint) in str(error)  # noqa: PT017 - both outcomes are right
    assert not mark.exists()


def test_a_malicious_model_folder_runs_nothing(tiny_model_folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    only_pickle = tmp_path / "only_pickle"
    shutil.copytree(tiny_model_folder, only_pickle)
    (only_pickle / "model.safetensors").unlink()
    torch.save(Bomb(mark), only_pickle / "pytorch_model.bin")
    with pytest.raises(EquipoiseError, match="pickles, which can run any code"):
        load_model(only_pickle)
    beside = tmp_path / "beside"
    shutil.copytree(tiny_model_folder, beside)
    torch.save(Bomb(mark), beside / "pytorch_model.bin")
    load_model(beside)
    through_index = tmp_path / "through_index"
    shutil.copytree(tiny_model_folder, through_index)
    (through_index / "model.safetensors").unlink()
    shutil.copy(tiny_model_folder / "model.safetensors", through_index / "other.safetensors")
    torch.save(Bomb(mark), through_index / "pytorch_model.bin")
    index = {"metadata": {}, "weight_map": {"model.embed_tokens.weight": "pytorch_model.bin"}}
    (through_index / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(EquipoiseError):
        load_model(through_index)
    assert not mark.exists()


@pytest.fixture
def coded(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A model folder whose configuration asks for Python code in it, which leaves a mark."""
    folder = tmp_path / "coded"
    shutil.copytree(tiny_model_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "marked",
        "auto_map": {
            "AutoConfig": "code.MarkedConfig",
            "AutoModelForCausalLM": "code.MarkedModel",
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(
        "import os\n"
        f"os.makedirs({str(tmp_path / 'mark')!r}, exist_ok=True)\n"
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        "class MarkedConfig(LlamaConfig):\n    model_type = 'marked'\n"
        "class MarkedModel(LlamaForCausalLM):\n    config_class = MarkedConfig\n"
    )
    return folder


def test_code_of_a_model_is_refused_unless_asked_for_and_then_warned_of(
    coded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EquipoiseError, match="runs Python code of its authors"):
        load_model(coded)
    assert not (tmp_path / "mark").exists()
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "c"))
    with pytest.warns(RemoteCodeWarning, match="runs Python code"):
        load_model(coded, trust_remote_code=True)
    assert (tmp_path / "mark").exists()


def test_no_study_file_can_ask_for_it(tmp_path: Path) -> None:
    for table in ("study", "sampling", "methods.prompt", "measures"):
        path = write_study(tmp_path, "smollm2-135m-instruct")
        text = path.read_text()
        header = f"[{table}]\n"
        text = text.replace(header, header + "trust_remote_code = true\n")
        if header not in text:
            text += header + "trust_remote_code = true\n"
        path.write_text(text)
        with pytest.raises(EquipoiseError, match="trust_remote_code: unknown setting"):
            read_specification(path)


HOSTILE = (
    *("../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "C:x", "~", "-rf", ".hidden", "a..b"),
    *("", " ", "a b", "a\0b", "a\nb", "a\u202eb", "é", "con:", "$(id)", "x" * 101, "a|b", "*"),
)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_no_name_leads_out_of_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError):
        check_name(name, "x")
    quoted = json.dumps(name).replace("\\u0000", "\\u0001")  # TOML has no NUL at all
    for old, new in (
        ('name = "tiny"', f"name = {quoted}"),
        ("[methods.prompt]", f"[methods.{quoted}]\nuse = 'prompt'"),
    ):
        path = write_study(tmp_path / "s", "smollm2-135m-instruct", (old, new))
        with pytest.raises(EquipoiseError):
            read_specification(path)
    write_study(tmp_path / "t", "x", task=(('name = "small"', f"name = {quoted}"),))
    with pytest.raises(EquipoiseError):
        load_task(tmp_path / "t" / "small.toml")


@pytest.mark.parametrize("name", ["/dev/zero", "../../outside", "/etc/hostname"])
def test_a_manifest_reads_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "outside").touch()
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    entry = {"bytes": 0, "sha256": nothing}
    (folder / MANIFEST).write_text(json.dumps({"files": {name: entry}}))
    assert "manifest.json is missing or damaged" in str(fault(folder))


def test_what_training_leaves_behind_holds_no_pickle(
    fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    lm = fresh_tiny_lm()
    Run(fresh_tiny_lm, tmp_path)(make_examples(4), lm=lm, folder=tmp_path / "r", max_steps=1)
    lm.save(tmp_path / "model")
    for path in (tmp_path / "model").rglob("*"):
        assert not zipfile.is_zipfile(path), path
        assert path.read_bytes()[:1] != b"\x80", path
        assert path.suffix in (".json", ".safetensors", ".jinja"), path
