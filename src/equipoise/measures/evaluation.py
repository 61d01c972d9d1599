"""All tables over a set of scored completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from equipoise.measures import registry
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.declaration import Evidence
from equipoise.measures.model_answers import ByModel
from equipoise.measures.overview import overview, summary_table
from equipoise.measures.terminal import balance_table, measures_tables, plain_lines
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.task.task import Task


@dataclass(frozen=True)
class Evaluation:
    """The scores of a set of completions; ``print`` shows them as tables.

    A table is an attribute too: ``evaluation.compliance`` is ``evaluation.tables["compliance"]``,
    or None where it was not measured.

    Args:
        completions: One row per completion, judged; columns as in ``score``, and where models
            were asked what they say of each.
        tables: By name, in the order of ``results/``: ``summary``, then those that the measures
            declare (``measures/registry.py``).
        overview: One row a method, with the headlines of all measures.
        remarks: What a reader should know about the texts and tables, one sentence each.
    """

    completions: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    overview: pd.DataFrame
    remarks: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """The table called ``name``; None where it was not measured."""
        if name in {"summary", *(table.name for table in registry.tables())}:
            return self.tables.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __str__(self) -> str:
        """The tables as plain text, at most 80 columns wide, with the remarks under them."""
        return "\n".join([*plain_lines(self.terminal_tables()), *self.remarks]).strip("\n")

    def terminal_tables(self) -> list[Any]:
        """The tables that a terminal shows: balance first, then what else changed."""
        balance = balance_table(self.tables["compliance"], self.tables["by_seed"], self.overview)
        return [balance, *measures_tables(self.overview)]


def assemble(
    scored: pd.DataFrame,
    task: Task,
    by_model: ByModel | None = None,
    *,
    costs: Sequence[Mapping[str, Any]] | None = None,
    controls: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    settings: StatisticsSettings | None = None,
    cells: Sequence[CellFacts] = (),
) -> Evaluation:
    """All tables over ``scored``.

    Args:
        scored: What ``score`` returned; several may be concatenated.
        task: The task they were scored with.
        by_model: What models have said.
        costs: For each cell its ``method`` and what it cost.
        controls: The kinds of control at work in each method.
        notes: What is to be said of how the completions were read.
        settings: How methods are compared.
        cells: What is known of each cell of a study, method by method.
    """
    evidence = evidence_of(scored, task, by_model, costs=costs, settings=settings, cells=cells)
    tables: dict[str, pd.DataFrame] = {}
    remarks = list(notes)
    for measure in registry.MEASURES:
        found = measure.measure(evidence)
        tables |= found.tables
        remarks += found.remarks
    values = overview(tables)
    tables = {"summary": summary_table(values, controls or {}), **tables}
    return Evaluation(evidence.scored, tables, values, tuple(remarks))


def evidence_of(
    scored: pd.DataFrame,
    task: Task,
    by_model: ByModel | None = None,
    *,
    costs: Sequence[Mapping[str, Any]] | None = None,
    settings: StatisticsSettings | None = None,
    cells: Sequence[CellFacts] = (),
) -> Evidence:
    """What measures are computed from, with the columns that they add to each completion.

    The arguments are those of `assemble`.
    """
    evidence = Evidence(
        scored,
        task,
        by_model or ByModel(),
        costs,
        settings or StatisticsSettings(),
        cells=tuple(cells),
    )
    columns = {
        name: values.set_axis(scored.index)
        for measure in registry.MEASURES
        for name, values in measure.of_completions(evidence).items()
    }
    scored = scored.assign(**columns) if columns else scored
    there = tuple(outcome for outcome in registry.outcomes() if outcome.name in scored)
    return replace(evidence, scored=scored, outcomes=there)
