"""What each command prints and writes when all is well; with a tiny model."""

import csv
import json
import sys
import warnings
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from equipoise.errors import EquipoiseError
from equipoise.model.registry import known_models
from equipoise.task.task_file import load_task


def _rows(path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_run_shows_table_paths_and_what_was_skipped(equipoise, study_file, tiny_model_folder):
    first = equipoise("run", study_file)
    assert first.code == 0, first.err
    assert first.out.startswith("Balanced completions, of all that were asked for\n")
    assert "\nWhat else changed\n" in first.out
    assert [line.split()[0] for line in first.out.splitlines()[4:6]] == ["prompt", "sft"]
    assert f"{tiny_model_folder.name} on CPU" in first.err
    for name in ("summary.csv", "by_seed.csv", "compliance.csv", "cost.csv", "comparisons.csv"):
        assert f"  runs/small/results/{name}" in first.err.splitlines()
        assert Path("runs/small/results", name).is_file()
    assert "done already" not in first.err
    assert "\x1b" not in first.out + first.err, "colours without a terminal"
    assert "\r" not in first.err, "bars without a terminal"

    second = equipoise("run", study_file)
    assert (second.code, second.out) == (0, first.out)
    remarks, done, after = second.err.partition(
        "Nothing was to do: all 4 cells were done already.\n"
    )
    assert done
    assert "\nThe unfitted association is of all 3 subjects" in f"\n{remarks}"
    assert after.startswith("Written:\n")

    third = equipoise("run", study_file, "--set", "study.seeds=[1, 2, 3]")
    assert "4 of 6 cells were done already." in third.err.splitlines()

    quiet = equipoise("run", study_file, "--quiet", "--out", "runs/small")
    assert (quiet.code, quiet.out, quiet.err) == (0, first.out, remarks)


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_run_names_the_setting_in_which_a_folder_differs(equipoise, study_file):
    assert equipoise("run", study_file, "--set", "methods.sft.max_steps=2").code == 0
    outcome = equipoise("run", study_file)
    assert outcome.code == 1
    assert "max_steps" in outcome.err
    assert outcome.err.startswith("Error: runs/small: ")


@pytest.mark.slow
def test_train_then_generate_then_evaluate(equipoise, tiny_model_folder):
    settings = ("--set", "n_per_subject=1", "--set", "max_steps=1")
    training = ("train", "sft", "--model", tiny_model_folder, "--seed", "7", *settings)
    first = equipoise(*training)
    assert first.code == 0, first.err
    folder = Path("trained/sft_seed7")
    written = {"train_examples.csv", "val_examples.csv", "dataset_stats.json", "logs", "model"}
    assert written | {"training_info.json"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "checkpoints").exists()
    info = json.loads((folder / "training_info.json").read_text())
    assert (info["seed"], info["settings"]["max_steps"]) == (7, 1)

    again = equipoise(*training)
    message = f"Nothing was to do: the training in {folder} is done already.\n"
    assert (again.code, again.err) == (0, message)

    options = ("--subjects", "nurse, doctor", "-n", "3", "--max-new-tokens", "5")
    drawing = ("generate", "--model", folder / "model", *options)
    assert equipoise(*drawing, "--out", "new/tuned.csv").code == 0
    rows = _rows("new/tuned.csv")
    assert [row["subject"] for row in rows] == ["nurse"] * 3 + ["doctor"] * 3
    assert {row["method"] for row in rows} == {"tuned"}
    assert all(row["text"].startswith(f"The {row['subject']} was") for row in rows)
    assert all(1 <= int(row["tokens"]) <= 5 for row in rows)

    equipoise(*drawing, "--out", "new/again.csv")
    assert [row["text"] for row in _rows("new/again.csv")] == [row["text"] for row in rows]

    scores = ("evaluate", "new/tuned.csv", "--training", folder / "train_examples.csv")
    outcome = equipoise(*scores, "--out", "scores")
    assert outcome.code == 0, outcome.err
    assert "6 completions; one seed (42), so no ±" in outcome.out
    assert {row["verbatim"] for row in _rows("scores/scored.csv")} == {"False"}
    [overall] = [row for row in _rows("scores/compliance.csv") if row["split"] == "all"]
    assert (overall["method"], overall["n"]) == ("tuned", "6")
    assert len(_rows("scores/by_seed.csv")) == 2  # train and all
    assert "scores/summary.csv: exists already" in equipoise(*scores, "--out", "scores").err
    assert equipoise(*scores, "--out", "scores", "--force").code == 0
    AutoModelForCausalLM.from_pretrained(folder / "model")


def test_generate_asks_on_the_day_that_is_said(equipoise, tiny_model_folder):
    Path("drawn").mkdir()
    drawing = (
        "generate",
        "--model",
        tiny_model_folder,
        "--subjects",
        "nurse",
        "-n",
        "1",
        "--quiet",
    )
    outcome = equipoise(*drawing, "--day", "2020-02-03", "--out", "drawn/then.csv")
    assert outcome.code == 0, outcome.err
    record = json.loads(Path("drawn/then.record.json").read_text())
    assert record["context"]["day"] == "2020-02-03"


def test_evaluate_shows_remarks_and_disarms_hostile_names(equipoise):
    Path("c.csv").write_text(
        "Model,Occupation,Output\n"
        "\x1b[31m[red]evil[/red],doctor,The doctor was bold and caring.\n"
        "\x1b[31m[red]evil[/red],doctor,\n"
    )
    outcome = equipoise("evaluate", "c.csv")
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err
    assert "?[31m[red]evil[/red]" in outcome.out
    assert "50.0 %" in outcome.out
    assert outcome.out.endswith("Empty texts, counted as neither: 1 of 2.\n")


def test_evaluate_gives_all_of_it_without_a_study(equipoise, tiny_model_folder):
    lac = "text,label\nThe doctor was bold.,1\nThe nurse was caring.,0\n"
    Path("lac").mkdir()
    for name in ("train", "validation"):
        Path("lac", f"{name}.csv").write_text(lac)
    Path("c.csv").write_text(
        "occupation,text\n"
        "doctor,The doctor was bold and caring when he treated people.\n"
        "nurse,The nurse was warm.\nplumber,\nteacher,The teacher was\n"
    )
    outcome = equipoise("evaluate", "c.csv", "--out", "o")
    assert outcome.code == 0, outcome.err
    assert "What else changed" in outcome.out
    names = {path.name for path in Path("o").iterdir()}
    tables = {"summary", "by_seed", "compliance", "diversity", "stereotype", "slopes", "terms"}
    tables |= {"scored", "comparisons", "intervals", "wilson", "consistency"}
    assert "Tests of" not in outcome.out  # one method
    assert _rows("o/comparisons.csv") == []
    assert names == {f"{name}.csv" for name in tables}
    assert len(_rows("o/terms.csv")) == 4 * 42

    models = ("--reference-model", tiny_model_folder, "--independent-model", tiny_model_folder)
    outcome = equipoise("evaluate", "c.csv", *models, "--lac", "lac", "--out", "all")
    assert outcome.code == 0, outcome.err
    rows = [row for row in _rows("all/fluency.csv") if row["split"] == "all"]
    assert [row["judge"] for row in rows] == ["base", "independent"]
    assert [row["empty"] for row in rows] == ["2", "2"]
    assert [row["unprefixed"] for row in rows] == ["1", "1"]  # the empty text
    measures = {row["measure"] for row in _rows("all/stereotype.csv")}
    assert measures == {"terms", "pronouns", "feminine_pronouns", "masculine_pronouns", "agency"}
    scores = ("log_probability_base", "log_probability_independent", "agency")
    for name in scores:
        values = [row[name] for row in _rows("all/scored.csv")]
        assert [bool(value) for value in values] == [True, True, False, name == "agency"]
        assert name in {row["outcome"] for row in _rows("all/intervals.csv")}
    assert "right on 100.0 % of LAC's 2 validation" in outcome.out
    assert "Texts that are empty or of one token, without an agency: 1 of 4." in outcome.out
    assert "all/summary.csv: exists already" in equipoise(
        "evaluate", "c.csv", *models, "--out", "all"
    ).err  # fmt: skip


def test_evaluate_tests_several_methods(equipoise):
    texts = ("The doctor was bold and caring.", "The doctor was bold and tall.")
    lines = [f"{m},{s},doctor,{texts[i > k]}" for m, k in (("a", 1), ("b", 7)) for s in (1, 2)
             for i in range(10)]  # fmt: skip
    Path("c.csv").write_text("\n".join(["model,seed,subject,text", *lines]) + "\n")
    told = equipoise("evaluate", "c.csv").out
    assert told.endswith(
        "Tests of the 2 methods against each other: comparisons.csv, with --out DIR.\n"
    )
    options = ("--subjects", "fixed", "--alpha", "0.02", "--margin", "1", "--out", "o")
    outcome = equipoise("evaluate", "c.csv", *options)
    assert outcome.out.endswith("against each other: see comparisons.csv.\n")
    row = next(row for row in _rows("o/comparisons.csv") if row["outcome"] == "balanced")
    assert row["verdict"] == (
        "b is higher than a, but by less than 100 points. For new seeds with these subjects."
    )
    wrong = equipoise("evaluate", "c.csv", "--alpha", "0.7")
    assert (wrong.code, wrong.out) == (1, "")
    assert "--alpha: input should be less than 0.5, got 0.7." in wrong.err


def test_evaluate_with_prefix_and_columns_named(equipoise):
    Path("c.csv").write_text("who,what\ndoctor,bold and caring.\n")
    options = ("--text-column", "what", "--subject-column", "who", "--out", "o")
    assert equipoise("evaluate", "c.csv", *options, "--prefix", "add").code == 0
    assert _rows("o/scored.csv")[0]["text"] == "The doctor was bold and caring."


@pytest.mark.parametrize(("split", "n_subjects"), [("train", 15), ("validation", 5)])
def test_data_writes_sentences_and_their_statistics(split, n_subjects, equipoise):
    outcome = equipoise("data", "-n", "3", "--split", split, "--out", "d.csv", "--seed", "1")
    assert outcome.err == "Written:\n  d.csv\n  d_dataset_stats.json\n"
    rows = _rows("d.csv")
    constraint = load_task("occupations").constraint
    assert len(rows) == 3 * n_subjects
    assert all(constraint.check(row["text"]).satisfied for row in rows)
    statistics = json.loads(Path("d_dataset_stats.json").read_text())
    assert statistics[split]["sentences"] == 3 * n_subjects
    assert statistics[split]["balance_rate"] == 1

    equipoise("data", "-n", "3", "--split", split, "--out", "d.jsonl", "--seed", "1", "--force")
    lines = [json.loads(line) for line in Path("d.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == [row["text"] for row in rows]


def test_task_commands(equipoise, task_text):
    Path("my.toml").write_text(task_text)
    check = equipoise("task", "check", "my.toml", "--samples", "1")
    assert (check.code, check.err) == (0, "my.toml is in order.\n")
    assert "agentic: 3 listed, 2 held-out terms" in check.out
    assert "  train: The doctor was " in check.out
    shown = equipoise("task", "show", "my.toml").out.splitlines()
    assert "  listed: bold, ambitious, self-reliant" in shown
    assert "  all of: {agentic}, {communal}" in shown
    assert "  nurse: validation" in shown
    listed = equipoise("task", "list").out.splitlines()
    assert [line.partition(":")[0] for line in listed] == ["age", "occupations"]
    sentence = "The doctor was bold and kind with colleagues. Or active."
    explained = equipoise("task", "explain", sentence, "--task", "my.toml")
    assert explained.out.splitlines() == [
        "'The doctor was bold and kind with colleagues.'",
        "ok     all_of {agentic}: 'bold' at 15-19",
        "ok     all_of {communal}: 'kind' at 24-28",
        "ok     words: 8, wanted 6 to 11",
    ]
    assert explained.err == "Only the first sentence is judged.\n"
    failed = equipoise("task", "explain", sentence, "--task", "my.toml", "--terms", "held_out")
    assert "FAILED all_of {agentic}: absent" in failed.out


def test_models_says_licence_size_and_what_is_not_fetched(equipoise, tmp_path, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/models/gemma-3-270m").mkdir(parents=True)
    outcome = equipoise("models")
    assert outcome.code == 0
    for card in known_models():
        assert card.name in outcome.out.splitlines()
        assert f"licence: {card.licence}" in outcome.out
        assert f"{card.size_bytes / 1e6:.0f} MB" in outcome.out
    assert "  not fetched yet, 93 MB to download" in outcome.out.splitlines()
    assert "to be fetched again (its manifest.json is missing or damaged), 238 MB" in outcome.out


def test_models_fetch_prints_the_folder(equipoise, monkeypatch):
    monkeypatch.setattr("equipoise.model.embedded.fetch", lambda name: Path("/cache") / name)
    assert equipoise("models", "fetch", "gemma-3-270m").out == "/cache/gemma-3-270m\n"


def test_unexpected_errors_are_one_line_and_a_traceback_with_debug(equipoise, monkeypatch):
    def explode() -> None:
        raise ZeroDivisionError("of all things\nand more")

    monkeypatch.setattr("equipoise.task.task_file.builtin_tasks", explode)
    outcome = equipoise("task", "list")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        "Error: ZeroDivisionError: of all things. This is not expected: run again with --debug "
        "and report what it shows.\n"
    )
    for line in (["--debug", "task", "list"], ["task", "list", "--debug"]):
        debug = equipoise(*line)
        assert debug.code == 1
        assert "Traceback (most recent call last)" in debug.err


def test_errors_with_hostile_names_are_disarmed(equipoise):
    outcome = equipoise("run", "\x1b]0;evil\x07[bold]\u202efile\udcff.toml")
    assert outcome.err == "Error: ?]0;evil?[bold]?file?.toml: no such file. Check the path.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_output_that_cannot_be_printed(start):
    process = start("task", "show")
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=60) == (None, "")
    assert process.returncode == 1
    with open("/dev/full", "w") as full:  # noqa: PTH123
        process = start("task", "show", stdout=full)
        assert "Error: No space left on device." in process.communicate(timeout=60)[1]
        assert process.returncode == 1


@pytest.mark.parametrize("command", ["generate --out x.csv", "train sft --out x"])
def test_code_of_a_model_is_run_only_when_asked_for_and_with_a_warning(
    command, equipoise, monkeypatch
):
    asked = []

    def load(name, *, trust_remote_code=False, **options):
        asked.append(trust_remote_code)
        raise EquipoiseError("stop here")

    monkeypatch.setattr("equipoise.model.loading.load_model", load)
    assert "Warning" not in equipoise(*command.split()).err
    with warnings.catch_warnings():
        warned = equipoise(*command.split(), "--trust-remote-code").err
    assert asked == [False, True]
    assert "may run Python code of its authors" in warned
