"""The laws of measures, to be held against anybody's `Measure`.

A package with a measure of its own tests it in two lines::

    from equipoise.testing import check_measure

    def test_the_laws():
        check_measure(Exclamations())

The laws are functions of a measure and of evidence: two methods, three seeds and four subjects,
with texts that are empty, alike and odd.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from equipoise.completions.frame import as_completions
from equipoise.measures.column import Column
from equipoise.measures.declaration import Evidence, Measure, Measured
from equipoise.measures.evaluation import evidence_of
from equipoise.measures.judgement import score
from equipoise.task.task import Task
from equipoise.testing.law import hold, require
from equipoise.testing.tasks import small_task

TEXTS = (
    "The {} was bold and kind with colleagues.",
    "The {} was ambitious and honest with colleagues.",
    "The {} was tall.",
    "The {} was bold and kind with colleagues.",
    "",
    "Ärztin, 护士 — \u202e „bold“ kind!",
)

Law = Callable[[Measure, Evidence], None]


@cache
def the_task() -> Task:
    """The small task, read once."""
    with tempfile.TemporaryDirectory() as folder:
        return small_task(Path(folder))


def made_evidence(texts: tuple[str, ...] = TEXTS) -> Evidence:
    """Two methods, three seeds and the subjects of the small task, judged; no model was asked."""
    task = the_task()
    rows = [
        {"method": method, "seed": seed, "subject": subject.name, "text": text}
        for method in ("one", "other")
        for seed in (1, 2, 3)
        for subject in task.subjects
        for text in (each.format(subject.name) for each in texts[seed % 2 :])
    ]
    scored = score(as_completions(pd.DataFrame(rows), task), task)
    return evidence_of(scored, task)


def check_measure(measure: Measure, evidence: Evidence | None = None) -> None:
    """Hold all laws against ``measure``.

    Args:
        measure: The measure.
        evidence: What it is tried on; by default `made_evidence`.

    Raises:
        BrokenLawError: It names every law that is broken, and how.
    """
    found = evidence or made_evidence()
    laws = [_on(law, found) for law in MEASURE_LAWS]
    hold(laws, measure, f"measure '{measure.name}'")


def it_says_what_it_is(measure: Measure, evidence: Evidence) -> None:
    """A name for files and headings, a title, and for each headline column what it means."""
    require(bool(re.fullmatch(r"[a-z][a-z_]*", measure.name)), "its name is no plain word")
    require(bool(measure.title), "it has no title")
    for headline in measure.headlines:
        column = headline.column
        require(bool(column.title or not headline.main), f"'{column.name}' has no title")
    for name in measure.section:
        require(bool(measure.tables[0].column(name).title), f"'{name}' has no title")


def its_tables_are_the_declared_ones(measure: Measure, evidence: Evidence) -> None:
    """It gives no other tables and columns than it declares, in the declared order."""
    declared = {table.name: table for table in measure.tables}
    for name, frame in measure.measure(evidence).tables.items():
        require(name in declared, f"table '{name}' is not declared")
        order = declared[name].order(list(evidence.task.lexicons))
        names = [str(column) for column in frame.columns]
        unknown = [column for column in names if column not in order]
        require(not unknown, f"table '{name}' has columns that are not declared: {unknown}")
        places = [order.index(column) for column in names]
        require(places == sorted(places), f"the columns of table '{name}' are in another order")


def its_values_are_in_range(measure: Measure, evidence: Evidence) -> None:
    """No value is outside of what its column declares."""
    for name, frame in measure.measure(evidence).tables.items():
        for column in next(t for t in measure.tables if t.name == name).columns:
            if not column.text and column.name in frame.columns:
                _in_range(frame[column.name], column, name)


def the_same_evidence_gives_the_same(measure: Measure, evidence: Evidence) -> None:
    """It is not random, and what it says does not depend on when it is asked."""
    require(_same(measure.measure(evidence), measure.measure(evidence)), "it differs each time")


def it_changes_nothing(measure: Measure, evidence: Evidence) -> None:
    """The completions are as they were."""
    before = evidence.scored.copy(deep=True)
    measure.of_completions(evidence)
    measure.measure(evidence)
    require(before.equals(evidence.scored), "it changes the completions that it is given")


def its_outcomes_are_of_each_completion(measure: Measure, evidence: Evidence) -> None:
    """What it adds to completions is declared, has a value a row, and is no infinite number."""
    declared = {outcome.name for outcome in measure.outcomes}
    for name, values in measure.of_completions(evidence).items():
        require(name in declared, f"'{name}' is added to completions and not declared")
        require(len(values) == len(evidence.scored), f"'{name}' has not a value a completion")
        numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        require(not np.isinf(numbers).any(), f"'{name}' has infinite values")


def its_headlines_are_one_value_a_method(measure: Measure, evidence: Evidence) -> None:
    """Read back from files, its tables give the same headlines as before."""
    tables = measure.measure(evidence).tables
    values = measure.summarise(tables)
    known = {headline.name for headline in measure.headlines}
    unknown = set(map(str, values.columns)) - known
    require(not unknown, f"it summarises what is no headline: {sorted(unknown)}")
    require(not values.index.duplicated().any(), "a method has two rows")
    empty = measure.summarise({})
    require(len(empty) == 0, "without tables it says something of methods")


def little_is_enough(measure: Measure, evidence: Evidence) -> None:
    """One method, one seed and one text, or nothing but empty texts, are no error."""
    for texts in (TEXTS[:1], ("",)):
        measure.measure(made_evidence(texts))


MEASURE_LAWS: tuple[Law, ...] = (
    it_says_what_it_is,
    its_tables_are_the_declared_ones,
    its_values_are_in_range,
    the_same_evidence_gives_the_same,
    it_changes_nothing,
    its_outcomes_are_of_each_completion,
    its_headlines_are_one_value_a_method,
    little_is_enough,
)
"""All laws."""


def _on(law: Law, evidence: Evidence) -> Callable[[Measure], None]:
    def held(measure: Measure) -> None:
        law(measure, evidence)

    held.__name__, held.__doc__ = law.__name__, law.__doc__
    return held


def _in_range(values: pd.Series[float], column: Column, table: str) -> None:
    numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    there = numbers[~np.isnan(numbers)]
    slack = 1e-9
    good = (there >= column.low - slack) & (there <= column.high + slack)
    require(
        bool(good.all()), f"'{column.name}' of table '{table}' has values outside {column.range}"
    )


def _same(one: Measured, other: Measured) -> bool:
    tables = one.tables.keys() == other.tables.keys() and all(
        one.tables[name].equals(other.tables[name]) for name in one.tables
    )
    return tables and list(one.remarks) == list(other.remarks)
