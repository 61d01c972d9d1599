"""What a model says of itself, whoever draws from it: three parts, each asked once.

Nothing here depends on a seed but through the model, and through what a method asks it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from equipoise.measures.association import association_table
from equipoise.measures.held_out_preference import preference_table, unseen_pairs
from equipoise.measures.judgement import has_held_out_score, has_wide_score
from equipoise.measures.occupation_shares import read_shares
from equipoise.measures.unseen import PREFERENCES
from equipoise.measures.without_listed import without_listed_table
from equipoise.model.draws import Question
from equipoise.runs.cell import Cell
from equipoise.runs.identity import task_digest, winogender_digest
from equipoise.study.asked_model import AskedModel
from equipoise.study.specification import Specification


def association(model: AskedModel) -> pd.DataFrame | None:
    """What ``model`` associates with the task's and Winogender's occupations.

    None where the task's axis has no shares or no words for it.
    """
    specification = model.specification
    winogender, axis = specification.measures.winogender, specification.task.axis
    shares = {} if winogender is None else read_shares(winogender)
    shares |= specification.task.shares
    if not (axis and axis.unfitted.probes and shares):
        return None
    question = {
        "task_sha256": task_digest(specification.task),
        "winogender_sha256": None if winogender is None else winogender_digest(winogender),
    }
    types = {"share": float, "log_odds": float}
    return model.part(
        "association", question, types, lambda lm: association_table(lm, axis, shares)
    )


def preferences(model: AskedModel) -> pd.DataFrame | None:
    """How likely ``model`` finds balanced and one-sided sentences of words it was never given.

    None where the task holds nothing out to build them from.
    """
    task = model.specification.task
    pairs = unseen_pairs(task)
    if not pairs:
        return None
    question = {"task_sha256": task_digest(task)}
    types = dict.fromkeys(PREFERENCES, float)
    return model.part(
        "held_out_preference", question, types, lambda lm: preference_table(lm, task, pairs)
    )


def without_listed(
    model: AskedModel, asked: Sequence[Question], asker: Cell
) -> pd.DataFrame | None:
    """What ``model`` says when it may not write the listed terms.

    None where the study leaves it out, and where nothing is listed.

    Args:
        model: Who is asked.
        asked: What, of all subjects.
        asker: The first cell of the study that asks so; the answers bear its name.
    """
    specification = model.specification
    n, task = specification.measures.without_listed, specification.task
    sampling = specification.sampling
    if not n or not task.constraint.scored:
        return None
    question = {
        "task_sha256": task_digest(task),
        "completions": n,
        "sampling": sampling.model_dump(mode="json"),
        "questions": json.loads(json.dumps(asked)),  # as they are read again
    }
    judged = {"in_range": True, "held_out": has_held_out_score(task), "wide": has_wide_score(task)}
    return model.part(
        f"without_listed_{asker.label}_seed{asker.seed}_of",
        question,
        {name: float for name, known in judged.items() if known},
        lambda lm: without_listed_table(lm, task, asked, n, sampling),
    )


def questions(cell: Cell, specification: Specification) -> tuple[Question, ...]:
    """What the cell's method asks about all subjects; of one that asks again, the first time.

    Nothing of methods that guide the drawing: what they say without a list is not their model's.
    """
    task, method = specification.task, specification.methods[cell.label]
    if method.guides_drawing:
        return ()
    return tuple(method.questions(task, [subject.name for subject in task.subjects], cell.seed))
