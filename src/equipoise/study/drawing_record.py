"""How completions that no study holds were drawn: the record that ``equipoise generate`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equipoise
from equipoise.methods.method import Policy
from equipoise.model.draws import Sampling
from equipoise.runs.identity import task_digest
from equipoise.study.pinned_context import context_record


def drawing_record(
    policy: Policy, subjects: Sequence[str], n: int, sampling: Sampling, seed: int
) -> dict[str, Any]:
    """Everything that decides what was drawn, as far as it is known.

    Args:
        policy: What was drawn from.
        subjects: Whom the completions describe.
        n: Completions of each that were asked for.
        sampling: How they were drawn.
        seed: Of the random numbers.

    Returns:
        Plain data; ``context`` is there for models with weights (see ``context_record``), and
        ``answers`` for endpoints: what they cost, and how they came.
    """
    lm, task = policy.lm, policy.task
    found = {
        "equipoise": equipoise.__version__,
        "model": lm.name,
        "model_revision": lm.revision,
        "precision": lm.precision,
        "task": task.name,
        "task_sha256": task_digest(task),
        "prompt": policy.prompt,
        "subjects": list(subjects),
        "samples_per_subject": n,
        "sampling": sampling.model_dump(mode="json"),
        "seed": seed,
    }
    if lm.weights is not None:
        found["context"] = context_record(lm.weights, policy.questions(subjects))
    if spent := lm.spending():
        found["answers"] = spent
    return found
