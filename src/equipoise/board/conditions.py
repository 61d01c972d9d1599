"""Which runs can be compared: those asked for as many completions, drawn alike, of one kind.

Models, tasks and seeds may differ: whether something holds for others is what a board asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from equipoise.board.finished import BoardRun
from equipoise.errors import EquipoiseError
from equipoise.runs.record import sampling_of
from equipoise.runs.study_description import first_difference
from equipoise.wording.visible import shown

NO_MATTER = frozenset(["batch_size"])
"""Settings of sampling that say how fast completions are drawn, and not from what."""


def conditions(run: BoardRun) -> dict[str, Any]:
    """What must be alike in two runs that are compared.

    Those are which subjects (all, or the train subjects alone), the range of words and how many
    entries each clause of the constraint has, how many completions of each subject were asked for,
    and how they were drawn.
    """
    constraint = run.task.constraint
    clauses = {name: len(getattr(constraint, name)) for name in ("all_of", "any_of", "none_of")}
    sampling = {k: v for k, v in sampling_of(run.record).items() if k not in NO_MATTER}
    return {
        "constraint.words": "{} to {}".format(*constraint.words),
        "number of entries in constraint": clauses,
        "subjects": run.record["study"].get("subjects", "all"),
        "samples_per_subject": run.record["study"].get("samples_per_subject"),
        "sampling": sampling,
    }


def set_apart(runs: Sequence[BoardRun]) -> tuple[list[BoardRun], list[tuple[BoardRun, str]]]:
    """The runs that can be compared with the first, and the others with the reason.

    Raises:
        EquipoiseError: None of several runs can be compared with the first.
    """
    first, *others = runs
    like, apart = [first], []
    for run in others:
        difference = first_difference(conditions(first), conditions(run))
        if difference is None:
            like.append(run)
        else:
            name, here, there = difference
            apart.append((run, f"{name}: {shown(there)}, and {shown(here)} in {first.name}"))
    if others and len(like) == 1:
        run, reason = apart[0]
        raise EquipoiseError(
            f"cannot be compared with {first.folder}: {reason}",
            file=run.folder,
            hint="Name runs that were made alike, or one alone.",
        )
    return like, apart


def settings_remarks(runs: Sequence[BoardRun]) -> list[str]:
    """A sentence for each method that is not of the same settings in all runs that have it."""
    found = []
    for label in dict.fromkeys(label for run in runs for label in run.record["methods"]):
        first, *others = [run for run in runs if label in run.record["methods"]]
        for run in others:
            difference = first_difference(
                first.record["methods"][label], run.record["methods"][label]
            )
            if difference is not None:
                name, here, there = difference
                found.append(
                    f"{label} is not the same in all runs: its {shown(name)} is {shown(here)} in "
                    f"{first.name} and {shown(there)} in {run.name}."
                )
                break
    return found
