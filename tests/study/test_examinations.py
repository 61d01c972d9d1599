"""The examination of a study: asked once, kept sealed, and added to without a cell anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from equipoise import EquipoiseError, Study
from equipoise.report.answer import answer
from equipoise.report.headline import headline
from equipoise.report.page import render_page
from equipoise.report.tables import write_tables
from equipoise.runs.finished_run import read_run
from equipoise.runs.verification import verify_run
from equipoise.study.specification import read_specification
from equipoise.task.task_file import load_task
from tiny_study import write_study
from tiny_task import SHARES, Replacement

from .conftest import WriteStudy, contents

FEW = ["study.samples_per_subject=1", "study.seeds=[1]"]
PAIRS = "worse,better\nThe nurse said she left.,The nurse said he left.\n"
NAMED: Replacement = (
    "[measures]\n",
    '[measures]\ntext = ["some.txt"]\npairs = ["own.csv"]\n',
)


def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every twentieth request: what is asked does not depend on how much."""
    from equipoise.measures.side_effects import examination

    whole = examination.requests_for
    monkeypatch.setattr(examination, "requests_for", lambda task: whole(task)[::20])


def examined_run(folder: Path, model: Path, overrides: Sequence[str]) -> Path:
    """A run with an examination of few requests; its study file is beside it."""
    path = write_study(folder, model, task=SHARES, side_effects=True)
    with pytest.MonkeyPatch.context() as patched:
        small_requests(patched)
        Study.from_toml(path, overrides).run(folder / "run", quiet=True)
    return folder / "run"


