"""The protocol's own commands (arXiv 2510.22084), behind ``scripts/*_sft_robust.py``.

Names of files, columns and keys are the protocol's, where the rest of Equipoise has its own:
training of seed 42 makes ``sft_robust_output_seed42/``; generation makes
``sft_robust_completions_seed42.csv`` and ``sft_robust_summary_seed42.json`` beside that folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_read_errors, make_folder, write_json
from equipoise.files.csv_file import read_rows
from equipoise.files.manifest import MANIFEST
from equipoise.measures import write_table
from equipoise.methods.method import Policy
from equipoise.methods.sft import SFT, SFTSettings
from equipoise.model.draws import Sampling
from equipoise.model.registry import DEFAULT_MODEL, check_model_name, model_label
from equipoise.progress_bars import StageProgress
from equipoise.publishing.write import write_training_cards
from equipoise.settings import parse
from equipoise.study.training_run import TrainingRun, check_trained
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.training.processes import is_first_process

OUTPUT_DIR = "./sft_robust_output"
SAMPLES = 250
"""Completions of each occupation."""

TERM_SETS = {"AgenticTerms": "agentic", "CommunalTerms": "communal"}
SETTINGS = {"n_per_occupation": "n_per_subject"}
"""Flags whose setting of SFT has another name."""


def seed_folder(output_dir: str | Path, seed: int) -> Path:
    """``output_dir`` with ``_seed42`` at its end, where it is not there already.

    Raises:
        EquipoiseError: It names no folder of its own, such as ``.`` or ``..``.
    """
    path, suffix = Path(output_dir), f"_seed{seed}"
    if path.name in ("", ".."):
        raise EquipoiseError(
            f"'{output_dir}' cannot have '{suffix}' added to its name",
            field="--output_dir",
            hint=f"Name a folder, such as {OUTPUT_DIR}.",
        )
    return path if path.name.endswith(suffix) else path.with_name(path.name + suffix)


def train(
    seed: int = 42,
    output_dir: str | Path = OUTPUT_DIR,
    model: str = DEFAULT_MODEL,
    **settings: Any,
) -> Path:
    """Fine-tune ``model`` on generated balanced sentences; its folder.

    Does nothing where that was done before, and resumes what was stopped.

    Args:
        seed: Of data and training.
        output_dir: See ``seed_folder``. Model, data, logs and records are directly in it.
        model: The base model.
        settings: ``n_per_occupation``, or any of ``SFTSettings``; the defaults are the protocol's.

    Raises:
        EquipoiseError: A setting is wrong, or the folder holds something else.
        KeyboardInterrupt: Stopped; the same call goes on.
    """
    folder = seed_folder(output_dir, check_seed(seed))
    method = SFT(_sft_settings(settings))
    progress = StageProgress(quiet=not is_first_process())
    run = TrainingRun(folder, folder, method, load_task("occupations"), model, seed)
    state = run.run()
    if is_first_process():
        write_training_cards(run)
    done = "is done already; nothing was to do" if state == "done" else "is done"
    progress.say(f"The training in {folder} {done}.")
    return folder


def generate(
    seed: int = 42,
    output_dir: str | Path = OUTPUT_DIR,
    model: str | None = None,
    samples_per_occupation: int = SAMPLES,
    *,
    force: bool = False,
) -> tuple[Path, Path]:
    """Draw completions with the protocol's prompt and sampling; paths of CSV and summary.

    Args:
        seed: Of the training and of the sampling.
        output_dir: As for ``train``.
        model: Another model than the one trained with this seed.
        samples_per_occupation: At least 1.
        force: Replace completions that are there and are others.

    Raises:
        EquipoiseError: There is no finished training of this seed, or other completions are there.
    """
    folder = seed_folder(output_dir, check_seed(seed))
    if samples_per_occupation < 1:
        raise EquipoiseError(
            f"{samples_per_occupation} completions of each occupation",
            field="--samples_per_occupation",
            hint="Ask for at least 1.",
        )
    if model is None:
        _check_trained_with(folder, seed, output_dir)
    else:
        check_model_name(model, field="--model")
    name = str(folder) if model is None else model
    task = load_task("occupations")
    completions = folder.with_name(f"sft_robust_completions_seed{seed}.csv")
    summary = folder.with_name(f"sft_robust_summary_seed{seed}.json")
    with StageProgress() as progress:
        total = samples_per_occupation * len(task.subjects)
        if not force and _is_done(completions, summary, name, total):
            progress.say(f"{completions} and {summary} are there already; nothing was to do.")
            return completions, summary
        make_folder(folder.parent)
        drawn = _draw(name, task, samples_per_occupation, seed, progress)
        table = protocol_table(drawn, task)
        write_table(completions, table)
        write_json(summary, protocol_summary(table, seed))
        progress.say(f"Written: {completions}, {summary}")
    return completions, summary


def protocol_table(completions: pd.DataFrame, task: Task) -> pd.DataFrame:
    """A completions frame under the protocol's column names, each text judged by ``task``.

    ``AgenticTerms`` and ``CommunalTerms`` are the listed terms in the text, joined by ``"; "``;
    ``Label`` is balanced, agentic only, communal only or neither; ``RunID`` counts from 0.
    """
    verdicts = [task.constraint.check(text) for text in completions["text"]]
    found = {
        column: ["; ".join(v.hits[name]) for v in verdicts] for column, name in TERM_SETS.items()
    }
    return pd.DataFrame(
        {
            "Model": completions["method"].to_numpy(),
            "Occupation": completions["subject"].to_numpy(),
            "Split": completions["split"].to_numpy(),
            "RunID": completions["run"].to_numpy(),
            "Text": completions["text"].to_numpy(),
            "WordCount": [v.word_count for v in verdicts],
            **found,
            "Balanced": [v.balanced for v in verdicts],
            "Label": [v.label for v in verdicts],
        }
    )


def protocol_summary(table: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Means over the rows of a ``protocol_table``; ``..._pct`` are percentages (0-100)."""
    fewest, most = load_task("occupations").constraint.words
    n_terms = {
        name: table[column].map(lambda terms: len(terms.split("; ")) if terms else 0)
        for column, name in TERM_SETS.items()
    }

    def balanced_pct(split: str) -> float:
        return _rounded(100 * table.loc[table["Split"] == split, "Balanced"].mean())

    return {
        "seed": seed,
        "total_completions": len(table),
        "mean_word_count": _rounded(table["WordCount"].mean()),
        "in_range_pct": _rounded(100 * table["WordCount"].between(fewest, most).mean()),
        "balanced_pct": _rounded(100 * table["Balanced"].mean()),
        "mean_agentic_terms": _rounded(n_terms["agentic"].mean()),
        "mean_communal_terms": _rounded(n_terms["communal"].mean()),
        "train_balanced_pct": balanced_pct("train"),
        "val_balanced_pct": balanced_pct("validation"),
    }


