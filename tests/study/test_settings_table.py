"""Settings side by side: what is resolved, and what is marked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from equipoise import load_task
from equipoise.methods.registry import build_method
from equipoise.study.settings_table import settings_table


def test_what_differs_is_marked() -> None:
    methods = {
        "sft": build_method("sft", {"learning_rate": 1e-4}),
        "dpo": build_method("dpo", {"lora": True}),
        "long": build_method("rlhf", {"iterations": 10, "updates_per_iteration": 2}),
        "prompt": build_method("prompt", {}),
    }
    table = settings_table(methods, load_task("occupations")).set_index("setting")
    assert list(table.columns) == ["differs", "sft", "dpo", "long", "prompt"]
    # 15 subjects x 20 sentences; 300 / 16 = 19 updates, three times.
    assert table.loc["examples"].tolist() == ["yes", "300", "300", "0", ""]
    assert table.loc["updates"].tolist() == ["yes", "57", "57", "20", ""]
    assert table.loc["prompt"].tolist() == ["no", *["neutral"] * 4]
    assert table.loc["learning_rate"].tolist() == ["yes", "0.0001", "5e-05", "2e-05", ""]
    assert table.loc["lora"].tolist() == ["yes", "false", "true", "false", ""]
    assert table.loc["beta"].tolist() == ["no", "", "0.1", "", ""]
    assert table.loc["method"].tolist() == ["yes", "sft", "dpo", "rlhf", "prompt"]


def test_a_study_writes_it(finished: Path) -> None:
    table = pd.read_csv(finished / "results" / "settings.csv", dtype=str, index_col="setting")
    assert table.loc["max_steps", "sft-fast"] == "2"
    assert table.loc["max_steps", "differs"] == "yes"
