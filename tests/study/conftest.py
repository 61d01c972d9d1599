from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from equipoise import Study
from tiny_study import write_study

WriteStudy = Callable[..., Path]


@pytest.fixture
def study_file(tmp_path: Path, tiny_model_folder: Path) -> WriteStudy:
    """Writes the tiny study, with pieces of its file replaced, and gives the file's path."""

    def write(*replacements: tuple[str, str], task: tuple[tuple[str, str], ...] = ()) -> Path:
        return write_study(tmp_path / "files", tiny_model_folder, *replacements, task=task)

    return write


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test fail that loads a model."""
    for home in ("equipoise.study.computation", "equipoise.model.language_model"):
        monkeypatch.setattr(f"{home}.load_model", lambda *_, **__: pytest.fail("a model is loaded"))


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """A tiny model is computed fastest by one thread, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def made_once(
    _one_thread: None, tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path
) -> Path:
    """A finished run of the tiny study, to be copied."""
    folder = tmp_path_factory.mktemp("study")
    study = Study.from_toml(write_study(folder / "files", tiny_model_folder))
    return study.run(folder / "run", quiet=True).folder


@pytest.fixture
def finished(made_once: Path, tmp_path: Path) -> Path:
    """A finished run of the tiny study in this test's own folder, to be spoilt."""
    return Path(shutil.copytree(made_once, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run by its path in it, the lock aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


TIMED_COLUMNS = {
    "cost.csv": [
        "seconds_per_delivered",
        "fit_seconds",
        "fit_peak_gb",
        "sampling_peak_gb",
        "peak_gb",
    ],
    "summary.csv": ["fit_seconds", "peak_gb"],
}
TIMED_KEYS = {
    "summary.json": {"fit_seconds", "sampling_seconds", "fit_peak_gb", "sampling_peak_gb"},
    "training_info.json": {"seconds"},
}


def steady(folder: Path) -> dict[str, bytes]:
    """Every file of a run, hidden ones included, without what the clock decides.

    Left out are TensorBoard's files in ``logs/`` (their names and records hold times), the columns
    and keys above (seconds, and memory, which depends on what the process did before), and in
    manifests the sums of the files that hold those.
    """
    timed = {*TIMED_COLUMNS, *TIMED_KEYS}
    found = {}
    for path, content in contents(folder).items():
        name = path.rpartition("/")[2]
        if "/logs/" in path:
            continue
        if name in TIMED_COLUMNS:
            content = pd.read_csv(folder / path, dtype=str).drop(columns=TIMED_COLUMNS[name])
            found[path] = content.to_csv().encode()
            continue
        if name in TIMED_KEYS:
            content = json.dumps(_without(json.loads(content), TIMED_KEYS[name])).encode()
        if name == "manifest.json":
            manifest = json.loads(content)
            for file in list(manifest["files"]):
                if "logs/" in file or file in timed:
                    del manifest["files"][file]
            content = json.dumps(manifest).encode()
        found[path] = content
    return found


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {k: _without(v, keys) for k, v in value.items() if k not in keys}
    return [_without(v, keys) for v in value] if isinstance(value, list) else value


def measured(folder: Path) -> dict[str, bytes]:
    """Of a run, the files that the same study makes byte by byte again; no seconds, no memory."""
    names = (
        "completions.csv",
        "scored.csv",
        "association.csv",
        "model.safetensors",
        "fluency_base.csv",
    )
    names += ("by_seed.csv", "compliance.csv", "diversity.csv", "fluency.csv", "terms.csv")
    names += ("stereotype.csv",)
    names += ("comparisons.csv", "intervals.csv", "wilson.csv", "consistency.csv")
    data = ("train_examples.csv", "val_examples.csv", "dataset_stats.json", "config.json")
    found = {
        path: content
        for path, content in contents(folder).items()
        if path.rpartition("/")[2] in names + data and "/." not in path
    }
    for name, columns in TIMED_COLUMNS.items():
        if (path := folder / "results" / name).is_file():
            steady = pd.read_csv(path, dtype=str).drop(columns=columns)
            found[f"results/{name}"] = steady.to_csv().encode()
    return found