def check_seed(seed: int) -> int:
    """``seed`` itself, once it is one.

    Raises:
        EquipoiseError: It is negative or has more than 32 bits.
    """
    if not 0 <= seed < 2**32:
        raise EquipoiseError(
            f"{seed} is not between 0 and {2**32 - 1:,}", field="--seed", hint="Choose another."
        )
    return seed


def _sft_settings(flags: dict[str, Any]) -> SFTSettings:
    """SFT's settings from the protocol's flags; errors name the flag."""
    settings = {}
    for flag, value in flags.items():
        name = SETTINGS.get(flag, flag)
        settings[name] = value
        try:
            parse(SFTSettings, {name: value})
        except EquipoiseError as error:
            raise EquipoiseError(error.problem, field=f"--{flag}", hint=error.hint) from None
    return SFTSettings(**settings)


def _check_trained_with(folder: Path, seed: int, output_dir: str | Path) -> None:
    if not folder.is_dir():
        raise EquipoiseError(
            "there is no such folder, so nothing was trained with this seed",
            file=folder,
            hint=f"First run: python3 scripts/train_sft_robust.py --seed {seed} "
            f"--output_dir {output_dir}",
        )
    check_trained(folder)
    check_model_name(folder, field="--output_dir")


def _draw(name: str, task: Task, n: int, seed: int, progress: StageProgress) -> pd.DataFrame:
    from equipoise.model.loading import load_model

    lm = load_model(name)
    progress.say(f"{lm.name} on {lm.precision}")
    lm.use_compute_type()
    subjects = [subject.name for subject in task.subjects]
    policy = Policy(lm, task)
    return policy.deliver(lm.name, subjects, n, Sampling(), seed).completions


def _is_done(completions: Path, summary: Path, model: str, total: int) -> bool:
    """Whether these very completions were drawn before.

    Raises:
        EquipoiseError: Others are there.
    """
    with clear_read_errors(completions):
        if not completions.exists():
            return False
        drawn_at = completions.stat().st_mtime
    columns = read_rows(completions).columns
    models = set(columns.get("Model", []))
    manifest = Path(model) / MANIFEST
    stale = manifest.is_file() and manifest.stat().st_mtime > drawn_at
    if models == {model_label(model)} and len(columns["Model"]) == total and not stale:
        return summary.exists()
    what = "older than the model" if stale else f"not the {total:,} that are asked for"
    raise EquipoiseError(
        f"there are completions already, {what}",
        file=completions,
        hint="Move them away, or replace them with --force.",
    )


def _rounded(value: float) -> float:
    """Six decimals, as in the project's CSVs."""
    return round(float(value), 6)
