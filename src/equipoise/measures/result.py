"""All tables over a set of scored completions."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from rich.console import Console

from equipoise.completions.frame import remarks
from equipoise.measures.divergence import divergence_table
from equipoise.measures.diversity_table import diversity_table
from equipoise.measures.fluency_table import fluency_table
from equipoise.measures.judged import SCORES, ByModel, agency_remarks, with_scores
from equipoise.measures.occupation_shares import no_shares_note
from equipoise.measures.overview import BASE, overview
from equipoise.measures.slope_comparisons import slope_comparisons
from equipoise.measures.stereotype_table import stereotype_table
from equipoise.measures.stereotype_values import (
    agency_values,
    all_occupations_note,
    association_values,
    headlines,
    text_values,
)
from equipoise.measures.summary import by_seed, compliance_table
from equipoise.measures.table import balance_table, measures_table
from equipoise.measures.term_use import term_table
from equipoise.statistics import StatisticsSettings, statistics_tables
from equipoise.task.task import Task


@dataclass(frozen=True)
class Evaluation:
    """The scores of a set of completions; ``print`` shows them as tables.

    Args:
        completions: One row per completion, judged; columns as in ``score``, and where models
            were asked those of ``with_scores``.
        by_seed: One row per method, seed and split; rates 0-1, as in ``by_seed``.
        compliance: One row per method and split; means and sample SDs over seeds, as in
            ``compliance_table``.
        remarks: What a reader should know about the texts, such as how many are empty.
        cost: One row per method, as in ``cost_table``; nothing is known of other people's texts.
        diversity: As in ``diversity_table``.
        terms: As in ``term_table``.
        stereotype: As in ``stereotype_table``; without rows where the task has no axis.
        slopes: Differences of its slopes, as in ``slope_comparisons``.
        fluency: As in ``fluency_table``; None where no model judged the texts.
        summary: One row per method, as in ``overview``.
        comparisons: Every pair of methods tested, as in ``statistics.comparisons``; without rows
            where there is one method alone.
        intervals: As in ``statistics.interval_table``.
        wilson: As in ``statistics.wilson_table``.
        consistency: As in ``statistics.consistency_table``.
    """

    completions: pd.DataFrame
    by_seed: pd.DataFrame
    compliance: pd.DataFrame
    remarks: tuple[str, ...] = ()
    cost: pd.DataFrame | None = None
    diversity: pd.DataFrame | None = None
    terms: pd.DataFrame | None = None
    stereotype: pd.DataFrame | None = None
    slopes: pd.DataFrame | None = None
    fluency: pd.DataFrame | None = None
    summary: pd.DataFrame | None = None
    comparisons: pd.DataFrame | None = None
    intervals: pd.DataFrame | None = None
    wilson: pd.DataFrame | None = None
    consistency: pd.DataFrame | None = None

    def __str__(self) -> str:
        """The tables as plain text, at most 80 columns wide, with the remarks under them."""
        console = Console(file=io.StringIO(), width=80, color_system=None)
        with console.capture() as capture:
            console.print(balance_table(self.compliance, self.by_seed, self.cost))
            if self.summary is not None:
                console.print(measures_table(self.summary))
        lines = [line.rstrip() for line in capture.get().splitlines()]
        return "\n".join([*lines, *self.remarks]).strip("\n")

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that were measured, by the name of the file they are written to."""
        named = {
            "summary.csv": self.summary,
            "by_seed.csv": self.by_seed,
            "compliance.csv": self.compliance,
            "diversity.csv": self.diversity,
            "fluency.csv": self.fluency,
            "stereotype.csv": self.stereotype,
            "slopes.csv": self.slopes,
            "terms.csv": self.terms,
            "cost.csv": self.cost,
            "comparisons.csv": self.comparisons,
            "intervals.csv": self.intervals,
            "wilson.csv": self.wilson,
            "consistency.csv": self.consistency,
        }
        return {name: table for name, table in named.items() if table is not None}


def assemble(
    scored: pd.DataFrame,
    task: Task,
    by_model: ByModel | None = None,
    *,
    cost: pd.DataFrame | None = None,
    controls: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
    settings: StatisticsSettings | None = None,
) -> Evaluation:
    """All tables over ``scored``.

    Args:
        scored: What ``score`` returned; several may be concatenated.
        task: The task they were scored with.
        by_model: What models have said.
        cost: What ``cost_table`` returned.
        controls: The kinds of control at work in each method.
        notes: Sentences to stand after those about the texts.
        settings: How methods are compared.
    """
    by_model = by_model or ByModel()
    scored = with_scores(scored, by_model)
    values = [text_values(scored, task)]
    judged: list[str] = []
    if by_model.agency is not None:
        values.append(agency_values(scored, task, by_model.agency.values))
        judged = agency_remarks(scored, by_model.agency)
    if by_model.associations is not None:
        values.append(association_values(by_model.associations, task))
        notes = (*all_occupations_note(by_model.associations, task), *notes)
    seeds = by_seed(scored, task)
    compliance = compliance_table(seeds)
    diversity = diversity_table(scored, task)
    by_occupation = pd.concat(values, ignore_index=True)
    stereotype = stereotype_table(by_occupation)
    fluency = fluency_table(scored, by_model.fluency) if by_model.fluency else None
    if fluency is not None and by_model.own is not None and BASE in by_model.fluency:
        moved = divergence_table(scored, by_model.own, by_model.fluency[BASE]).assign(judge=BASE)
        fluency = fluency.merge(moved, on=["judge", "method", "seed", "split"], how="left")
    sure = statistics_tables(scored, [name for name in SCORES if name in scored], settings)
    about_texts = [*remarks(scored, task), *judged, *no_shares_note(stereotype, task)]
    return Evaluation(
        completions=scored,
        by_seed=seeds,
        compliance=compliance,
        remarks=(*about_texts, *notes, *sure.remarks),
        cost=cost,
        diversity=diversity,
        terms=term_table(scored, task),
        stereotype=stereotype,
        slopes=slope_comparisons(by_occupation, headlines(task)),
        fluency=fluency,
        summary=overview(compliance, diversity, stereotype, fluency, cost, controls or {}),
        comparisons=sure.comparisons,
        intervals=sure.intervals,
        wilson=sure.wilson,
        consistency=sure.consistency,
    )
