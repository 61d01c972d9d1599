"""The tables over all finished cells of a study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from equipoise.artifacts import read_json
from equipoise.errors import EquipoiseError
from equipoise.evaluation import (
    Evaluation,
    by_seed,
    compliance_table,
    read_completions,
    remarks,
    score,
    write_table,
)
from equipoise.evaluation.cost import cost_table, shortfalls
from equipoise.evaluation.csv_file import read_rows
from equipoise.statistics import (
    comparisons,
    consistency_table,
    interval_table,
    three_seeds,
    wilson_table,
)
from equipoise.statistics.comparisons import OUTCOMES
from equipoise.study.cell import COMPLETIONS, TRAINING_DATA
from equipoise.study.specification import Specification
from equipoise.study.store import Store


def collect(specification: Specification, store: Store) -> Evaluation:
    """Score the stored completions of all cells, which are finished, in the study file's order."""
    task = specification.task
    scored, costs = [], []
    for cell in specification.cells():
        folder = store.cell_folder(cell)
        cost = read_json(folder / "summary.json")["cost"]
        costs.append({"method": cell.label, **cost})
        if cost["delivered"]:
            completions = read_completions(folder / COMPLETIONS, task)
            scored.append(score(completions, task, _training_texts(folder)))
    if not scored:
        raise EquipoiseError(
            "no method has delivered a single completion",
            file=store.folder,
            mend="Raise max_draws or ask with another prompt, in another folder (--out).",
        )
    frame = pd.concat(scored, ignore_index=True)
    seeds = by_seed(frame, task)
    cost = cost_table(costs)
    seeds_note = three_seeds(frame)
    notes = (*remarks(frame, task), *shortfalls(cost), *([seeds_note] if seeds_note else []))
    return Evaluation(frame, seeds, compliance_table(seeds), notes, cost)


def write_results(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the tables, their paths: rates, costs, and how sure one can be of them."""
    tables = {"by_seed.csv": evaluation.by_seed, "compliance.csv": evaluation.compliance}
    if evaluation.cost is not None:
        tables["cost.csv"] = evaluation.cost
    tables |= _statistics(evaluation.completions)
    for name, table in tables.items():
        write_table(folder / name, table)
    return [folder / name for name in tables]


def _statistics(scored: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of ``equipoise.statistics``."""
    sets = [name.removesuffix("_terms") for name in scored.columns if name.endswith("_terms")]
    return {
        "comparisons.csv": comparisons(scored),
        "intervals.csv": interval_table(scored, OUTCOMES),
        "wilson.csv": wilson_table(scored, OUTCOMES),
        "consistency.csv": consistency_table(scored, sets),
    }


def _training_texts(folder: Path) -> list[str] | None:
    path = folder / TRAINING_DATA
    return read_rows(path).columns["text"] if path.is_file() else None
