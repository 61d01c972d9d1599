"""Traits are erased as gender is, by the recipe that the documentation shows."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import torch

from equipoise import EquipoiseError, load_task
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.model.language_model import LanguageModel
from heard import Heard

PAGE = Path(__file__).parents[3] / "docs" / "inlp.md"


def test_traits_are_erased_by_the_recipe_of_the_docs(
    embedded_model: LanguageModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
) -> None:
    """A linear probe tells held-out agentic words from communal ones before, and not afterwards."""
    [block] = re.findall(
        r"```toml\n(\[methods\.traits\]\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    settings = tomllib.loads(block)["methods"]["traits"]
    name, task = settings.pop("use"), load_task("occupations")
    terms = {term for lexicon in task.lexicons.values() for term in lexicon.terms("all")}
    assert not {word for pair in settings["pairs"] for word in pair} & terms
    measured = {**settings, "pairs": [*settings["pairs"], ["active", "warm"]]}
    with pytest.raises(EquipoiseError, match="'active' is a validation subject or a held-out term"):
        build_method(name, measured).check(task)
    monkeypatch.setattr(LanguageModel, "save", lambda *_: None)  # it would be half a gigabyte
    model, tokenizer = copy.deepcopy(embedded_model.model), embedded_model.tokenizer
    lm = LanguageModel(model, tokenizer, "copy", embedded_model.device, torch.float32)
    workspace = Workspace(tmp_path, tmp_path / "model")
    build_method(name, {**settings, "layers": [10, 20]}).fit(lm, task, 42, workspace)
    assert not any("Left out" in sentence for sentence in heard.said), "all words are single tokens"
    probes = pd.read_csv(tmp_path / "probes.csv")
    assert probes["before"].min() > 0.75
    assert probes["after"].max() <= 0.55
