"""What a cell takes down of what it was told and asked for, and how it reaches the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from endpoint_server import Proxy
from equipoise import Study
from equipoise.files.artifacts import write_json
from equipoise.measures.cell_facts import CellFacts
from equipoise.runs.cell import Cell
from equipoise.runs.layout import SUMMARY
from equipoise.runs.store import Store
from equipoise.study.results import _facts, told_terms
from equipoise.study.specification import read_specification
from tiny_study import STUDY, write_study

FROM = STUDY[STUDY.index("[methods.prompt]") :]
METHODS = """
[methods.prompt]

[methods.few-shot]
shots = 1

[methods.sft]
n_per_subject = 2
max_steps = 1
batch_size = 2

[methods.asked]
use = "prompt"
init_from = "sft"

[methods.filter]
ask = "few-shot"
max_draws = 2
"""


def test_told_follows_what_was_used_and_what_that_started_from(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    path = write_study(tmp_path / "files", tiny_model_folder, (FROM, METHODS), ("[1, 2]", "[1]"))
    evaluation = Study.from_toml(path).run(tmp_path / "run", quiet=True).evaluation
    cells = tmp_path / "run" / "cells"

    def read(label: str) -> dict[str, object]:
        return json.loads((cells / label / "seed1" / "summary.json").read_text())

    told = {
        label: read(label)["told"] for label in ("prompt", "few-shot", "sft", "asked", "filter")
    }
    texts = " ".join(pd.read_csv(cells / "sft" / "seed1" / "train_examples.csv")["text"])
    order = ["bold", "ambitious", "self-reliant", "kind", "honest", "good with people"]
    assert told["prompt"] == []
    assert told["sft"] == [term for term in order if term in texts] == told["asked"]
    assert 2 <= len(told["few-shot"]) < 6
    assert told["filter"] == order
    summary = pd.read_csv(tmp_path / "run" / "results" / "summary.csv").set_index("method")
    assert summary["told"].to_dict() == {label: len(terms) for label, terms in told.items()}
    assert summary["by_construction"].to_dict() == {label: label == "filter" for label in told}
    compliance = pd.read_csv(tmp_path / "run" / "results" / "compliance.csv")
    assert set(compliance["told"]) == set(summary["told"])
    whole = compliance[compliance["split"] == "all"].set_index("method")
    assert (whole["wanted"] == 9).all()
    assert whole.loc["filter", "n"] < 9
    assert whole.loc["filter", "balanced_requested"] == pytest.approx(whole.loc["filter", "n"] / 9)
    assert "filter" not in set(evaluation.comparisons.query("outcome == 'balanced'")["method_a"])
    config = json.loads((cells / "filter" / "seed1" / "config.json").read_text())
    assert config["settings"]["ask.shots"] == 1


def test_cells_of_earlier_versions_say_nothing_of_it(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    study = read_specification(write_study(tmp_path, tiny_model_folder))
    cell = Cell("prompt", 7)
    wanted = 5 * len(study.task.subjects)
    older = CellFacts("prompt", 7, 5, None, None, untuned=True)
    assert _facts(cell, {"cost": {"wanted": wanted}}, study) == older
    newer = {"cost": {"wanted": wanted}, "told": ["bold"], "by_construction": True}
    assert _facts(cell, newer, study) == replace(older, told=1, by_construction=True)
    tuned = _facts(Cell("sft", 7), newer, study)
    assert not tuned.untuned
    store = Store(tmp_path / "run")
    store.cell_folder(cell).mkdir(parents=True)
    for summary, told in (({}, None), ({"told": None}, None), ({"told": ["bold"]}, ["bold"])):
        write_json(store.cell_folder(cell) / SUMMARY, summary)
        assert told_terms(store, [cell]) == told
    other = Cell("sft", 7)
    store.cell_folder(other).mkdir(parents=True)
    write_json(store.cell_folder(other) / SUMMARY, {"told": ["kind", "bold"]})
    assert told_terms(store, [cell, other]) == ["bold", "kind"]
    write_json(store.cell_folder(cell) / SUMMARY, {})
    assert told_terms(store, [cell, other]) is None, "nobody knows of one, so of none"


def test_an_endpoint_is_asked_in_every_way(
    proxy: Proxy, server: tuple[str, str], tmp_path: Path
) -> None:
    methods = f"""
[endpoint]
base_url = "{proxy.url}"
concurrency = 1

[methods.prompt-listed]

[methods.few-shot]
shots = 2

[methods.revise]

[methods.filter]
ask = "revise"
max_draws = 1
"""
    changes = (
        (FROM, methods),
        ("[1, 2]", "[1]"),
        ("samples_per_subject = 3", "samples_per_subject = 1"),
    )
    path = write_study(tmp_path / "files", server[1], *changes)
    result = Study.from_toml(path).run(tmp_path / "run", quiet=True)
    turns = [len(body["messages"]) for body in proxy.bodies]
    # What the tiny model says is never balanced: every answer is given back once.
    assert turns == [1] * 3 + [1] * 3 + [1] * 3 + [3] * 3 + [1] * 3 + [3] * 3
    cost = result.evaluation.cost.set_index("method")
    assert cost["requests"].to_dict() == {
        "prompt-listed": 3, "few-shot": 3, "revise": 6, "filter": 6,
    }  # fmt: skip
    assert cost["draws"].tolist() == [3, 3, 6, 6]
    assert cost["delivered"].tolist() == [3, 3, 3, 0]
    spent = json.loads((tmp_path / "run/cells/revise/seed1/summary.json").read_text())["cost"]
    draws = pd.read_csv(tmp_path / "run/cells/revise/seed1/draws.csv")
    assert spent["tokens"] == draws["tokens"].sum()
