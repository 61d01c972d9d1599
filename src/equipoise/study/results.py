"""The tables over all finished cells of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_json
from equipoise.files.csv_file import read_rows
from equipoise.measures import Evaluation, assemble, registry, write_table
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.cost import cost_table
from equipoise.measures.evaluation import evidence_of
from equipoise.measures.odd_answers import oddities
from equipoise.measures.overview import overview
from equipoise.measures.terminal import balance_table
from equipoise.methods.method import TRAINING_DATA
from equipoise.runs.cell import Cell
from equipoise.runs.layout import OWN_SCORES, SUMMARY, TOLD
from equipoise.runs.scored_file import read_scored
from equipoise.runs.store import Store
from equipoise.study.dependencies import control_of
from equipoise.study.examinations import examine_models
from equipoise.study.measures import ask_models
from equipoise.study.progress import StudyProgress
from equipoise.study.settings_table import settings_table
from equipoise.study.specification import Specification


def collect(
    specification: Specification,
    store: Store,
    progress: StudyProgress,
    missing: Sequence[Cell] = (),
) -> Evaluation:
    """Measure the judged completions of all cells but the ``missing``, in the study file's order.

    What only models can say is asked for now, unless it is known from an earlier run.
    """
    progress.begin_tables()
    finished = [cell for cell in specification.cells() if cell not in missing]
    frame, costs, facts = _stored(specification, store, finished)
    of_models = examine_models(specification, store, finished, progress)
    without = _gathered(of_models.without_listed, finished)
    items = of_models.side_effects
    by_model = replace(
        ask_models(specification, frame, store.measures, progress, without),
        without_listed=without,
        preferences=_gathered(of_models.preferences, finished),
        associations=_gathered(of_models.associations, finished),
        own=_gathered(_own_scores(finished, store), finished),
        side_effects=pd.concat(items, ignore_index=True) if items else None,
    )
    controls = {label: control_of(label, specification.methods) for label in specification.methods}
    return assemble(
        frame,
        specification.task,
        by_model,
        costs=costs,
        controls=controls,
        notes=specification.endpoint.remarks,
        settings=specification.statistics,
        cells=facts,
    )


def first_look(specification: Specification, store: Store, cells: Sequence[Cell]) -> Any:
    """The table of balance over ``cells`` alone, as a terminal shows it; no model is asked.

    Raises:
        EquipoiseError: None of them has delivered anything.
    """
    frame, costs, facts = _stored(specification, store, cells)
    evidence = evidence_of(
        frame, specification.task, costs=costs, settings=specification.statistics, cells=facts
    )
    tables: dict[str, pd.DataFrame] = {}
    for measure in registry.MEASURES:
        if any(headline.beside_balance for headline in measure.headlines):
            tables |= measure.measure(evidence).tables
    return balance_table(tables["compliance"], tables["by_seed"], overview(tables))


def judged_completions(
    specification: Specification, store: Store, cells: Iterable[Cell]
) -> pd.DataFrame:
    """The judged completions of finished cells, in their order.

    Raises:
        EquipoiseError: None of them has delivered anything.
    """
    return _stored(specification, store, cells)[0]


def _stored(
    specification: Specification, store: Store, cells: Iterable[Cell]
) -> tuple[pd.DataFrame, list[dict[str, Any]], list[CellFacts]]:
    """The judged completions of finished cells, what each cost, and what is known of each.

    Raises:
        EquipoiseError: None of them has delivered anything.
    """
    task = specification.task
    scored, costs, facts = [], [], []
    for cell in cells:
        folder = store.cell_folder(cell)
        summary = read_json(folder / SUMMARY)
        costs.append({"method": cell.label, "seed": cell.seed, **summary["cost"]})
        if summary["cost"].get("answered") != 0:  # of what was never answered there is no rate
            facts.append(_facts(cell, summary, specification))
        line = [*reversed(specification.line(cell)), cell]
        learnt = partial(learnt_texts, store, line)
        if (of_cell := read_scored(folder, task, learnt)) is not None:
            scored.append(of_cell)
    if not scored:
        raise _nothing_delivered(costs, store.folder)
    return pd.concat(scored, ignore_index=True), costs, facts


def _nothing_delivered(costs: Sequence[Mapping[str, Any]], folder: Path) -> EquipoiseError:
    """That there is nothing to measure, and why, as far as answers say it."""
    why = oddities(cost_table(costs))
    hint = "Raise max_draws or ask with another prompt, in another folder (--out)."
    if why:
        hint = f"{' '.join(why)} Then use another folder (--out)."
    return EquipoiseError("no method has delivered a single completion", file=folder, hint=hint)


def _facts(cell: Cell, summary: Mapping[str, Any], specification: Specification) -> CellFacts:
    """What a cell has taken down of itself; one of an earlier version not all."""
    told = summary.get(TOLD)
    return CellFacts(
        cell.label,
        cell.seed,
        each=summary["cost"]["wanted"] // len(specification.task.subjects),
        told=None if told is None else len(told),
        by_construction=summary.get("by_construction"),
        untuned=specification.start(cell) is None
        and not specification.methods[cell.label].changes_weights,
    )


def told_terms(store: Store, cells: Iterable[Cell]) -> list[str] | None:
    """The scored words that finished cells' models were given; None where one says nothing."""
    found: dict[str, None] = {}
    for cell in cells:
        told = read_json(store.cell_folder(cell) / SUMMARY).get(TOLD)
        if told is None:
            return None
        found |= dict.fromkeys(map(str, told))
    return list(found)


def write_results(evaluation: Evaluation, specification: Specification, folder: Path) -> list[Path]:
    """Write every table to a file of its own; their paths."""
    settings = settings_table(specification.methods, specification.task, specification.tuned)
    written = []
    for name, table in {**evaluation.tables, "settings": settings}.items():
        written.append(folder / f"{name}.csv")
        write_table(written[-1], table)
    return written


def learnt_texts(store: Store, cells: Iterable[Cell]) -> list[str]:
    """The sentences that finished ``cells`` were trained on."""
    paths = [store.cell_folder(cell) / TRAINING_DATA for cell in cells]
    return [text for path in paths if path.is_file() for text in read_rows(path).columns["text"]]


def _own_scores(cells: Iterable[Cell], store: Store) -> dict[Cell, pd.DataFrame]:
    """What tuned models say of their own sentences, by the cells that took it down."""
    paths = {cell: store.cell_folder(cell) / OWN_SCORES for cell in cells}
    return {
        cell: pd.DataFrame(read_rows(path).columns).astype({"log_probability": "float64"})
        for cell, path in paths.items()
        if path.is_file()
    }


def _gathered(tables: Mapping[Cell, pd.DataFrame], cells: Iterable[Cell]) -> pd.DataFrame | None:
    """The tables of ``cells`` as one, with ``method`` and ``seed``; None if there is none."""
    found = [
        tables[cell].assign(method=cell.label, seed=cell.seed) for cell in cells if cell in tables
    ]
    return pd.concat(found, ignore_index=True) if found else None
