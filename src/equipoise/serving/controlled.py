"""A method of a finished run as something that answers: its cell's model and policy, rebuilt.

What a cell is, its sealed ``config.json`` says. A method that changed weights left its model there.
Any other is fitted once more, with the cell's seed, on the model that it started from. Nothing is
written into the run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import read_json
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.methods.registry import METHODS, build_method
from equipoise.model.draws import Sampling
from equipoise.model.endpoint import is_endpoint
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.registry import check_model_name, model_digest
from equipoise.runs.cell import Cell
from equipoise.runs.cell_seal import cell_fault
from equipoise.runs.identity import task_digest
from equipoise.runs.layout import CONFIG, CONTEXT, MODEL, REPORT, cell_folder
from equipoise.runs.record import read_record
from equipoise.runs.store import Store
from equipoise.runs.task_of_run import task_of
from equipoise.settings import parse
from equipoise.study.pinned_context import recall_context
from equipoise.task.task import Task

AGAIN = "Run the study again with this folder, which computes what is missing or damaged."

SUM = "_sha256"
"""Ends the name of what stands for a folder's content."""


@dataclass(frozen=True)
class Controlled:
    """A method of a run that answers.

    Attributes:
        name: By which clients ask for it.
        lm: Its model, with weights in its compute type.
        policy: The model under the method's control.
        sampling: The study's.
    """

    name: str
    lm: LanguageModel
    policy: Policy
    sampling: Sampling


def load_controlled(
    run: Path, label: str, seed: int, task: str | None = None, model: str | None = None
) -> Controlled:
    """Rebuild the policy of a cell.

    Args:
        run: Folder of a finished run.
        label: Of the method.
        seed: Of the cell.
        task: The run's task, where it is not found.
        model: The run's base model, where it is not found.

    Raises:
        EquipoiseError: The run has no such cell, it is not finished or damaged, task or model are
            not those of the run, or its model is behind an endpoint.
    """
    folder = _finished_cell(run, label, seed)
    config = read_json(folder / CONFIG)
    study = config["study"]
    if is_endpoint(study["model"]):
        raise EquipoiseError(
            f"its model '{study['model']}' is behind an endpoint",
            file=run,
            hint="Serve a run whose model is here.",
        )
    described = _task(run, study, task)
    tuned = METHODS[config["use"]].changes_weights if config["use"] in METHODS else False
    method = None if tuned else _method(config, folder / CONFIG)
    start = label if tuned else config["settings"].get("init_from")
    home = _finished_cell(run, start, seed) / MODEL if start else _base(run, study, model)
    sampling = parse(Sampling, config["sampling"], file=folder / CONFIG, field="sampling")
    lm = load_model(home, device=study["device"], dtype=study["dtype"])
    lm.name = study["model"]
    lm.model.config._name_or_path = lm.name
    lm.use_compute_type()
    recall_context(lm, described, run / CONTEXT)
    if method is None:
        policy = Policy(lm, described, _prompt(config, described))
    else:
        labels = {one for of_setting in method.needs.values() for one in of_setting}
        models = {one: _finished_cell(run, one, seed) / MODEL for one in labels}
        policy = _fitted(method, lm, described, seed, sampling, models)
    return Controlled(f"{label}-seed{seed}", lm, policy, sampling)


def _finished_cell(run: Path, label: str, seed: int) -> Path:
    """The folder of a cell whose files are all as they were sealed."""
    record, store = read_record(run), Store(run)
    if label not in record["methods"]:
        hint = nearest(label, record["methods"])
        raise EquipoiseError(f"the run has no method '{label}'", file=run, hint=hint)
    if seed not in record["seeds"]:
        seeds = ", ".join(map(str, record["seeds"]))
        raise EquipoiseError(f"the run has no seed {seed}", file=run, hint=f"It has {seeds}.")
    folder = cell_folder(run, Cell(label, seed))
    problem = cell_fault(folder) if folder.is_dir() else "it is not finished"
    if problem:
        raise EquipoiseError(problem, file=folder, hint=AGAIN)
    if not store.results.is_dir():
        raise EquipoiseError("the run has not come to its end", file=run, hint=AGAIN)
    if problem := store.beside_fault(CONTEXT):
        raise EquipoiseError(problem, file=run / CONTEXT, hint=AGAIN)
    return folder


def _task(run: Path, study: Mapping[str, Any], given: str | None) -> Task:
    """The run's task, byte for byte."""
    found = task_of({"study": study}, run / REPORT, given)
    if task_digest(found) != study["task_sha256"]:
        raise EquipoiseError(
            f"task '{found.name}' is not the one that the run was made with",
            file=found.path,
            hint="Name the task's file of then with --task.",
        )
    return found


def _base(run: Path, study: Mapping[str, Any], given: str | None) -> str:
    """The name of the run's base model, or its folder."""
    name = str(given or study["model"])
    if given is None and study["model_sha256"] is not None:
        raise EquipoiseError(
            f"its base model was a folder called '{name}'", file=run, hint="Name it with --model."
        )
    check_model_name(name, field="--model")
    other_name = study["model_sha256"] is None and name != study["model"]
    if other_name or model_digest(name) != study["model_sha256"]:
        raise EquipoiseError(
            f"model '{name}' is not the one that the run was made with, '{study['model']}'",
            field="--model",
            hint="Name the model of then.",
        )
    return name


def _method(config: Mapping[str, Any], path: Path) -> Method[Any]:
    """The method of a cell, and in it those of the study that its settings name.

    ``Method.describe`` writes what it takes of another method as ``setting.name``, and the sum of a
    folder as ``setting_sha256``.

    Raises:
        EquipoiseError: A setting names a model's folder, of which a run keeps the name alone.
    """
    settings = config["settings"]
    own = {name: value for name, value in settings.items() if "." not in name}
    for setting in (name.removesuffix(SUM) for name in own if name.endswith(SUM)):
        raise EquipoiseError(
            f"it was a model's folder called '{own[setting]}', and a run keeps no paths",
            file=path,
            field=f"settings.{setting}",
            hint="Serve a method whose other models are methods of the study.",
        )
    named: dict[str, Method[Any]] = {}
    for setting in {name.partition(".")[0] for name in settings.keys() - own.keys()}:
        start = f"{setting}."
        theirs = {k.removeprefix(start): v for k, v in settings.items() if k.startswith(start)}
        use = theirs.pop("use")
        named[own[setting]] = build_method(use, theirs, file=path, field=f"settings.{setting}")
    return build_method(config["use"], own, file=path, field="settings").among(named)


def _prompt(config: Mapping[str, Any], task: Task) -> str:
    """The kind of prompt that a tuned model is asked with."""
    kind = str(config["settings"].get("prompt", "neutral"))
    check_prompt(task, kind)
    return kind


def _fitted(
    method: Method[Any],
    lm: LanguageModel,
    task: Task,
    seed: int,
    sampling: Sampling,
    models: Mapping[str, Path],
) -> Policy:
    """The method's policy; what ``fit`` writes for people is not kept."""
    method.check(task)
    with tempfile.TemporaryDirectory(prefix="equipoise-serve-") as made:
        folder = Path(made)
        return method.start(lm, task, seed, Workspace(folder, folder / MODEL, sampling, models))
