"""What a run's folder says of its completions, compared with what their texts score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from equipoise.completions.frame import CUT
from equipoise.errors import EquipoiseError
from equipoise.files.manifest import file_fault, sealed_files
from equipoise.measures import by_seed
from equipoise.runs.layout import BY_SEED, COMPLETIONS, RESULTS, SCORED
from equipoise.task.task import Task

NOT_WHAT_THEY_SCORE = "is not what the completions score by this task"
HINT = "Run the study again, or name its task file with --task."

FROM_TRAINING = "verbatim"
"""The one judgement that needs more than the text: the sentences its model was trained on."""


def check_sums(cell: Path) -> None:
    """Refuse a finished cell whose completions or judgements are not those that were sealed.

    Weights are not looked at. A cell of an earlier version has no judgements.

    Raises:
        EquipoiseError: It names the file.
    """
    has_judgements = (cell / SCORED).exists() or SCORED in sealed_files(cell)
    for name in (COMPLETIONS, SCORED) if has_judgements else (COMPLETIONS,):
        if file_fault(cell, name) is not None:
            raise EquipoiseError(
                "damaged: its SHA-256 is not the recorded one",
                file=cell / name,
                hint="Run the study again: the cell is then computed anew.",
            )


def check_against_texts(stored: pd.DataFrame, scored: pd.DataFrame, cell: Path) -> None:
    """Refuse judgements that are not those of the texts.

    Args:
        stored: What a cell's file of judgements says.
        scored: What its completions score now.
        cell: Its folder.

    Raises:
        EquipoiseError: A row differs, or there are more or fewer.
    """
    # The folder's name says the first two; what was cut away is no judgement.
    apart = ["method", "seed", FROM_TRAINING, CUT]
    now = scored.drop(columns=apart, errors="ignore").reset_index(drop=True)
    if not stored.drop(columns=apart, errors="ignore").equals(now):
        raise EquipoiseError(NOT_WHAT_THEY_SCORE, file=cell / SCORED, hint=HINT)


def _requested_alike(table: pd.DataFrame) -> bool:
    """Whether balance of all that was asked for is what a table's other columns make it."""
    if "balanced_requested" not in table.columns:
        return True
    hits = (table["balanced"] * table["n"]).fillna(0)
    made, said = (hits / table["wanted"]).to_numpy(float), table["balanced_requested"]
    return bool(np.allclose(made, said.to_numpy(float), rtol=0, atol=2e-6, equal_nan=True))


def check_against_tables(
    scored: pd.DataFrame, task: Task, table: pd.DataFrame, folder: Path
) -> None:
    """Refuse rates that are not those of the completions.

    Args:
        scored: The run's completions with their judgements.
        task: The task.
        table: ``results/by_seed.csv``.
        folder: The run's folder.

    Raises:
        EquipoiseError: A rate differs, or rows do.
    """
    keys = ["method", "seed", "split"]
    now = by_seed(scored, task).astype({"seed": "float64"}).set_index(keys)
    try:
        then = table[table["n"] > 0].set_index(keys)
        alike = len(now) == len(then) and FROM_TRAINING in then.columns
        then = then.loc[now.index, list(now.columns)].astype("float64")
        unknown = now[FROM_TRAINING].isna()  # in cells of an earlier version
        then[FROM_TRAINING] = then[FROM_TRAINING].mask(unknown)
        same = np.isclose(then.to_numpy(), now.to_numpy(float), rtol=0, atol=1e-6, equal_nan=True)
        alike = alike and bool(same.all()) and _requested_alike(table)
    except (KeyError, TypeError, ValueError):
        alike = False
    if not alike:
        raise EquipoiseError(NOT_WHAT_THEY_SCORE, file=folder / RESULTS / BY_SEED, hint=HINT)
