"""Methods that start from another one's result: order, identity, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from equipoise import EquipoiseError, Study
from equipoise.methods.method import Method
from equipoise.methods.registry import build_method
from equipoise.runs.cell import Cell
from equipoise.study.dependencies import check_needs, control_of, in_order, line_of
from equipoise.study.outcome import CellsFailedError
from equipoise.study.specification import read_specification
from study.conftest import WriteStudy, measured
from study.test_measures import WOMEN

HYBRID = """
[methods.dpo]
init_from = "sft"
n_per_subject = 8
max_steps = 2

[methods.sft]
n_per_subject = 8
max_steps = 3
"""


def methods(**starts: str | None) -> dict[str, Method[Any]]:
    """DPO methods that start from each other."""
    return {label: build_method("dpo", {"init_from": start}) for label, start in starts.items()}


def test_order_and_line() -> None:
    chain = methods(c="b", a=None, b="a", d=None)
    assert in_order(chain, chain) == ["a", "b", "c", "d"]
    assert in_order(["d", "c"], chain) == ["d", "c"]
    assert line_of("c", chain) == ["c", "b", "a"]
    assert line_of("d", chain) == ["d"]
    assert line_of("x", methods(x="y", y="x")) == ["x", "y"]


def test_what_needs_several_comes_after_all_of_them() -> None:
    made = {
        "sum": build_method("task-vector", {"of": {"more": 1.0, "sft": -1.0}}),
        "asked": build_method("prompt", {"init_from": "sum"}),
        "more": build_method("dpo", {"init_from": "sft"}),
        "sft": build_method("sft", {}),
    }
    assert in_order(made, made) == ["sft", "more", "sum", "asked"]
    assert line_of("asked", made) == ["asked", "sum", "more", "sft"]
    assert control_of("asked", made) == "parametric + preference"


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ("stf", r"s\.toml: methods\.sum\.of: the study has no method 'stf'. Did you mean 'sft'"),
        ({"sft": 1.0, "prompt": 1.0}, "'prompt' trains nothing, so it has no model"),
        ({"sft": 1.0, "sum": 1.0}, "sum builds on sum"),
        ({"sft": 1.0, "after": 1.0}, "sum builds on after builds on sum"),
    ],
)
def test_needs_that_cannot_be_met(of: object, message: str) -> None:
    made = {
        "prompt": build_method("prompt", {}),
        "sft": build_method("sft", {}),
        "sum": build_method("task-vector", {"of": of}),
        "after": build_method("dpo", {"init_from": "sum"}),
    }
    with pytest.raises(EquipoiseError, match=message):
        check_needs(made, Path("s.toml"))


def test_completions_are_learnt_of_any_method_but_never_in_a_circle() -> None:
    made = {
        "mine": build_method("distil", {"learn_from": "ctrlg", "init_from": "sft"}),
        "ctrlg": build_method("ctrlg", {}),
        "sft": build_method("sft", {}),
    }
    check_needs(made, Path("s.toml"))
    assert line_of("mine", made) == ["mine", "ctrlg", "sft"]
    assert in_order(made, made) == ["sft", "ctrlg", "mine"]
    assert control_of("mine", {**made, "sft": build_method("prompt", {})}) == (
        "structural + parametric"
    )
    made["ctrlg"] = build_method("ctrlg", {"init_from": "mine"})
    with pytest.raises(EquipoiseError, match="mine builds on ctrlg builds on mine"):
        check_needs(made, Path("s.toml"))
    lonely = {"mine": build_method("distil", {"learn_from": "filtre"})}
    lonely["filter"] = build_method("filter", {})
    with pytest.raises(
        EquipoiseError, match=r"methods\.mine\.learn_from: the study has no method 'filtre'"
    ):
        check_needs(lonely, Path("s.toml"))


def test_kinds_of_control_at_work_in_the_order_they_were_applied() -> None:
    settings: dict[str, tuple[str, dict[str, Any]]] = {
        "prompt": ("prompt", {}),
        "filter": ("filter", {}),
        "sft": ("sft", {}),
        "asked": ("prompt", {"init_from": "sft"}),
        "filtered": ("filter", {"init_from": "sft"}),
        "again": ("sft", {"init_from": "sft"}),
        "erased": ("leace", {"init_from": "sft"}),
        "all": ("filter", {"init_from": "erased"}),
    }
    made = {label: build_method(name, values) for label, (name, values) in settings.items()}
    assert {label: control_of(label, made) for label in made} == {
        "prompt": "none",
        "filter": "post-hoc",
        "sft": "parametric",
        "asked": "parametric",
        "filtered": "parametric + post-hoc",
        "again": "parametric",
        "erased": "parametric + projection",
        "all": "parametric + projection + post-hoc",
    }


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ({"a": "b"}, r"s\.toml: methods\.a\.init_from: the study has no method 'b'"),
        ({"dpo": None, "a": "dop"}, "Did you mean 'dpo'"),
        ({"a": "a"}, "no method can be the first: a builds on a"),
        ({"a": "c", "b": "a", "c": "b"}, "a builds on c builds on b builds on a"),
    ],
)
def test_starts_that_cannot_be(starts: dict[str, str | None], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        check_needs(methods(**starts), Path("s.toml"))


def test_an_untrained_method_is_no_start() -> None:
    made = {"prompt": build_method("prompt", {}), **methods(a="prompt")}
    with pytest.raises(EquipoiseError, match="'prompt' trains nothing"):
        check_needs(made, Path("s.toml"))


@pytest.fixture
def hybrid(study_file: WriteStudy) -> Path:
    """A study whose first method starts from its second."""
    path = study_file()
    text = path.read_text()
    path.write_text(text[: text.index("[methods.prompt]")].replace("[1, 2]", "[1]") + HYBRID)
    return path


def test_a_hybrid_is_trained_on_from_its_start(hybrid: Path, tmp_path: Path) -> None:
    result = Study.from_toml(hybrid).run(tmp_path / "run", quiet=True)
    assert result.computed == (Cell("sft", 1), Cell("dpo", 1))
    assert list(result.evaluation.compliance["method"].unique()) == ["dpo", "sft"], "file order"
    folders = {name: result.folder / "cells" / name / "seed1" for name in ("sft", "dpo")}
    weights = {n: load_file(f / "model" / "model.safetensors") for n, f in folders.items()}
    moved = max(float((weights["sft"][k] - weights["dpo"][k]).abs().max()) for k in weights["sft"])
    assert 0 < moved < 2e-4, "two small steps of DPO away from SFT's result, not from the base"
    summary = json.loads((folders["dpo"] / "summary.json").read_text())
    assert summary["model"] == "tiny"
    # Sentences learnt before count as learnt: both train on the same ones, listed once each.
    learnt = result.evaluation.completions
    assert learnt["verbatim"].notna().all()


@pytest.mark.slow
def test_completions_are_drawn_from_what_another_method_trained(
    study_file: WriteStudy, tmp_path: Path
) -> None:
    """The same prompt, seed and sampling on the trained model: the very completions it gave."""
    path = study_file(task=WOMEN)
    path.write_text(
        path.read_text()
        + """
