"""The laws of control methods, to be held against anybody's `Method`.

A package with a method of its own tests it in three lines::

    from equipoise.testing import check_method

    def test_the_laws(tmp_path):
        check_method(Shouting(ShoutSettings()), tmp_path)

The laws are functions of a `MethodTrial`, not methods of a class to inherit from: they run under
any test runner and in a notebook, a broken one says its own name, and they parametrise a test like
any other data (``METHOD_LAWS``). The fits are made once and shared by the laws of a trial.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import torch

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import check_name
from equipoise.methods.method import Control, Method
from equipoise.model.loading import load_model
from equipoise.settings import parse
from equipoise.study.planning.plan import plan_method
from equipoise.study.planning.rates import Rates
from equipoise.study.specification import Specification
from equipoise.study.study_table import StudyTable
from equipoise.task.task import Task
from equipoise.testing.deliveries import as_texts, check_delivery
from equipoise.testing.endpoint import MadeUpEndpoint
from equipoise.testing.law import BrokenLawError, hold, no_weights, require
from equipoise.testing.trial import LABEL, SEED, MethodTrial, Weights, randomness

DATA = {".csv", ".jsonl", ".safetensors"}
"""Files that hold data; records in JSON and logs may hold times."""

NO_PROMPT = "no-such-prompt"


def check_method(method: Method[Any], folder: Path, **options: Any) -> None:
    """Hold all laws against ``method``.

    Args:
        method: The method, with settings that keep it quick: some twenty sentences, a few updates.
        folder: An empty folder to work in, such as pytest's ``tmp_path``.
        options: Further attributes of `MethodTrial`: ``make_model``, ``task``, ``sampling``, ``n``.

    Raises:
        BrokenLawError: It names every law that is broken, and how.
    """
    hold(METHOD_LAWS, MethodTrial(method, folder, **options), f"method '{method.name}'")


def it_says_what_it_is(trial: MethodTrial) -> None:
    """Name, one line about it, kind of control; and what every setting means."""
    method = trial.method
    check_name(method.name, "name")
    require("\n" not in method.summary, "the summary is more than a line")
    require(method.summary[:1].islower(), "the summary does not begin with a small letter")
    require(method.control in get_args(Control), f"'{method.control}' is no kind of control")
    bases = type(method.settings).__mro__
    docs = "\n".join(inspect.cleandoc(base.__doc__ or "") for base in bases)
    for name in type(method.settings).model_fields:
        require(f"\n    {name}: " in docs, f"no docstring says what '{name}' is")


def settings_come_back_from_files(trial: MethodTrial) -> None:
    """Written as TOML or JSON and read again, the settings are what they were."""
    settings = trial.method.settings
    plain = {k: v for k, v in settings.model_dump(mode="json").items() if v is not None}
    text = "".join(f"{name} = {_toml(value)}\n" for name, value in plain.items())
    require(parse(type(settings), tomllib.loads(text)) == settings, f"not so as TOML:\n{text}")
    described = trial.method.describe()
    require(json.loads(json.dumps(described)) == described, "`describe` is no plain data")
    missing = [name for name in plain if name not in described]
    require(not missing, f"`describe` leaves out {missing}")
    require(type(trial.method)(settings).describe() == described, "`describe` is not repeatable")


def check_comes_before_any_model(trial: MethodTrial) -> None:
    """``check`` loads nothing, refuses a prompt that is none, and what it lets pass can be fitted.

    The latter is tried on the task without templates, and without validation subjects.
    """
    method, task = trial.method, trial.the_task
    with no_weights():
        method.check(task)
        if "prompt" in type(method.settings).model_fields:
            changed = method.settings.model_copy(update={"prompt": NO_PROMPT})
            refused = _refusal(type(method)(changed), task)
            require(refused is not None, "`check` lets a prompt pass that the task does not have")
    poorer = {
        "without-templates": dataclasses.replace(task, templates=()),
        "without-validation": dataclasses.replace(task, subjects=task.train),
    }
    for name, other in poorer.items():
        with no_weights():
            refused = _refusal(method, other)
        if refused is None:
            try:
                method.fit(trial.prepared_model(), other, SEED, trial.workspace(name))
            except EquipoiseError as error:
                problem = f"a task {name}: `check` is content, `fit` is not: {error}"
                raise BrokenLawError(problem) from error


def the_seed_fixes_everything(trial: MethodTrial) -> None:
    """The same seed gives the same completions, weights and data files, byte for byte."""
    first, again = trial.first, trial.again
    require(
        as_texts(first.delivery) == as_texts(again.delivery),
        "the same seed draws other completions",
    )
    same = first.policy.training_texts == again.policy.training_texts
    require(same, "the same seed trains on other texts")
    changed = first.after.differences(again.after)
    require(not changed, f"the same seed makes other weights: {changed[:3]}")
    files = [_data_files(outcome.workspace.folder) for outcome in (first, again)]
    require(files[0].keys() == files[1].keys(), "the same seed writes other files")
    differing = [name for name in files[0] if files[0][name] != files[1][name]]
    require(not differing, f"the same seed writes other bytes to {differing[:3]}")


def every_draw_ends(trial: MethodTrial) -> None:
    """With any seed each draw ends in time, and the completions frame is as it must be."""
    for outcome in (trial.first, trial.other):
        check_delivery(outcome.delivery, trial, outcome.seed)
        most = outcome.delivery.completions["tokens"].max()
        in_time = pd.isna(most) or most <= trial.sampling.max_new_tokens
        require(in_time, f"a completion has {most} tokens")


def weights_are_left_alone(trial: MethodTrial) -> None:
    """The given model stays bit for bit what it was, unless the method says it changes it.

    Drawing changes no weights, whatever ``fit`` did. What was changed is saved, and loaded again it
    says the very same.
    """
    outcome, method = trial.first, trial.method
    drawn = outcome.fitted.differences(outcome.after)
    require(not drawn, f"drawing changes weights: {drawn[:3]}")
    saved = outcome.workspace.model_folder
    if not method.changes_weights:
        changed = outcome.before.differences(outcome.base_after)
        require(not changed, f"changes_weights is False, and changed are {changed[:3]}")
        return
    require((saved / "config.json").is_file(), "the changed model is not saved to model_folder")
    lm = outcome.policy.lm.weights
    if lm is None:
        raise BrokenLawError("the policy asks no model with weights")
    loaded = load_model(saved, device=lm.device, dtype=lm.dtype, progress=False)
    loaded.use_compute_type()
    same = Weights.of(loaded).logits == outcome.after.logits
    require(same, "the saved model is not the one that is asked")


def its_needs_can_be_planned(trial: MethodTrial) -> None:
    """``work`` and ``memory`` are numbers one can plan with, and always the same ones.

    What trains by gradients must say so: it has updates, and it changes weights.
    """
    method, task, size = trial.method, trial.the_task, trial.size
    found = []
    for chance in (1, 2):
        with randomness(chance), no_weights():
            work = method.work(task, size, SEED)
            found.append((work, method.memory(task, size, trial.sampling)))
    require(found[0] == found[1], "asked twice, `work` or `memory` say different things")
    work, held = found[0]
    trains = method.updates(task) > 0
    require(trains == (work.training is not None), "`updates` and `work().training` disagree")
    require(method.changes_weights or not trains, "it trains, and changes_weights is False")
    if work.training is not None:
        require(len(work.training.examples) > 0, "it trains on no example")
    require(work.draws_each >= 1, "it draws less than is wanted")
    require(min(held.fitting, held.drawing) >= 0, f"memory below zero: {held}")
    study = StudyTable(name="trial", seeds=(SEED,), samples_per_subject=trial.n)
    specification = Specification(study, trial.sampling, {LABEL: method}, task)
    with no_weights():
        cpu, rates = torch.device("cpu"), Rates.said(tflops=1)
        plan = plan_method(specification, LABEL, size, cpu, torch.float32, 1e9, rates)
    numbers = {**dataclasses.asdict(plan.memory), "drawn": plan.drawn_tokens, "time": plan.seconds}
    for name, value in numbers.items():
        require(math.isfinite(value) and value >= 0, f"{name} is {value}")
    require(min(plan.memory.peak, plan.drawn_tokens, plan.seconds) > 0, "it needs nothing at all")


def it_writes_into_its_workspace_only(trial: MethodTrial) -> None:
    """``fit`` and drawing leave no file elsewhere; the package's own cache may grow."""
    found = [str(path) for path in trial.first.elsewhere]
    require(not found, f"files outside of the workspace: {found[:5]}")


