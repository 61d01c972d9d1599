"""What a run's folder looks like: the name of every file and folder in it, declared once.

    study.json                      what the run is: its conditions, methods and seeds
    context.json                    the day and the context with which its first model was asked
    environment.json                on what it ran
    cells/LABEL/seedS/              a finished cell, sealed by its manifest
    cells/LABEL/.seedS.partial/     a cell in progress
    measures/                       what models have said of the completions
    results/                        the tables over all cells, sealed
    report/                         the report, which can always be made again
    .work/                          who is at work; gone when nobody is

What methods write into their cells (weights, training data, records) is named in ``methods``, what
is in ``results`` by the tables themselves.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.runs.cell import Cell

RECORD = "study.json"
CONTEXT = "context.json"
ENVIRONMENT = "environment.json"
CELLS = "cells"
MEASURES = "measures"
RESULTS = "results"
REPORT = "report"
WORK = ".work"

CONFIG = "config.json"
"""Of a cell: everything that decides what it holds."""

COMPLETIONS = "completions.csv"
"""Of a cell: the completions that its method delivered."""

SCORED = "scored.csv"
"""Of a cell: the same completions with the judgement of each beside it."""

DRAWS = "draws.csv"
"""Of a cell whose method rejects completions: all that were drawn."""

ACCEPTANCE = "acceptance.csv"
"""Of such a cell: how many draws each subject took."""

OWN_SCORES = "own_scores.csv"
"""Of a cell that tuned a model: how likely the model finds its own sentences."""

ANSWERS = "answers.jsonl"
"""Of a cell that asked an endpoint: one line an answer, from which a stopped cell goes on."""

SUMMARY = "summary.json"
"""Of a cell: its rates, what it cost, what it was told, and on what it ran."""

TOLD = "told"
"""In that summary: the scored words that its model was given; null where nobody knows."""

MODEL = "model"
"""Of a cell that tuned a model: the model's folder."""

REWARD = "reward"
"""Of a cell that learnt by a reward model: the folder of that model and its record."""

REWARD_MODEL = f"{REWARD}/model"
"""Of such a cell: the reward model's folder."""

CHECKPOINTS = "checkpoints"
"""Of a cell in progress; gone when it is finished."""

BY_SEED = "by_seed.csv"
"""Of the results: the rates of each cell, without which nothing can be reported."""

OVERVIEW = "summary.csv"
"""Of the results: one row a method; where it is, all tables are."""


def cell_folder(run: Path, cell: Cell) -> Path:
    """Folder of a cell when it is finished."""
    return run / CELLS / cell.label / f"seed{cell.seed}"


def partial_folder(finished: Path) -> Path:
    """Where a cell is in progress whose finished folder will be ``finished``."""
    return finished.with_name(f".{finished.name}.partial")


def finished_folders(run: Path) -> list[Path]:
    """Folders of all finished cells, damaged ones and those of other studies' methods included."""
    return sorted(path for path in run.glob(f"{CELLS}/*/seed*") if path.is_dir())