[methods.asked]
use = "prompt"
init_from = "sft"

[methods.filtered]
use = "filter"
init_from = "sft"
max_draws = 3
"""
    )
    # A rate that moves the model for sure: the default moves it by less than float32's rounding.
    overrides = ["study.seeds=[1]", "methods.sft.learning_rate=1e-1"]
    result = Study.from_toml(path, overrides).run(tmp_path / "run", quiet=True)
    drawn = result.evaluation.completions.set_index(["method", "subject", "run"])["text"]
    assert drawn["asked"].tolist() == drawn["sft"].tolist() != drawn["prompt"].tolist()
    cells = result.folder / "cells"
    table = result.evaluation.tables["stereotype"].dropna(subset="seed").set_index("measure")
    slopes = table.loc["association_unfitted"].set_index("method")["slope"]
    assert slopes["asked"] == slopes["filtered"] == slopes["sft"] != slopes["prompt"]
    assert not (cells / "asked" / "seed1" / "model").exists()


DISTILLED = """
[methods.distilled]
use = "distil"
learn_from = "ctrlg"
n_per_subject = 2
max_steps = 2

[methods.ctrlg]
hidden_states = 4
n_samples = 20

[methods.hopeless]
use = "distil"
learn_from = "prompt"
max_steps = 2

