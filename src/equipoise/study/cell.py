"""One cell of a study: fit a method with a seed, draw completions, judge and store them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from equipoise.files.artifacts import clear_write_errors, write_json
from equipoise.measures import score, write_table
from equipoise.measures.by_model import score_all
from equipoise.measures.cost import acceptance_table
from equipoise.methods.method import Delivery, Policy, Workspace
from equipoise.model.protocol import Model
from equipoise.runs.cell import Cell
from equipoise.runs.layout import (
    ACCEPTANCE,
    ANSWERS,
    COMPLETIONS,
    DRAWS,
    MODEL,
    OWN_SCORES,
    SUMMARY,
    TOLD,
)
from equipoise.runs.scored_file import write_scored
from equipoise.study.cell_summary import Meter, cell_summary, counts, outcome
from equipoise.study.specification import Specification
from equipoise.task.task import Task


@dataclass(frozen=True)
class Ground:
    """What a cell builds on: finished cells, and what is known of them.

    Attributes:
        models: Folders of the models that its method needs, by label.
        completions: Files of the completions that it learns from, by label.
        learnt: Sentences that those were trained on.
        told: Scored words that they were given; None where nobody knows.
    """

    models: Mapping[str, Path] = field(default_factory=dict)
    completions: Mapping[str, Path] = field(default_factory=dict)
    learnt: Sequence[str] = ()
    told: Collection[str] | None = ()


def run_cell(
    cell: Cell,
    specification: Specification,
    lm: Model,
    folder: Path,
    ground: Ground | None = None,
) -> str:
    """Compute a cell into ``folder``; what came of it, in a few words.

    Writes what the method writes, and the files that ``runs.layout`` lists of a cell.

    Args:
        cell: What is computed.
        specification: The study it belongs to.
        lm: What the method starts from; changed in place where the method changes it.
        folder: The cell's working folder.
        ground: What it builds on; by default nothing but the base model.
    """
    ground = ground or Ground()
    method, task = specification.methods[cell.label], specification.task
    lm = lm.keeping(folder / ANSWERS)
    precision, meter = lm.precision, Meter()
    policy = _fit(cell, specification, lm, folder, ground)
    cost = meter.read("fit")
    delivery = _deliver(cell, specification, policy)
    cost |= meter.read("sampling")
    judged, drawn = _judged(delivery, task, [*ground.learnt, *policy.training_texts])
    _write_delivery(delivery, judged, specification.study.samples_per_subject, folder)
    tuned = policy.lm.weights if method.changes_weights else None
    if tuned is not None and specification.measures.fluency:
        own = score_all(tuned, delivery.completions, task, "prompt")
        write_table(folder / OWN_SCORES, own)
    cost = {**counts(delivery, judged, drawn, specification), **cost}
    summary = cell_summary(cell, method, task, lm, precision, cost, judged, folder)
    write_json(folder / SUMMARY, {**summary, TOLD: _told(policy, ground.told)})
    return outcome(cost)


def _told(policy: Policy, before: Collection[str] | None) -> list[str] | None:
    """The scored words that the cell's model was given, now and before it came here."""
    if before is None:
        return None
    told = {*before, *policy.told}
    return [term for term in policy.task.constraint.scored if term in told]


def _fit(
    cell: Cell,
    specification: Specification,
    lm: Model,
    folder: Path,
    ground: Ground,
) -> Policy:
    """The cell's method, fitted."""
    method, task = specification.methods[cell.label], specification.task
    workspace = Workspace(
        folder, folder / MODEL, specification.sampling, ground.models, ground.completions
    )
    with clear_write_errors(folder):
        return method.start(lm, task, cell.seed, workspace)


def _deliver(cell: Cell, specification: Specification, policy: Policy) -> Delivery:
    """Completions of all subjects."""
    return policy.deliver(
        cell.label,
        [subject.name for subject in specification.task.subjects],
        specification.study.samples_per_subject,
        specification.sampling,
        cell.seed,
    )


def _judged(
    delivery: Delivery, task: Task, training_texts: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was delivered and what was drawn, judged; each text once, as the one is of the other."""
    if delivery.draws is None:
        judged = score(delivery.completions, task, training_texts or None)
        return judged, judged
    drawn = score(delivery.draws, task, training_texts or None)
    delivered = drawn[drawn["delivered"]].drop(columns=["accepted", "delivered"])
    return delivered.reset_index(drop=True), drawn


def _write_delivery(delivery: Delivery, judged: pd.DataFrame, wanted: int, folder: Path) -> None:
    """Write the completions as they are and judged; where some are rejected, all draws too.

    Args:
        delivery: What the policy delivered.
        judged: The completions with their judgements.
        wanted: Completions of each subject that were asked for.
        folder: The cell's working folder.
    """
    write_table(folder / COMPLETIONS, delivery.completions)
    write_scored(folder, judged)
    if delivery.draws is not None:
        write_table(folder / DRAWS, delivery.draws)
        write_table(folder / ACCEPTANCE, acceptance_table(delivery.draws, wanted))