def without_weights_it_works_too(trial: MethodTrial) -> None:
    """A method that needs no weights takes an endpoint, and delivers what it says."""
    if trial.method.needs_weights:
        return
    require(not trial.method.changes_weights, "it needs no weights, and changes them")
    task, subjects = trial.the_task, [subject.name for subject in trial.the_task.subjects]
    policy = trial.method.start(MadeUpEndpoint(), task, SEED, trial.workspace("endpoint"))
    delivery = policy.deliver(LABEL, subjects, trial.n, trial.sampling, SEED)
    check_delivery(delivery, trial, SEED)


METHOD_LAWS: tuple[Callable[[MethodTrial], None], ...] = (
    it_says_what_it_is,
    settings_come_back_from_files,
    check_comes_before_any_model,
    the_seed_fixes_everything,
    every_draw_ends,
    weights_are_left_alone,
    its_needs_can_be_planned,
    it_writes_into_its_workspace_only,
    without_weights_it_works_too,
)
"""All laws; each takes a `MethodTrial` and raises `BrokenLawError`."""


def _refusal(method: Method[Any], task: Task) -> EquipoiseError | None:
    try:
        method.check(task)
    except EquipoiseError as error:
        return error
    return None


def _data_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in DATA and path.is_file()
    }


def _toml(value: Any) -> str:
    """Plain data as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(name))} = {_toml(inner)}" for name, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value, ensure_ascii=False)