@pytest.fixture(scope="module")
def examined(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examined_run(tmp_path_factory.mktemp("examined"), tiny_model_folder, FEW)


def test_it_is_on_by_default_and_can_be_switched_off(study_file: WriteStudy) -> None:
    assert read_specification("quickstart").measures.side_effects
    assert not read_specification(study_file()).measures.side_effects


def test_every_model_that_a_method_left_is_examined(examined: Path) -> None:
    table = pd.read_csv(examined / "results" / "side_effects.csv")
    assert set(table["method"]) == {"sft", "sft-fast"}
    assert {"retention_kl", "leakage", "stories_words"} <= set(table["instrument"])
    kl = table[table["instrument"] == "retention_kl"].set_index(["method", "seed"])["value"]
    assert kl["sft-fast"].min() > kl["sft"].max() > 0
    tests = pd.read_csv(examined / "results" / "side_effect_tests.csv")
    assert "base model" in set(tests["method_b"])
    summary = pd.read_csv(examined / "results" / "summary.csv").set_index("method")
    assert "changed" in summary.loc["sft-fast", "worst_side_effect"]
    assert summary["worst_side_effect"].isna()["prompt"], "it leaves the model as it was"


def test_answers_are_kept_and_sealed(examined: Path) -> None:
    answers = pd.read_csv(examined / "measures" / "answers_base.csv", keep_default_na=False)
    assert answers.columns.tolist() == ["kind", "request", "subject", "text", "ended"]
    assert answers["kind"].tolist() == ["unrelated"] * 5 + ["people"] * 3 + ["stories"]
    findings = {finding.path: finding.problem for finding in verify_run(examined)}
    assert "measures/answers_base.csv" in findings
    assert "measures/retention_sft_seed1.csv" in findings
    assert not any(findings.values())


def test_the_page_says_what_else_changed(examined: Path) -> None:
    run = read_run(examined, load_task(examined.parent / "small.toml"), own=True)
    table = headline(run)
    page = render_page(run, table, answer(run, table), "")
    assert '<h2 id="side_effects">What else changed</h2>' in page
    assert "worst side effect" in page
    assert "likeliest token changed" in page
    write_tables(run, table, examined.parent / "tables")
    latex = (examined.parent / "tables" / "side_effects.tex").read_text("utf-8")
    assert "likeliest token changed" in latex


def test_nothing_is_asked_twice_and_files_ask_only_for_themselves(
    examined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_requests(monkeypatch)
    folder, before = examined.parent, contents(examined)
    path = folder / "study.toml"
    from equipoise.model import loading

    load = loading.load_model
    monkeypatch.setattr(loading, "load_model", lambda *a, **k: pytest.fail("was asked"))
    Study.from_toml(path, FEW).run(examined, quiet=True)
    assert contents(examined) == before
    monkeypatch.setattr(loading, "load_model", load)
    (folder / "some.txt").write_text("The pilot flew to Oslo and nobody asked why. " * 5)
    (folder / "own.csv").write_text(PAIRS)
    text = path.read_text().replace(*NAMED)
    (folder / "more.toml").write_text(text)
    assert not Study.from_toml(folder / "more.toml", FEW).run(examined, quiet=True).computed
    new = {name for name in contents(examined) if name not in before}
    models = ("base", "sft_seed1", "sft-fast_seed1")
    assert new == {
        f"measures/{part}_{one}.{end}"
        for part in ("perplexity_some", "pairs")
        for one in models
        for end in ("csv", "json")
    }
    table = pd.read_csv(examined / "results" / "side_effects.csv")
    assert {"perplexity", "perplexity_ratio", "pairs"} <= set(table["instrument"])
    (examined / "measures" / "answers_base.csv").write_text("spoilt")
    Study.from_toml(folder / "more.toml", FEW).run(examined, quiet=True)
    assert contents(examined)["measures/answers_base.csv"] == before["measures/answers_base.csv"]


def test_a_model_that_cannot_be_examined_takes_no_table_down(
    study_file: WriteStudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from equipoise.measures.side_effects import examination

    def refuse(*_: object) -> None:
        raise EquipoiseError("the context is too short")

    monkeypatch.setattr(examination.Examination, "items", refuse)
    only = [*FEW, "measures.side_effects=true"]
    result = Study.from_toml(study_file(), only).run(tmp_path / "run")
    assert result.evaluation.side_effects is None
    assert "What else changed is left out: the context is too short" in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('text = ["none.txt"]', "measures.text: there is no 'none.txt' beside"),
        ('text = "small.toml"', "measures.text"),
        ('pairs = ["small.toml"]', "these are no minimal pairs"),
        ('choices = ["small.toml"]', "no multiple-choice questions"),
        ('text = ["small.toml", "small.toml"]', "another text has the same name"),
    ],
)
def test_mistakes_are_found_before_a_model_is_loaded(
    tiny_model_folder: Path, tmp_path: Path, setting: str, message: str
) -> None:
    asked = ("[methods.prompt]\n", f"[measures]\n{setting}\n[methods.prompt]\n")
    path = write_study(tmp_path, tiny_model_folder, asked, side_effects=True)
    with pytest.raises(EquipoiseError, match=message):
        read_specification(path)


HARNESS = """[measures]

[measures.harness]
tasks = ["colours"]
folder = "tasks"
"""


@pytest.mark.usefixtures("no_model")
def test_no_study_file_can_run_the_code_of_a_folder_of_tasks(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its YAML names Python functions, and reading it would run them."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "colours.yaml").write_text(
        "task: colours\ndataset_path: json\ndoc_to_text: !function evil.run\n"
    )
    ran = tmp_path / "ran"
    (tmp_path / "tasks" / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    asked = ("[methods.prompt]\n", f"{HARNESS}[methods.prompt]\n")
    path = write_study(tmp_path, tiny_model_folder, asked, side_effects=True)
    monkeypatch.delenv("EQUIPOISE_TRUST_TASKS", raising=False)
    with pytest.raises(EquipoiseError, match=r"harness.folder: .*runs code of its authors"):
        read_specification(path)
    assert not ran.exists()


@pytest.mark.slow
def test_a_task_of_the_harness_is_asked_of_every_model(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("EQUIPOISE_TRUST_TASKS", "1")
    small_requests(monkeypatch)
    (tmp_path / "tasks").mkdir()
    data = tmp_path / "tasks" / "data.json"
    data.write_text('{"q": "Who is", "o": ["bold", "kind"], "a": 0}\n' * 2)
    (tmp_path / "tasks" / "colours.yaml").write_text(
        f"task: colours\ndataset_path: json\ndataset_kwargs:\n  data_files: {data}\n"
        "test_split: train\noutput_type: multiple_choice\n"
        "doc_to_text: q\ndoc_to_choice: o\ndoc_to_target: a\n"
    )
    asked = ("[methods.prompt]\n", f"{HARNESS}[methods.prompt]\n")
    path = write_study(tmp_path, tiny_model_folder, asked, task=SHARES, side_effects=True)
    run = Study.from_toml(path, FEW).run(tmp_path / "run", quiet=True).folder
    table = pd.read_csv(run / "results" / "side_effects.csv")
    own = table[table["instrument"] == "harness: colours"]
    assert set(own["method"]) == {"sft", "sft-fast"}
    assert set(own["group"]) >= {"acc"}
    assert (own["n"] == 2).all()
    assert own["base"].between(0, 1).all()
    assert set(own["unit"]) == {"share of questions, chance 50.0 %"}
    findings = {finding.path: finding.problem for finding in verify_run(run)}
    for one in ("base", "sft_seed1", "sft-fast_seed1"):
        assert findings[f"measures/harness_colours_{one}.csv"] is None
    question = json.loads((run / "measures" / "harness_colours_base.json").read_text())
    assert (question["task"], question["lm_eval"]) == ("colours", version("lm_eval"))
