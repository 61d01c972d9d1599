"""Whole studies on a tiny model: what is written, what is kept, what is refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest
from transformers import AutoModelForCausalLM

from equipoise import EquipoiseError, Study
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from tiny_study import write_study

from .conftest import WriteStudy, contents, measured

TABLES = (
    "summary",
    "by_seed",
    "compliance",
    "diversity",
    "fluency",
    "stereotype",
    "slopes",
    "terms",
    "cost",
    "settings",
    "comparisons",
    "intervals",
    "wilson",
    "consistency",
)
LABELS = ("prompt", "prompt-balanced", "sft", "sft-fast")
OF_EVERY_CELL = {"config.json", "completions.csv", "scored.csv"}
OF_EVERY_CELL |= {"summary.json", "manifest.json"}
OF_TRAINING = {"train_examples.csv", "val_examples.csv", "dataset_stats.json", "training_info.json"}
OF_TRAINING |= {"own_scores.csv"}
OF_A_MODEL = {
    f"model/{name}"
    for name in (
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    )
}


def test_files_are_those_that_are_promised(made_once: Path) -> None:
    files = set(contents(made_once))
    expected = {
        "study.json",
        "context.json",
        "environment.json",
        "measures/fluency_base.csv",
        "measures/fluency_base.json",
        "results/manifest.json",
        *(f"results/{name}.csv" for name in TABLES),
    }
    for label in LABELS:
        for seed in (1, 2):
            cell = f"cells/{label}/seed{seed}/"
            names = set(OF_EVERY_CELL)
            if label.startswith("sft"):
                names |= OF_TRAINING | OF_A_MODEL
                logs = {path for path in files if path.startswith(f"{cell}logs/")}
                assert len(logs) == 1
                assert "events.out.tfevents" in logs.pop()
            expected |= {cell + name for name in names}
    assert {path for path in files if "/logs/" not in path} == expected


def test_no_file_names_a_path_of_this_machine(made_once: Path, tiny_model_folder: Path) -> None:
    places = (str(made_once.parent), str(tiny_model_folder), str(Path.home()) + "/")
    for path, content in contents(made_once).items():
        if "/logs/" in path:  # TensorBoard notes the Trainer's arguments there
            continue
        assert not [place for place in places if place.encode() in content], path


def test_results(made_once: Path) -> None:
    table = pd.read_csv(made_once / "results" / "compliance.csv")
    assert list(table.columns[:13]) == [
        "method",
        "split",
        "n",
        "seeds",
        "balanced_mean",
        "balanced_sd",
        "any_mean",
        "any_sd",
        "agentic_only_mean",
        "communal_only_mean",
        "neither_mean",
        "in_range_mean",
        "mean_words",
    ]
    splits = ("train", "validation", "all")
    assert list(zip(table["method"], table["split"], strict=True)) == [
        (label, split) for label in LABELS for split in splits
    ]
    assert table["n"].tolist() == [12, 6, 18] * 4  # 3 samples x 2 seeds x 2, 1 and 3 subjects
    assert (table["seeds"] == 2).all()
    seeds = pd.read_csv(made_once / "results" / "by_seed.csv")
    assert seeds["seed"].tolist() == [1, 1, 1, 2, 2, 2] * 4
    for (method, seed), rows in seeds.groupby(["method", "seed"]):
        summary = json.loads(
            (made_once / "cells" / str(method) / f"seed{seed}" / "summary.json").read_text()
        )
        assert [rate["neither"] for rate in summary["rates"]] == pytest.approx(
            rows["neither"].tolist(), abs=1e-6
        )


def test_comparisons_are_of_every_pair_and_outcome(made_once: Path) -> None:
    table = pd.read_csv(made_once / "results" / "comparisons.csv")
    pairs = list(itertools.combinations(LABELS, 2))
    for _, family in table.groupby(["outcome", "split"]):
        assert list(zip(family["method_a"], family["method_b"], strict=True)) == pairs
    assert table["paired"].all()
    seeds = pd.read_csv(made_once / "results" / "by_seed.csv")
    means = seeds[seeds["split"] == "all"].groupby("method")["any"].mean()
    found = table[(table["outcome"] == "any") & (table["split"] == "all")]
    expected = means[found["method_a"]].to_numpy() - means[found["method_b"]].to_numpy()
    assert found["difference"].tolist() == pytest.approx(list(expected), abs=2e-6)
    assert table["verdict"].str.len().min() > 20
    intervals = pd.read_csv(made_once / "results" / "intervals.csv")
    assert set(intervals["split"]) == {"train", "validation", "all", "gap"}
    consistency = pd.read_csv(made_once / "results" / "consistency.csv")
    assert list(dict.fromkeys(consistency["method"])) == list(LABELS)


def test_statistics_of_the_study_file_change_tables_and_no_cell(
    finished: Path, study_file: WriteStudy
) -> None:
    before = contents(finished)
    table = '[statistics]\nalpha = 0.1\nmargin = 1.0\nsubjects = "fixed"\nseed = 7\n[sampling]'
    result = Study.from_toml(study_file(("[sampling]", table))).run(finished, quiet=True)
    assert not result.computed
    after = contents(finished)
    changed = {name for name in after if after[name] != before.get(name)}
    names = ("comparisons.csv", "intervals.csv", "wilson.csv", "manifest.json")
    assert changed == {"study.json", *(f"results/{name}" for name in names)}
    comparisons = pd.read_csv(finished / "results" / "comparisons.csv")
    assert comparisons["verdict"].str.endswith("For new seeds with these subjects.").any()
    record = json.loads(after["study.json"])
    assert record["statistics"] == {"alpha": 0.1, "margin": 1.0, "subjects": "fixed", "seed": 7}


def test_cost_is_what_the_cells_say(made_once: Path) -> None:
    table = pd.read_csv(made_once / "results" / "cost.csv").set_index("method")
    assert list(table.index) == list(LABELS)
    for label, row in table.iterrows():
        cells = [made_once / "cells" / str(label) / f"seed{seed}" for seed in (1, 2)]
        costs = [json.loads((cell / "summary.json").read_text())["cost"] for cell in cells]
        texts = pd.concat(pd.read_csv(cell / "completions.csv") for cell in cells)
        for cost in costs:  # 3 samples of 3 subjects, none of them rejected
            counts = [cost[name] for name in ("wanted", "delivered", "draws", "accepted")]
            assert (counts, cost["rejects"]) == ([9] * 4, False)
            assert cost["sampling_seconds"] > 0
        assert sum(cost["tokens"] for cost in costs) == texts["tokens"].sum()
        assert [*row[["seeds", "wanted", "delivered", "draws", "acceptance"]]] == [2, 18, 18, 18, 1]
        assert row[["wilson_low", "wilson_high"]].isna().all()
        assert row["tokens_per_delivered"] == pytest.approx(texts["tokens"].mean(), abs=1e-6)
        spent = sum(cost["sampling_seconds"] for cost in costs)
        assert row["seconds_per_delivered"] == pytest.approx(spent / 18, abs=1e-6)
        fitting = [cost["fit_seconds"] for cost in costs]
        assert row["fit_seconds"] == pytest.approx(sum(fitting) / 2, abs=1e-6)


def test_labels_of_one_method_differ_by_their_settings_only(made_once: Path) -> None:
    info = {
        label: json.loads(
            (made_once / "cells" / label / "seed1" / "training_info.json").read_text()
        )
        for label in ("sft", "sft-fast")
    }
    assert (info["sft"]["steps"], info["sft-fast"]["steps"]) == (8, 2)  # 16 examples / 4 x 2
    assert info["sft"]["effective_batch"] == 4
    weights = [
        contents(made_once)[f"cells/{label}/seed{seed}/model/model.safetensors"]
        for label in info
        for seed in (1, 2)
    ]
    assert len(set(weights)) == 4
    data = {contents(made_once)[f"cells/{label}/seed1/train_examples.csv"] for label in info}
    assert len(data) == 1


def test_training_info_is_what_a_paper_needs(made_once: Path) -> None:
    info = json.loads((made_once / "cells" / "sft" / "seed1" / "training_info.json").read_text())
    assert info["settings"]["learning_rate"] == 2e-5
    assert (info["seed"], info["task"], info["model"], info["method"]) == (
        1,
        "small",
        "tiny",
        "sft",
    )
    assert (info["n_train"], info["n_validation"]) == (16, 8)
    assert info["trainable_parameters"] == 33_600
    assert {"precision", "train_loss", "eval_loss", "epochs", "seconds"} <= set(info)
    assert len([row for row in info["history"] if "loss" in row]) == info["steps"]
    cell = json.loads((made_once / "cells" / "sft" / "seed1" / "summary.json").read_text())
    assert {"torch", "transformers"} <= set(cell["environment"]["packages"])


def test_trained_folder_loads_without_equipoise(made_once: Path) -> None:
    folder = made_once / "cells" / "sft" / "seed1" / "model"
    assert AutoModelForCausalLM.from_pretrained(folder).num_parameters() == 33_600


@pytest.mark.usefixtures("no_model")
def test_second_run_computes_nothing(
    finished: Path, study_file: WriteStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(finished)
    result = Study.from_toml(study_file()).run(finished)
    assert contents(finished) == before
    assert result.computed == ()
    assert len(result.skipped) == 8
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_same_study_elsewhere_makes_the_same_bytes(
    made_once: Path, study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = Study.from_toml(study_file()).run(quiet=True)
    assert result.folder == Path("runs") / "tiny"
    assert len(measured(made_once)) > 30
    assert measured(result.folder) == measured(made_once)


@pytest.mark.slow
def test_methods_and_seeds_can_be_added(
    finished: Path, study_file: WriteStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(finished)
    path = study_file(
        ("seeds = [1, 2]", "seeds = [2, 3]"),
        ("[methods.prompt]", '[methods.again]\nuse = "prompt"\n[methods.prompt]'),
        (  # a method that is taken out
            '[methods.sft-fast]\nuse = "sft"\nn_per_subject = 8\nlearning_rate = 1e-2\n'
            "max_steps = 2\n",
            "",
        ),
    )
    result = Study.from_toml(path).run(finished)
    assert result.computed == (
        Cell("again", 2),
        Cell("again", 3),
        Cell("prompt", 3),
        Cell("prompt-balanced", 3),
        Cell("sft", 3),
    )
    after = contents(finished)
    changed = {name for name in before if after[name] != before[name]}
    without_rows = {"stereotype", "slopes"}  # the task has no axis
    tables = {f"results/{name}.csv" for name in TABLES if name not in without_rows}
    judged = {f"measures/fluency_base.{suffix}" for suffix in ("csv", "json")}
    assert changed == {"study.json", "results/manifest.json", *tables, *judged}
    table = pd.read_csv(finished / "results" / "compliance.csv")
    assert list(dict.fromkeys(table["method"])) == ["again", "prompt", "prompt-balanced", "sft"]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("tiny on CPU, ")
    done = [str(cell) for cell in result.computed]
    took = [line for line in lines[1:] if line.endswith(" s)")]
    assert [line.partition(":")[0] for line in took] == [*done, "fluency under tiny"]
    assert all("% balanced (" in line for line in took[:-1])


CHANGES = [
    ("samples_per_subject = 3", "samples_per_subject = 4", "study.samples_per_subject", "3", "4"),
    ("max_new_tokens = 12", "max_new_tokens = 13", "sampling.max_new_tokens", "12", "13"),
    ("max_new_tokens = 12", "top_p = 0.9", "sampling.top_p", "0.95", "0.9"),
    (
        "learning_rate = 1e-2",
        "learning_rate = 1e-3",
        "methods.sft-fast.learning_rate",
        "0.01",
        "0.001",
    ),
    (
        "[methods.prompt]",
        '[methods.prompt]\nuse = "prompt-balanced"',
        "methods.prompt.use",
        "'prompt'",
        "'prompt-balanced'",
    ),
    (
        "samples_per_subject = 3",
        'samples_per_subject = 3\ndtype = "float32"',
        "study.dtype",
        "None",
        "'float32'",
    ),
]


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(("old", "new", "field", "before", "after"), CHANGES)
def test_other_settings_are_refused(
    old: str, new: str, field: str, before: str, after: str, finished: Path, study_file: WriteStudy
) -> None:
    kept = contents(finished)
    study = Study.from_toml(study_file((old, new)))
    with pytest.raises(EquipoiseError) as caught:
        study.run(finished)
    assert str(caught.value) == (
        f"{finished}: {field}: this folder was made with {before}, the study now says {after}. "
        "Choose another folder with --out, or set it back."
    )
    assert contents(finished) == kept


@pytest.mark.usefixtures("no_model")
def test_another_task_file_or_model_of_the_same_name_is_refused(
    finished: Path, study_file: WriteStudy, tiny_lm: object, tmp_path: Path
) -> None:
    kept = contents(finished)
    path = study_file(task=(('"bold"', '"brave"'),))
    with pytest.raises(EquipoiseError, match=r"study\.task: its content is not that with which"):
        Study.from_toml(path).run(finished)
    other = tmp_path / "tiny"
    other.mkdir()
    (other / "config.json").write_text("{}")
    (other / "model.safetensors").write_bytes(b"")
    with pytest.raises(EquipoiseError, match=r"study\.model: its content is not that with which"):
        Study.from_toml(write_study(tmp_path / "second", other)).run(finished)
    assert contents(finished) == kept


@pytest.mark.slow
def test_settings_of_a_method_may_change_until_a_cell_of_it_is_finished(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ["study.seeds=[1]"]

    def fail(*_: object, **__: object) -> None:
        raise EquipoiseError("the training loss became nan", field="learning_rate")

    study = Study.from_toml(study_file(), only)
    with monkeypatch.context() as patch:
        patch.setattr("equipoise.training.train.train", fail)
        with pytest.raises(EquipoiseError, match="the training loss became nan"):
            study.run(tmp_path / "run", quiet=True)
    kept = contents(tmp_path / "run" / "cells" / "prompt" / "seed1")
    result = Study.from_toml(study_file(), [*only, "methods.sft.learning_rate=1e-6"]).run(
        tmp_path / "run", quiet=True
    )
    assert [cell.label for cell in result.computed] == ["sft", "sft-fast"]
    assert contents(tmp_path / "run" / "cells" / "prompt" / "seed1") == kept
    # What the failed cell left is of other settings: not used, not lost.
    left = tmp_path / "run" / "cells" / "sft" / ".seed1.other1"
    assert (left / "train_examples.csv").is_file()
    cell = Store(result.folder).cell_folder(Cell("sft", 1))
    assert json.loads((cell / "config.json").read_text())["settings"]["learning_rate"] == 1e-6


@pytest.mark.slow
def test_nul_bytes_that_a_model_draws(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from equipoise.model.draws import Draw

    drawn = [Draw(text, 3, True) for text in (" bold\0and kind.", ' "a,\rb"', "")]
    monkeypatch.setattr(
        "equipoise.methods.policy.sample", lambda lm, prompts, *_, **__: [drawn for _ in prompts]
    )
    study = Study.from_toml(study_file(), ["study.seeds=[1]"])
    frame = study.run(tmp_path / "run", quiet=True).evaluation.completions
    texts = frame[(frame["method"] == "prompt") & (frame["subject"] == "nurse")]["text"].tolist()
    assert texts == ["The nurse was bold\ufffdand kind.", 'The nurse was "a, b"', "The nurse was"]
