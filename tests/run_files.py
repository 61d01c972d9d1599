"""The files of a run, to be compared with those of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd


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
            table = pd.read_csv(folder / path, dtype=str).drop(columns=TIMED_COLUMNS[name])
            found[path] = table.to_csv().encode()
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


MEASURED = (
    *("completions.csv", "scored.csv", "association_base.csv", "model.safetensors"),
    "fluency_base.csv",
    *("by_seed.csv", "compliance.csv", "diversity.csv", "fluency.csv", "terms.csv"),
    *("stereotype.csv", "comparisons.csv", "intervals.csv", "wilson.csv", "consistency.csv"),
    *("train_examples.csv", "val_examples.csv", "dataset_stats.json", "config.json"),
)


def measured(folder: Path) -> dict[str, bytes]:
    """Of a run, the files that the same study makes byte by byte again; no seconds, no memory."""
    found = {
        path: content
        for path, content in contents(folder).items()
        if path.rpartition("/")[2] in MEASURED and "/." not in path
    }
    for name, columns in TIMED_COLUMNS.items():
        if (path := folder / "results" / name).is_file():
            steady = pd.read_csv(path, dtype=str).drop(columns=columns)
            found[f"results/{name}"] = steady.to_csv().encode()
    return found
