"""What models say of a study: stored, asked once, and never mixed up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from equipoise import EquipoiseError, Study
from equipoise.study.specification import read_specification
from equipoise.task.task_file import load_task
from gender_axis import gender_axis
from tiny_study import write_study

from .conftest import WriteStudy, contents

ONE = ["study.seeds=[1]"]
WOMEN = (
    ("[templates]", gender_axis({"doctor": 37.9, "pilot": 6.1, "nurse": 89.58}) + "\n[templates]"),
)
LAC = 'text,label\n"The doctor was bold.",1\n"The nurse was caring.",0\n'
WINOGENDER = ("[methods.prompt]", '[measures]\nwinogender = "shares.tsv"\n[methods.prompt]')
SHARES = "occupation\tbls_pct_female\nbaker\t5\nclerk\t70\n"


def results(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "results" / f"{name}.csv")


def test_summary_has_a_row_a_method(made_once: Path) -> None:
    table = results(made_once, "summary").set_index("method")
    assert table["control"].to_dict() == {
        "prompt": "none", "prompt-balanced": "none", "sft": "parametric", "sft-fast": "parametric",
    }  # fmt: skip
    assert table["n"].tolist() == [18] * 4
    assert table["trainable_parameters"].tolist() == [0, 0, 33_600, 33_600]
    assert (table["peak_gb"] > 0).all()
    assert (table["log_probability_base"] < 0).all()
    assert table["log_probability_independent"].isna().all()
    compliance = results(made_once, "compliance").set_index(["method", "split"])
    for method in table.index:
        for split in ("train", "validation"):
            assert table.loc[method, f"balanced_{split}"] == pytest.approx(
                compliance.loc[(method, split), "balanced_mean"]
            )
    costs = results(made_once, "cost").set_index("method")
    assert table["tokens_per_delivered"].to_dict() == costs["tokens_per_delivered"].to_dict()


def test_every_completion_has_its_fluency(made_once: Path) -> None:
    scores = pd.read_csv(made_once / "measures" / "fluency_base.csv", keep_default_na=False)
    cells = [pd.read_csv(p, keep_default_na=False) for p in made_once.rglob("completions.csv")]
    assert not scores.duplicated(["subject", "text"]).any(), "each sentence is scored once"
    texts = {(row.subject, row.text) for cell in cells for row in cell.itertuples()}
    assert {(row.subject, row.text) for row in scores.itertuples()} == texts
    table = results(made_once, "fluency")
    assert set(table["judge"]) == {"base"}
    assert (table[table["split"] == "all"]["n"] == 9).all()


def test_a_judge_that_cannot_be_had_is_found_before_any_cell(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_model: None
) -> None:
    def refuse(name: str, *, progress: bool) -> Path:
        raise EquipoiseError(f"'{name}' needs 1.8 GB while it is fetched, and 0.4 GB are free")

    monkeypatch.setattr("equipoise.study.measures.fetch", refuse)
    study = Study.from_toml(study_file(), [*ONE, 'measures.independent_model="gemma-3-270m"'])
    with pytest.raises(EquipoiseError, match=r"'gemma-3-270m' needs 1\.8 GB"):
        study.run(tmp_path / "run", quiet=True)
    assert not list((tmp_path / "run").rglob("completions.csv"))


def answers(run: Path, part: str) -> dict[str, bytes]:
    """What models have said to a part of what they are asked, by whom it is of."""
    paths = (run / "measures").glob(f"{part}_*.csv")
    return {path.stem.removeprefix(f"{part}_"): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_every_model_is_asked_once_what_it_associates(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import equipoise.study.model_measures as module

    calls: list[int] = []
    measure = module.association_table

    def counting(*arguments: object) -> pd.DataFrame:
        calls.append(1)
        return measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "association_table", counting)
    study = Study.from_toml(study_file(task=WOMEN), ONE)
    run = study.run(tmp_path / "run", quiet=True).folder
    assert len(calls) == 3  # once for both prompts, once for each tuned model
    found = answers(run, "association")
    assert set(found) == {"base", "sft_seed1", "sft-fast_seed1"}
    assert found["sft-fast_seed1"] != found["base"]
    table = results(run, "stereotype").set_index(["method", "measure"])
    assert table.loc[("prompt", "association_unfitted"), "occupations"].tolist() == [3, 3]
    summary = results(run, "summary").set_index("method")
    pooled = table[table["seed"].isna()].loc[("sft-fast", "association_unfitted")]
    assert summary.loc["sft-fast", "stereotype_slope"] == pytest.approx(pooled["slope"], abs=1e-6)
    before = contents(run)
    study.run(run, quiet=True)
    assert len(calls) == 3
    assert contents(run) == before


def test_what_is_said_without_listed_terms_is_drawn_once_a_model_and_question(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import equipoise.study.model_measures as module

    calls: list[int] = []
    measure = module.without_listed_table

    def counting(*arguments: object) -> pd.DataFrame:
        calls.append(1)
        return measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "without_listed_table", counting)
    after = (
        '[methods.again]\nuse = "prompt"\n[methods.filter]\nmax_draws = 3\n'
        '[methods.asked]\nuse = "prompt"\ninit_from = "sft-fast"\n[methods.sft]'
    )
    path = write_study(
        tmp_path / "files", tiny_model_folder, ("[methods.sft]", after), without_listed=4
    )
    only = (*ONE, "methods.sft.max_steps=1")
    run = Study.from_toml(path, only).run(tmp_path / "run", quiet=True).folder
    # prompt, prompt-balanced, sft, sft-fast; "again", "filter" and "asked" ask the same of the same
    assert len(calls) == 4
    found = answers(run, "without_listed")
    assert set(found) == {
        "prompt_seed1_of_base",
        "prompt-balanced_seed1_of_base",
        "prompt_seed1_of_sft_seed1",
        "prompt_seed1_of_sft-fast_seed1",
    }
    assert len(set(found.values())) == 4
    table = results(run, "unseen").set_index(["method", "split"])
    of_all = table.xs("all", level="split")
    assert set(of_all.index) == {
        *("prompt", "prompt-balanced", "again", "filter", "asked", "sft", "sft-fast")
    }
    assert set(of_all["without_listed"]) == {12}
    rates = of_all[["without_listed_held_out", "without_listed_wide", "without_listed_in_range"]]
    pd.testing.assert_series_equal(rates.loc["asked"], rates.loc["sft-fast"], check_names=False)
    more = Study.from_toml(path, (*only, "study.seeds=[1,2]")).run(run, quiet=True)
    assert len(calls) == 6, "a seed that is added has two more models, and asks no other question"
    assert len(more.computed) == 7
    fewer = Study.from_toml(path, (*only, "measures.without_listed=2")).run(run, quiet=True)
    assert not fewer.computed, "no completion depends on it"
    assert len(calls) == 10
    assert set(results(run, "unseen").query("split == 'all'")["without_listed"]) == {6}


def test_preference_for_unseen_sentences_is_asked_of_every_model(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    plain = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]'
    texts = [f"The {{subject}} was {{agentic}} and {{communal}} {n} times." for n in range(10)]
    kind = 'listed = ["kind", "honest", "good with people"]'
    task = ((plain, f"plain = {texts!r}"), (kind, f'{kind}\nheld_out = ["warm", "gentle"]'))
    path = write_study(tmp_path / "files", tiny_model_folder, task=task)
    only = (*ONE, "methods.sft.max_steps=1")
    run = Study.from_toml(path, only).run(tmp_path / "run", quiet=True).folder
    found = answers(run, "held_out_preference")
    assert set(found) == {"base", "sft_seed1", "sft-fast_seed1"}
    assert found["base"] != found["sft-fast_seed1"]
    table = results(run, "unseen")
    assert (table["pairs"] > 0).all()
    prompt = table.loc[table["method"] == "prompt", "held_out_preference"]
    assert set(table["held_out_preference_untuned"]) == set(prompt)
    summary = results(run, "summary").set_index("method")
    assert summary["held_out_preference"].between(0, 1).all()
    assert summary["without_listed_wide"].isna().all()


def test_what_draws_by_the_listed_terms_has_no_model_without_them(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    added = "[methods.ctrlg]\nhidden_states = 4\nn_samples = 20\n[methods.prompt-balanced]"
    path = write_study(
        tmp_path / "files",
        tiny_model_folder,
        ("[methods.prompt-balanced]", added),
        ("max_new_tokens = 12", "max_new_tokens = 30"),
        without_listed=2,
    )
    text = path.read_text("utf-8").partition("[methods.sft]")
    path.write_text(text[0] + "[measures]" + text[2].partition("[measures]")[2], encoding="utf-8")
    run = Study.from_toml(path, ONE).run(tmp_path / "run", quiet=True).folder
    summary = results(run, "summary").set_index("method")
    assert summary["without_listed_in_range"].notna().to_dict() == {
        "prompt": True,
        "ctrlg": False,
        "prompt-balanced": True,
    }


def write_data(study: Path) -> None:
    lac = study.parent / "lac"
    lac.mkdir(exist_ok=True)
    for name in ("train", "validation"):
        (lac / f"{name}.csv").write_text(LAC)
    (study.parent / "shares.tsv").write_text(SHARES)


MEASURES = '[measures]\nlac = "lac"\nwinogender = "shares.tsv"\nindependent_model = "MODEL"\n'


@pytest.mark.slow
def test_everything_that_can_be_asked(
    study_file: WriteStudy, tiny_model_folder: Path, tmp_path: Path
) -> None:
    asked = MEASURES.replace("MODEL", str(tiny_model_folder)) + "[methods.prompt]"
    path = study_file(("[methods.prompt]", asked), task=WOMEN)
    write_data(path)
    run = Study.from_toml(path, ONE).run(tmp_path / "run", quiet=True).folder
    assert set(results(run, "fluency")["judge"]) == {"base", "independent"}
    assert results(run, "summary")["log_probability_independent"].notna().all()
    stereotype = results(run, "stereotype").set_index(["method", "measure"])
    assert stereotype.loc[("sft", "agency"), "mean"].between(0, 1).all()
    # Two of the file and the three subjects: fewer than ten are outside the training data.
    assert (stereotype.loc[("sft", "association_unfitted"), "occupations"] == 5).all()
    assert (stereotype.loc[("sft", "association_fitted"), "occupations"] == 3).all()
    record = json.loads((run / "measures" / "agency.json").read_text())
    assert 0 <= record["validation_accuracy"] <= 1
    outcomes = {"log_probability_base", "log_probability_independent", "agency"}
    assert outcomes <= set(results(run, "comparisons")["outcome"])
    assert outcomes <= set(results(run, "intervals")["outcome"])
    before = contents(run)
    again = Study.from_toml(path, ONE).run(run, quiet=True)
    assert not again.computed
    assert contents(run) == before


def test_another_judge_needs_no_cell_anew(
    finished: Path, study_file: WriteStudy, tiny_model_folder: Path
) -> None:
    before = contents(finished)
    asked = f'[measures]\nindependent_model = "{tiny_model_folder}"\n[methods.prompt]'
    result = Study.from_toml(study_file(("[methods.prompt]", asked))).run(finished, quiet=True)
    assert not result.computed
    after = contents(finished)
    changed = {name for name in after if after[name] != before.get(name)}
    judged = {f"measures/fluency_independent.{suffix}" for suffix in ("csv", "json")}
    names = ("fluency.csv", "summary.csv", "comparisons.csv", "intervals.csv", "manifest.json")
    tables = {f"results/{name}" for name in names}
    assert changed == judged | tables


@pytest.mark.parametrize("fault", ["broken", "gone", "gone, named as on a Hub"])
@pytest.mark.slow
def test_a_judge_that_is_broken_or_gone_leaves_the_tables_as_they_were(
    finished: Path,
    study_file: WriteStudy,
    tiny_model_folder: Path,
    tmp_path: Path,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "judges/mine" if "Hub" in fault else str(tmp_path / "judges" / "mine")
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "judges" / "mine"))
    asked = f'[measures]\nindependent_model = "{name}"\n[methods.prompt]'
    path = study_file(("[methods.prompt]", asked))
    Study.from_toml(path).run(finished, quiet=True)
    before = contents(finished)
    if fault == "broken":
        (folder / "model.safetensors").write_bytes(b"no weights")
    else:
        shutil.rmtree(folder)
    with pytest.raises(EquipoiseError) as caught:
        Study.from_toml(path).run(finished, quiet=True)
    assert "mine'" in str(caught.value)
    assert caught.value.hint
    now = contents(finished)
    assert {name: now.get(name) for name in before} == before
    assert now.keys() - before.keys() <= {".work/tables.lock"}
    shutil.copytree(tiny_model_folder, folder, dirs_exist_ok=True)
    assert not Study.from_toml(path).run(finished, quiet=True).computed
    assert contents(finished) == before


@pytest.mark.usefixtures("no_model")
def test_without_fluency_no_model_is_asked(finished: Path, study_file: WriteStudy) -> None:
    path = study_file(("[methods.prompt]", "[measures]\nfluency = false\n[methods.prompt]"))
    result = Study.from_toml(path).run(finished, quiet=True)
    assert result.evaluation.fluency is None


def test_scores_that_were_damaged_are_computed_again(
    finished: Path, study_file: WriteStudy
) -> None:
    scores = finished / "measures" / "fluency_base.csv"
    kept = scores.read_bytes()
    scores.write_bytes(kept.replace(b"-1", b"-2", 1) if b"-1" in kept else kept[:-9])
    Study.from_toml(study_file()).run(finished, quiet=True)
    assert scores.read_bytes() == kept
    (finished / "measures" / "fluency_base.json").write_text("{}")
    Study.from_toml(study_file()).run(finished, quiet=True)
    assert scores.read_bytes() == kept


def test_other_occupations_need_no_cell_anew(study_file: WriteStudy, tmp_path: Path) -> None:
    plain = ("[methods.prompt]", "[measures]\nfluency = false\n[methods.prompt]")
    few = [*ONE, "study.samples_per_subject=1"]
    run = tmp_path / "run"
    Study.from_toml(study_file(plain, task=WOMEN), few).run(run, quiet=True)
    before = answers(run, "association")
    path = study_file(WINOGENDER, task=WOMEN)
    write_data(path)
    assert not Study.from_toml(path, few).run(run, quiet=True).computed
    after = answers(run, "association")
    assert after.keys() == before.keys()
    assert all(len(after[model]) > len(before[model]) for model in after)


@pytest.mark.usefixtures("no_model")
def test_winogender_is_for_an_axis_of_gender(study_file: WriteStudy) -> None:
    path = study_file(WINOGENDER)
    write_data(path)
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path)
    assert str(caught.value) == (
        f"{path}: measures.winogender: Winogender's percentages are of women, and task 'small' has "
        "no axis. Leave it out, or choose a task whose axis is gender."
    )
    with pytest.raises(EquipoiseError, match="task 'age' has shares of people over sixty"):
        read_specification(path, ['study.task="age"'])
    (path.parent / "shares.tsv").write_text(SHARES.replace("baker", "welder"))
    with pytest.raises(EquipoiseError, match="methods may be fitted on 'welder', which"):
        read_specification(study_file(WINOGENDER, task=WOMEN))


def test_an_axis_without_words_for_it_has_no_association(
    study_file: WriteStudy, tmp_path: Path
) -> None:
    axis = '[axis]\nname = "age"\npoles = ["young", "old"]\nshare = "pensioners"\n'
    shares = "[axis.shares]\ndoctor = 40\npilot = 30\nnurse = 20\n[templates]"
    only = ["study.samples_per_subject=1", *ONE]
    path = study_file(task=(("[templates]", axis + shares),))
    result = Study.from_toml(path, only).run(tmp_path / "run", quiet=True)
    assert not list((tmp_path / "run").rglob("association*.csv"))
    assert (
        "The axis of task 'small' has no unfitted probes: no association is measured."
        in result.evaluation.remarks
    )
    table = results(tmp_path / "run", "stereotype")
    assert table.empty
    assert {"measure", "method", "seed", "slope"} <= set(table.columns)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("fluent = true", "measures.fluent: unknown setting. Did you mean 'fluency'?"),
        ("fluency = 1", "measures.fluency: input should be a valid boolean, got 1."),
        (
            'lac = "none"',
            "measures.lac: there is no 'none' beside the study file or in the current",
        ),
        ('winogender = "none.tsv"', "measures.winogender: there is no 'none.tsv' beside"),
        ('winogender = "small.toml"', "has no columns 'occupation' and 'bls_pct_female'"),
        ('reference_model = "x"', "measures.reference_model: unknown model 'x'."),
        ('independent_model = "gemma-3-270"', "Did you mean 'gemma-3-270m'?"),
    ],
)
def test_mistakes(study_file: WriteStudy, setting: str, message: str) -> None:
    path = study_file(("[methods.prompt]", f"[measures]\n{setting}\n[methods.prompt]"))
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path)
    assert message in str(caught.value)


@pytest.mark.usefixtures("no_model")
def test_measures_that_are_no_table(study_file: WriteStudy) -> None:
    path = study_file(("[study]", "measures = 1\n[study]"))
    with pytest.raises(EquipoiseError, match="measures: not a table"):
        read_specification(path)


def test_the_built_in_task_gives_the_share_of_women_of_all() -> None:
    assert len(load_task("occupations").shares) == 20
