"""What a study file may say, and what each mistake in it is answered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise import EquipoiseError, Study
from equipoise.methods.registry import METHODS
from equipoise.runs.cell import Cell
from equipoise.statistics import StatisticsSettings
from equipoise.study.specification import read_specification
from tiny_study import write_study

from .conftest import WriteStudy

pytestmark = pytest.mark.usefixtures("no_model")

NAME_HINT = "Use letters, digits, '_', '-' and single dots."
MODEL_HINT = "A local folder or a Hub id 'owner/name' works too."
SEEDS = "seeds = [1, 2]"
COUNT = "samples_per_subject = 3"
RATE = "learning_rate = 1e-2"


def test_what_a_study_file_says(study_file: WriteStudy) -> None:
    found = read_specification(study_file())
    assert found.study.name == "tiny"
    assert found.study.seeds == (1, 2)
    assert found.task.name == "small"
    assert found.sampling.max_new_tokens == 12
    assert {label: method.name for label, method in found.methods.items()} == {
        "prompt": "prompt",
        "prompt-balanced": "prompt-balanced",
        "sft": "sft",
        "sft-fast": "sft",
    }
    assert found.methods["sft"].settings.learning_rate == 2e-5
    assert found.methods["sft-fast"].settings.learning_rate == 1e-2
    assert found.statistics == StatisticsSettings()
    assert found.cells()[:3] == [Cell("prompt", 1), Cell("prompt", 2), Cell("prompt-balanced", 1)]


def test_defaults_are_the_protocols(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('[study]\nname = "least"\n[methods.prompt]\n')
    found = read_specification(path)
    assert found.task.name == "occupations"
    assert found.study.model == "smollm2-135m-instruct"
    assert found.study.seeds == (42, 123, 456)
    assert found.study.samples_per_subject == 250
    assert (found.sampling.temperature, found.sampling.top_p) == (1.0, 0.95)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # tables and settings
        (
            "[sampling]",
            "[smapling]",
            "smapling: unknown table [smapling]. Did you mean 'sampling'?",
        ),
        (SEEDS, "sed = [1]", "study.sed: unknown setting. Did you mean 'seeds'?"),
        (
            "max_new_tokens",
            "max_new_token",
            "sampling.max_new_token: unknown setting. Did you mean 'max_new_tokens'?",
        ),
        (
            RATE,
            "learning_rat = 1",
            "methods.sft-fast.learning_rat: unknown setting. Did you mean 'learning_rate'?",
        ),
        ("[study]", "[[study]]", "study: not a table. Write [study] above its settings."),
        (
            "[study]",
            "statistics = 1\n[study]",
            "statistics: not a table. Write [statistics] above its settings.",
        ),
        (
            "[sampling]",
            "[statistics]\nalpha = 5\n[sampling]",
            "statistics.alpha: input should be less than 0.5, got 5.",
        ),
        (
            "[sampling]",
            '[statistics]\nsubjects = "all"\n[sampling]',
            "statistics.subjects: input should be 'sampled' or 'fixed', got 'all'. "
            "Valid: fixed, sampled.",
        ),
        (
            "[sampling]",
            "[statistics]\nmargins = 0.1\n[sampling]",
            "statistics.margins: unknown setting. Did you mean 'margin'?",
        ),
        # seeds
        (SEEDS, 'seeds = ["42"]', "study.seeds.0: input should be a valid integer, got '42'."),
        (SEEDS, "seeds = [true]", "study.seeds.0: input should be a valid integer, got True."),
        (SEEDS, "seeds = [1.0]", "study.seeds.0: input should be a valid integer, got 1.0."),
        (
            SEEDS,
            "seeds = [-1]",
            "study.seeds.0: input should be greater than or equal to 0, got -1.",
        ),
        (
            SEEDS,
            "seeds = [4294967296]",
            "study.seeds.0: input should be less than 4294967296, got 4294967296.",
        ),
        (SEEDS, "seeds = 42", "study.seeds: input should be a list, got 42."),
        (SEEDS, "seeds = []", "study.seeds: no seed is named. Name at least one."),
        (SEEDS, "seeds = [1, 2, 1]", "study.seeds: seed 1 stands twice. Name it once."),
        # numbers
        (
            COUNT,
            'samples_per_subject = "3"',
            "study.samples_per_subject: input should be a valid integer, got '3'.",
        ),
        (
            COUNT,
            "samples_per_subject = 0",
            "study.samples_per_subject: input should be greater than or equal to 1, got 0.",
        ),
        (
            "max_new_tokens = 12",
            "top_p = 0",
            "sampling.top_p: input should be greater than 0, got 0.",
        ),
        (
            "max_new_tokens = 12",
            "temperature = nan",
            "sampling.temperature: input should be a finite number, got nan.",
        ),
        (
            RATE,
            'learning_rate = "1e-2"',
            "methods.sft-fast.learning_rate: input should be a valid number, got '1e-2'.",
        ),
        (
            RATE,
            "learning_rate = inf",
            "methods.sft-fast.learning_rate: input should be a finite number, got inf.",
        ),
        (RATE, "lora = 1", "methods.sft-fast.lora: input should be a valid boolean, got 1."),
        # names
        ('name = "tiny"\n', "", "study.name: missing. Add it."),
        ('"tiny"', "3", "study.name: input should be a valid string, got 3."),
        ('"tiny"', '"a/b"', f"study.name: 'a/b' cannot be the name of a folder. {NAME_HINT}"),
        ('"tiny"', '".."', f"study.name: '..' cannot be the name of a folder. {NAME_HINT}"),
        (
            '"tiny"',
            f'"{"n" * 101}"',
            f"study.name: '{'n' * 40}...' is 101 characters long. Use at most 100.",
        ),
        # task, model, device
        (
            '"small.toml"',
            '"ocupations"',
            "study.task: there is no built-in task 'ocupations'. Did you mean 'occupations'? "
            "Your own task is named by a path in .toml.",
        ),
        (
            '"small.toml"',
            '"none.toml"',
            "study.task: there is no file 'none.toml' beside the study file or in the current "
            "folder. Check the path.",
        ),
        (
            COUNT,
            'device = "gpu"',
            "study.device: unknown device 'gpu'. Did you mean 'cpu'?",
        ),
        (
            COUNT,
            'device = "cpu"\ndtype = "bf16"',
            "study.dtype: unknown dtype 'bf16'. Did you mean 'bfloat16'?",
        ),
        # methods
        (
            "[methods.sft]",
            "[methods.stf]",
            "methods.stf: there is no method 'stf'. Did you mean 'sft'?",
        ),
        (
            'use = "sft"',
            'use = "STF"',
            "methods.sft-fast.use: there is no method 'STF'. Did you mean 'sft'?",
        ),
        (
            'use = "sft"',
            "use = 3",
            f"methods.sft-fast.use: 3 is not a method's name. Valid: {', '.join(sorted(METHODS))}.",
        ),
        (
            "[methods.prompt]",
            '[methods."a/b"]',
            f"methods: 'a/b' cannot be the name of a folder. {NAME_HINT}",
        ),
        (
            "[methods.prompt]",
            '[methods.".."]',
            f"methods: '..' cannot be the name of a folder. {NAME_HINT}",
        ),
        (
            "[methods.prompt]",
            f"[methods.{'n' * 101}]",
            f"methods: '{'n' * 40}...' is 101 characters long. Use at most 100.",
        ),
        (
            "[methods.prompt]",
            '[methods.SFT]\nuse = "sft"',
            "methods: 'sft' differs from another label in case only. "
            "Some file systems cannot tell them apart: rename one.",
        ),
        (
            "[methods.prompt]",
            "[methods]\nprompt = 3",
            "methods.prompt: not a table. Write [methods.prompt] above its settings.",
        ),
        (
            "[methods.prompt]",
            '[methods.prompt]\nprompt = "balancd"',
            "methods.prompt.prompt: task 'small' has no prompt 'balancd'. "
            "Did you mean 'balanced'? Or add it to the task's [prompts].",
        ),
        (
            f"n_per_subject = 8\n{RATE}",
            "n_per_subject = 10",
            "methods.sft-fast.n_per_subject: task 'small' yields 9 distinct sentences about "
            "'doctor', 10 are asked for. Ask for at most 9 a subject, or add templates, contexts "
            "or terms.",
        ),
        # the file itself
        (
            SEEDS,
            f"{SEEDS}\n{SEEDS}",
            "not valid TOML: Cannot overwrite a value (at line 7, column 15).",
        ),
        ("[methods.prompt]", "\0", "holds NUL bytes. Save it as plain UTF-8 text."),
        (
            "\n[study]",
            "\ufeff[study]",
            "starts with a byte order mark. Save it as UTF-8 without BOM.",
        ),
    ],
)
def test_mistakes(old: str, new: str, message: str, study_file: WriteStudy) -> None:
    path = study_file((old, new))
    with pytest.raises(EquipoiseError) as caught:
        Study.from_toml(path).run()
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "smollm2-135m-instuct",
            "unknown model 'smollm2-135m-instuct'. Did you mean 'smollm2-135m-instruct'? "
            + MODEL_HINT,
        ),
        ("", f"unknown model ''. Valid: gemma-3-270m, smollm2-135m-instruct. {MODEL_HINT}"),
        (
            "/no/such/folder",
            "model '/no/such/folder' is neither an existing folder nor a Hub id 'owner/name'. "
            "Check the path.",
        ),
    ],
)
def test_unknown_models(model: str, message: str, tmp_path: Path) -> None:
    path = write_study(tmp_path, model)
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path)
    assert str(caught.value) == f"{path}: study.model: {message}"


def test_study_without_methods(study_file: WriteStudy) -> None:
    path = study_file()
    whole = path.read_text()
    header = whole[: whole.index("[methods.prompt]")]
    for end in ("", "[methods]\n"):
        path.write_text(header + end)
        with pytest.raises(EquipoiseError) as caught:
            read_specification(path)
        assert str(caught.value).endswith(
            "methods: no method is named. Add a table [methods.prompt]."
        )


def test_study_file_that_is_not_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.toml", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(EquipoiseError, match=reason) as caught:
            read_specification(path)
        assert caught.value.file == str(path)


def test_mistake_in_the_task_file_names_the_task_file(study_file: WriteStudy) -> None:
    path = study_file(task=(("words = [6, 11]", "words = [11, 6]"),))
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path)
    assert caught.value.file == str(path.parent / "small.toml")
    assert caught.value.field == "constraint.words"


def test_task_is_found_beside_the_study_file_first(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study_file()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text("not a task")
    assert read_specification(path).task.path == path.parent / "small.toml"
    (path.parent / "small.toml").rename(tmp_path / "small.toml")
    assert read_specification(path).task.path == Path("small.toml")


def test_the_full_study_trains_its_methods_alike() -> None:
    found = read_specification("full")
    assert not {42, 123, 456, 7} & set(found.study.seeds), "templates were chosen with these"
    assert len(found.study.seeds) == 5
    sft, beside, dpo = (found.methods[name] for name in ("sft", "sft-counterfactual", "dpo"))
    assert sft.n_examples(found.task) == beside.n_examples(found.task) == 600
    assert sft.updates(found.task) == beside.updates(found.task) == 114
    assert dpo.n_examples(found.task) == 600  # the chosen sentences of its pairs
    assert dpo.updates(found.task) == 114
    assert sft.settings.batch_size == dpo.settings.batch_size


def test_every_setting_is_documented() -> None:
    """Those of methods are a law of methods; see `equipoise.testing`."""
    from equipoise.model.draws import Sampling
    from equipoise.study.measures_table import MeasuresTable
    from equipoise.study.study_table import StudyTable

    models: list[Any] = [StudyTable, Sampling, MeasuresTable]
    for model in models:
        docs = "\n".join(str(base.__doc__) for base in model.__mro__ if base is not object)
        missing = [name for name in model.model_fields if f"\n        {name}: " not in docs]
        assert not missing, f"{model.__name__} does not document {missing}"
