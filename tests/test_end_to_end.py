"""The real thing: the quickstart study on the embedded model, with fewer updates and samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from equipoise import Study
from equipoise.files.artifacts import read_json
from equipoise.measures import held_out_preference
from equipoise.measures.side_effects import examination
from equipoise.model.language_model import LanguageModel

OVERRIDES = [
    "study.seeds=[42]",
    "study.samples_per_subject=2",
    "measures.without_listed=1",
    "methods.filter.max_draws=12",
    "methods.ctrlg.hidden_states=8",
    "methods.ctrlg.n_samples=200",
    "methods.ctrlg.iterations=2",
    "methods.sft.max_steps=40",
    "methods.sft.batch_size=4",
]


METHODS = ["prompt", "prompt-balanced", "prompt-listed", "filter", "ctrlg", "sft"]


@pytest.fixture(scope="module", autouse=True)
def fewer_requests() -> Iterator[None]:
    """Models are examined with every twentieth request, and with every eighth pair."""
    whole = examination.requests_for
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(held_out_preference, "PAIRS", 5)
        patched.setattr(examination, "requests_for", lambda task: whole(task)[::20])
        yield


@pytest.fixture(scope="module")
def run(_embedded_model: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quickstart") / "run"
    Study.from_toml("quickstart", OVERRIDES).run(folder, quiet=True)
    return folder


def test_fine_tuning_balances_what_prompting_does_not(run: Path) -> None:
    table = pd.read_csv(run / "results" / "compliance.csv").set_index(["method", "split"])
    whole = table.xs("all", level="split")
    assert list(whole.index) == METHODS
    assert (whole["n"].drop("filter") == 40).all()
    assert table.loc[("prompt", "all"), "balanced_mean"] <= 0.05
    # 40 updates of 4 sentences, a sixth of the study's: far above any prompt already.
    assert table.loc[("sft", "all"), "balanced_mean"] >= 0.3
    assert (
        table.loc[("sft", "validation"), "balanced_mean"]
        > table.loc[("prompt", "validation"), "balanced_mean"]
    )


def test_what_else_changed_is_examined(run: Path) -> None:
    """Of the one method that leaves a model of its own; by 40 updates it has gone from its base."""
    table = pd.read_csv(run / "results" / "side_effects.csv")
    assert set(table["method"]) == {"sft"}
    kl = table[table["instrument"] == "retention_kl"]
    assert (kl["value"] > 0.01).all()


def test_decoding_control_keeps_its_word(run: Path) -> None:
    """Ctrl-G always delivers and always satisfies; the filter says what it lacks what it cost."""
    table = pd.read_csv(run / "results" / "compliance.csv").set_index(["method", "split"])
    assert table.loc[("ctrlg", "all"), ["satisfied_mean", "balanced_mean"]].tolist() == [1, 1]
    assert table.loc[("filter", "all"), "satisfied_mean"] == 1
    cost = pd.read_csv(run / "results" / "cost.csv").set_index("method")
    assert cost.loc["ctrlg", ["delivered", "acceptance"]].tolist() == [40, 1]
    assert cost.loc["filter", "delivered"] == table.loc[("filter", "all"), "n"] < 40
    assert cost.loc["filter", "draws"] > 40
    assert cost.loc["filter", "tokens_per_delivered"] > cost.loc["ctrlg", "tokens_per_delivered"]


def test_the_losses_fall(run: Path) -> None:
    info = read_json(run / "cells" / "sft" / "seed42" / "training_info.json")
    losses = [row["loss"] for row in info["history"] if "loss" in row]
    assert len(losses) == info["steps"] == 40
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    assert info["eval_loss"] < losses[0]


def test_the_model_is_an_ordinary_folder(run: Path) -> None:
    folder = run / "cells" / "sft" / "seed42" / "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.num_parameters() == 134_515_008
    assert tokenizer.decode([2]) == "<|im_end|>"


def test_running_again_computes_nothing(run: Path) -> None:
    result = Study.from_toml("quickstart", OVERRIDES).run(run, quiet=True)
    assert not result.computed
    assert len(result.skipped) == len(METHODS)
