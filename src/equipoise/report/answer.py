"""The question a study asks and the answer it gives, in sentences made of measured numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from equipoise.report.claims import claim, comparison_rows
from equipoise.report.headline import delivery_notes, has_unseen, leading_split
from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.task.constraint import bare, is_set
from equipoise.task.task import Task
from equipoise.wording.numbers import counted, listing, percent, signed


@dataclass(frozen=True)
class Answer:
    """What the first screen says.

    Attributes:
        question: One sentence.
        definition: When a sentence counts as balanced.
        result: The balance rates, best first, one sentence.
        limits: What a reader must know before quoting them, one sentence each.
    """

    question: str
    definition: str
    result: str
    limits: tuple[str, ...]


def answer(run: FinishedRun, table: pd.DataFrame) -> Answer:
    """The answer of a run.

    Args:
        run: The run.
        table: Its ``headline``.
    """
    return Answer(
        question=f"Which method gives balanced sentences from {run.model}?",
        definition=definition(run.task),
        result=result(table),
        limits=tuple(limits(run, table)),
    )


def definition(task: Task) -> str:
    """The constraint of a task in words."""
    constraint = task.constraint
    parts = []
    if constraint.all_of:
        parts.append(listing([f"at least one {_entry(entry)}" for entry in constraint.all_of]))
    if constraint.any_of:
        parts.append(listing([_entry(entry) for entry in constraint.any_of], "or"))
    if constraint.none_of:
        parts.append(f"no {listing([_entry(entry) for entry in constraint.none_of], 'or')}")
    fewest, most = constraint.words
    return f"Balanced: {', '.join(parts)}. Length is judged apart ({fewest} to {most} words)."


def _entry(entry: str) -> str:
    return f"{bare(entry)} term" if is_set(entry) else f"“{entry}”"


def result(table: pd.DataFrame, most: int = 5) -> str:
    """The balance rates, highest first, in a sentence; those by construction in one of their own.

    They are of all completions that were asked for, where it is known how many those were.
    """
    split = leading_split(table)
    ranked = table.sort_values(split, ascending=False, kind="stable", na_position="last")
    found, certain = (ranked[ranked["certain"] == flag] for flag in (False, True))
    told = [_rate(row, split) for row in records(found.head(most))]
    rest = len(found) - len(told)
    if rest:
        told.append(f"{counted(rest, 'other')} less")
    where = "On subjects never trained on" if split == "validation" else "Over all subjects"
    asked = "of the completions asked for, " if table[f"{split}_wanted"].notna().any() else ""
    balanced = f"{asked}balanced are" if asked else "completions are balanced"
    sentences = [f"{where}, {balanced}: {listing(told)}."] if told else []
    if len(certain):
        rates = [_rate(row, split) for row in records(certain)]
        opening = "By" if told else f"{where}, by"
        sentences.append(f"{opening} construction: {listing(rates)}.")
    return " ".join(sentences)


def _rate(row: dict[str, Any], split: str) -> str:
    """A method's rate on a split, and what it is among the completions that it did deliver."""
    told = f"{row['method']} {percent(row[split])}"
    n, wanted = row[f"{split}_n"], row[f"{split}_wanted"]
    if not n < wanted:
        return told
    return f"{told} ({percent(row[f'{split}_delivered'])} of the {n:,.0f} delivered)"


def limits(run: FinishedRun, table: pd.DataFrame) -> list[str]:
    """What goes with the balance rates, or they mislead."""
    found = [
        *_unseen(table),
        *_words(table),
        *_delivered(run, table),
        *_stereotype(run, table),
        *_tests(run, table),
    ]
    if run.missing_cells:
        names = [f"{label} with seed {seed}" for label, seed in run.missing_cells]
        shown = names[:6] + ([f"{len(names) - 6} more"] if len(names) > 6 else [])
        found.append(f"Not finished, and in no number here: {listing(shown)}.")
    return found


def _unseen(table: pd.DataFrame) -> list[str]:
    """That there are too few unseen subjects to lead with."""
    if leading_split(table) == "validation" or not has_unseen(table):
        return []
    subjects = counted(int(table["unseen"].max()), "subject")
    return [
        f"Rates of the {subjects} never trained on stand in the table; so few carry no comparison "
        "of methods by themselves."
    ]


def _words(table: pd.DataFrame) -> list[str]:
    """Whether balance carries over to words of the same meaning that were held out."""
    held_out = table["balanced_held_out"]
    if held_out.isna().all():
        return ["Whether this carries over to other words was not measured: none are held out."]
    best = records(table)[int(held_out.argmax())]
    return [
        "That is with the listed words. With held-out words of the same meaning alone, no method "
        f"is balanced in more than {percent(best['balanced_held_out'])} of its completions"
        + (f" ({best['method']})." if best["balanced_held_out"] > 0 else ".")
    ]


def _delivered(run: FinishedRun, table: pd.DataFrame) -> list[str]:
    short = [
        f"{row['method']} delivered {row['n']:,} of the {row['wanted']:,.0f} "
        f"completions it was asked for; {percent(row['all_delivered'])} of those are balanced"
        f"{', by construction' if row['certain'] else ''}."
        for row in records(table)
        if row["n"] < row["wanted"]
    ]
    return [*short, *delivery_notes(run)]


def _stereotype(run: FinishedRun, table: pd.DataFrame) -> list[str]:
    if table["stereotype_slope"].isna().all():
        return []
    axis = run.task.axis
    name, share = (axis.name, axis.share) if axis else ("the axis", "the axis")
    told = [f"{row['method']} {signed(row['stereotype_slope'])}" for row in records(table)]
    return [
        f"Balance of words is not absence of bias. Association of subjects with {name}, in nats "
        f"per 100 points of the share of {share}: {listing(told)}."
    ]


def _tests(run: FinishedRun, table: pd.DataFrame) -> list[str]:
    rows = comparison_rows(run, "balanced", leading_split(table))
    if rows.empty:
        return ["Methods were not tested against each other, so no difference is called shown."]
    claims = [claim(row, run.alpha) for row in records(rows)]
    count = sum(one.finding == "differs" for one in claims)
    equal = sum(one.finding == "equivalent" for one in claims)
    seeds = counted(len(run.seeds), "seed")
    return [
        f"Of {counted(len(claims), 'pair')} of methods, {count} "
        f"{'is' if count == 1 else 'are'} shown to differ after Holm’s correction, {equal} to be "
        f"equivalent; with {seeds}, the rest is not shown either way."
    ]
