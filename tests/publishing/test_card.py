"""Cards of trained models: what they say, and that nothing in them does anything."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import ModelCard

from equipoise.files.manifest import fault
from equipoise.methods.sft import SFT, SFTSettings
from equipoise.model.draws import Sampling
from equipoise.model.origin import origin_of
from equipoise.model.registry import Origin
from equipoise.publishing.card import Trained, write_card
from equipoise.publishing.reward_card import write_reward_card
from equipoise.publishing.write import write_training_cards
from equipoise.study.training_run import TrainingRun
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

RATES = pd.DataFrame(
    [("train", 40, 0.95, 0.9, 0.05, 0.5), ("validation", 20, 0.6, 0.55, 0.0, math.nan)],
    columns=["split", "n", "balanced", "satisfied", "balanced_held_out", "verbatim"],
)


def trained(folder: Path, **changes: Any) -> Trained:
    """An SFT model on the occupations, with ``changes``."""
    facts: dict[str, Any] = {
        "folder": folder,
        "method": "sft",
        "summary": SFT.summary,
        "model": "smollm2-135m-instruct",
        "origin": origin_of("smollm2-135m-instruct"),
        "task": load_task("occupations"),
        "seed": 42,
        "settings": {"learning_rate": 1e-4, "prompt": "neutral"},
        "record": {"n_train": 300, "steps": 57, "trainable_parameters": 134_515_008},
        "generated": True,
    }
    return Trained(**{**facts, **changes})


def written(folder: Path, **changes: Any) -> str:
    write_card(trained(folder, **changes))
    return (folder / "README.md").read_text("utf-8")


def test_the_hub_reads_base_licence_and_results(tmp_path: Path) -> None:
    written(tmp_path, rates=RATES, sampling=Sampling())
    data = ModelCard.load(tmp_path / "README.md").data
    assert data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "apache-2.0", "transformers", "text-generation",
    )  # fmt: skip
    assert data.tags == ["equipoise", "bias-control", "sft"]
    found = {(r.dataset_name, r.metric_type): r.metric_value for r in data.eval_results}
    assert found["occupations, validation subjects", "balanced"] == 0.6
    assert found["occupations, train subjects", "verbatim"] == 0.5
    assert len(found) == 7  # what was not measured is no result
    assert origin_of(tmp_path) == origin_of("smollm2-135m-instruct")  # for the next one's card


def test_people_read_data_numbers_and_limits(tmp_path: Path) -> None:
    text = written(tmp_path, rates=RATES, sampling=Sampling(temperature=0.7))
    assert "300 examples about train subjects, made by program" in text
    assert "134,515,008 trained weights" in text
    assert "| validation | 20 | 60.0 % | 55.0 % | 0.0 % | – |" in text
    assert "temperature 0.7" in text
    assert "Balance of words is not absence of bias" in text
    assert "One seed is one model." in text
    assert "apache-2.0, as HuggingFaceTB/SmolLM2-135M-Instruct" in text
    assert written(tmp_path, rates=RATES, sampling=Sampling(temperature=0.7)) == text


def test_what_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    text = written(tmp_path, origin=Origin("owner/name"), record={}, generated=False)
    assert "license" not in ModelCard.load(tmp_path / "README.md").data.to_dict()
    assert "Equipoise does not know them" in text
    assert "Nothing yet. `equipoise generate` draws completions" in text
    assert "examples" not in text.split("## Measured")[0]


def test_no_path_of_a_machine_gets_into_a_card(tmp_path: Path) -> None:
    settings = {"pairs_file": "/home/somebody/secret/pairs.jsonl", "reward_model": "C:\\me\\judge"}
    text = written(tmp_path, settings=settings)
    assert "somebody" not in text
    assert "pairs.jsonl" in text
    assert "| judge |" in text
    assert "of a file that its maker gave" in text


HOSTILE = "x</script><script>alert(1)</script>\n---\nlicense: mit\n---\n| a | b |\u202e\ud800 `$x$`"


def test_strangers_words_stay_words(tmp_path: Path) -> None:
    known = load_task("occupations")
    task = Task(
        name=known.name, description=HOSTILE, subjects=known.subjects, lexicons=known.lexicons,
        prompts={"neutral": HOSTILE + " {subject}"}, prefix=known.prefix,
        constraint=known.constraint,
    )  # fmt: skip
    text = written(
        tmp_path, model=HOSTILE, task=task, settings={HOSTILE: HOSTILE}, origin=Origin(),
        starts=[HOSTILE], rates=RATES,
    )  # fmt: skip
    data = ModelCard.load(tmp_path / "README.md").data
    assert "license" not in data.to_dict()
    assert data.model_name.startswith("x</script>")  # a text of YAML, which nobody renders
    body = text.split("\n---\n", 1)[1]
    assert "<script" not in body.replace("\\<script", "")
    assert "\u202e" not in text
    assert "\n---\n" not in body
    rows = [line for line in body.splitlines() if line.startswith("| x")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 3


def test_a_training_has_a_card_in_its_seal(
    tmp_path: Path, tiny_model_folder: Path, make_task: Callable[..., Task]
) -> None:
    method = SFT(SFTSettings(n_per_subject=1, max_steps=1))
    folder, task = tmp_path / "out", make_task()
    run = TrainingRun(folder, folder / "model", method, task, str(tiny_model_folder), 7)
    assert run.run(quiet=True) == "new"
    card = folder / "model" / "README.md"
    assert not card.exists()
    assert write_training_cards(run) == [card]
    assert f"{len(task.train)} examples about train subjects" in card.read_text("utf-8")
    assert "model/README.md" in json.loads((folder / "manifest.json").read_text())["files"]
    assert fault(folder) is None
    before = card.read_bytes()
    assert run.run(quiet=True) == "done"
    assert write_training_cards(run) == []
    assert card.read_bytes() == before


def test_a_reward_model_has_one_too(tmp_path: Path) -> None:
    record = {"train": 1.0, "validation": 0.975, "held_out_terms": None, "mean": 0.3}
    name = "smollm2-135m-instruct"
    write_reward_card(tmp_path, name, origin_of(name), load_task("occupations"), 1, record)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.pipeline_tag == "text-classification"
    assert card.data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert "| held-out subjects, listed terms | 97.5 % |" in card.text
    assert "train subjects, held-out terms" not in card.text