[methods.prompt]
"""


def test_what_another_method_delivered_is_learnt(study_file: WriteStudy, tmp_path: Path) -> None:
    path = study_file()
    head = path.read_text().split("[methods.prompt]")[0].replace("[1, 2]", "[1]")
    path.write_text(head + DISTILLED)
    study = Study.from_toml(path)
    with pytest.raises(CellsFailedError, match="'prompt' delivered nothing about a train subject"):
        study.run(tmp_path / "run", quiet=True)
    cells = tmp_path / "run" / "cells"
    given = pd.read_csv(cells / "ctrlg" / "seed1" / "completions.csv")
    learnt = pd.read_csv(cells / "distilled" / "seed1" / "train_examples.csv")
    assert set(learnt["text"]) <= set(given["text"])
    assert set(learnt["subject"]) <= {s.name for s in study.specification.task.train}
    assert learnt["origin"].unique().tolist() == ["ctrlg"]
    told = json.loads((cells / "distilled" / "seed1" / "summary.json").read_text())["told"]
    assert told == list(study.specification.task.constraint.scored), "as Ctrl-G was"
    config = json.loads((cells / "distilled" / "seed1" / "config.json").read_text())
    assert [start["use"] for start in config["starts"]] == ["ctrlg"]


def test_another_start_makes_another_cell(hybrid: Path, tmp_path: Path) -> None:
    before = read_specification(hybrid).cell_config(Cell("dpo", 1))
    changed = read_specification(hybrid, ["methods.sft.max_steps=4"])
    assert changed.cell_config(Cell("dpo", 1)) != before
    Study.from_toml(hybrid).run(tmp_path / "run", quiet=True)
    with pytest.raises(EquipoiseError, match=r"methods\.sft\.max_steps|starts"):
        Study(changed).run(tmp_path / "run", quiet=True)


@pytest.mark.slow
def test_two_runs_write_the_same_bytes(hybrid: Path, tmp_path: Path) -> None:
    runs = [Study.from_toml(hybrid).run(tmp_path / name, quiet=True).folder for name in "ab"]
    assert measured(runs[0]) == measured(runs[1])


def test_a_failing_start_takes_only_its_own_line_down(
    study_file: WriteStudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """SFT with a huge rate diverges; DPO that starts from it is not begun; the rest is done."""
    path = study_file()
    path.write_text(
        path.read_text() + '\n[methods.dpo]\ninit_from = "sft"\nn_per_subject = 8\nmax_steps = 1\n'
    )
    study = Study.from_toml(path, ["study.seeds=[1]", "methods.sft.learning_rate=1e30"])
    with pytest.raises(CellsFailedError) as caught:
        study.run(tmp_path / "run")
    result = caught.value.result
    assert result is not None
    assert [cell for cell, _ in result.failed] == [Cell("sft", 1), Cell("dpo", 1)]
    assert "2 cells failed" in str(caught.value)
    assert "the training loss became" in str(caught.value)
    assert "it builds on sft, seed 1, which failed" in str(caught.value)
    done = ["prompt", "prompt-balanced", "sft-fast"]
    assert list(result.evaluation.compliance["method"].unique()) == done
    assert (result.folder / "results" / "compliance.csv").is_file()
    assert "sft, seed 1: failed" in capsys.readouterr().err
