"""The tables of the documentation that follow from declarations or results, written into the pages.

A page holds a table between ``<!-- table: NAME -->`` and ``<!-- end -->``. This writes all of them
anew; a test fails where a page says something else than the declarations.

    python docs/tables.py
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import published

from equipoise.measures import registry
from equipoise.measures.declaration import Column, Table
from equipoise.measures.side_effects.quantities import QUANTITIES as SIDE_EFFECTS
from equipoise.measures.stereotype import quantities as quantities_of
from equipoise.task.task_file import load_task

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "results"
CALIBRATED = ("rate_covered", "difference_covered", "gap_covered", "false_alarms",
              "falsely_equivalent")  # fmt: skip
FEW, SELDOM_WRONG = 300, 0.99
"""Completions in all, and the rate: three misses, too few for a narrow interval."""
PUBLISHED = ("quickstart", "families")
"""Runs of which files are in ``results/``."""
RUN_TABLES: dict[str, Callable[[str], published.Rows]] = {
    "balance": published.balance,
    "unseen-words": published.unseen_words,
    "association": published.association,
    "side-effects": published.side_effects,
    "damage": published.damage,
}
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def files() -> str:
    """Every file of ``results/`` that measures write, what a row is, and of which measure."""
    rows = [
        (f"`{table.name}.csv`", table.row, measure.title)
        for measure in registry.MEASURES
        for table in measure.tables
    ]
    return _markdown(("file", "a row is", "measure"), rows)


def summary() -> str:
    """The columns of ``summary.csv``; those of another table are explained there."""
    columns = [one.column for one in registry.headlines() if one.summary]
    told = {
        (column.name, column.meaning): f"as in `{table.name}.csv`"
        for table in reversed([*registry.tables()])
        for column in table.columns
    }
    rows = [
        (f"`{one.name}`", one.range, told.get((one.name, one.meaning), one.meaning))
        for one in columns
    ]
    return _markdown(("column", "range, unit", "meaning"), rows)


def quantities() -> str:
    """What each occupation is given a value of."""
    rows = [
        (f"`{one.name}`", one.unit, one.meaning) for one in quantities_of(load_task("occupations"))
    ]
    return _markdown(("measure", "unit", "value of an occupation"), rows)


def side_effect_quantities() -> str:
    """Every quantity of an examination, in one row what differs in its name alone."""
    named: dict[tuple[str, ...], list[str]] = {}
    for one in SIDE_EFFECTS.values():
        passes = "" if math.isinf(one.passes) else f"{one.passes:.2g}"
        stem = re.sub(r"\d+$", "…", one.name)
        names = named.setdefault((one.meaning, one.unit, passes), [])
        if f"`{stem}`" not in names:
            names.append(f"`{stem}`")
    rows = [(", ".join(names), *said) for said, names in named.items()]
    return _markdown(("instrument", "value", "unit", "let pass"), rows)


def of_table(table: Table) -> str:
    """The columns of one table that have a meaning."""
    return _columns(column for column in table.columns if column.meaning)


def calibration() -> str:
    """How often intervals and tests were right, from what ``benchmarks/calibration.py`` wrote."""
    found = pd.read_csv(RESULTS / "calibration.csv")
    sds = zip(found["seed_sd_a"], found["seed_sd_b"], strict=True)
    found["sds"] = ["alike" if a == b else f"{a:g} and {b:g}" for a, b in sds]
    order = {"held out": 0, "tuned": 1, "rate": 0, "score": 1, "sampled": 0, "fixed": 1}
    groups = sorted(
        found.groupby(["part", "kind", "about", "sds"]),
        key=lambda group: [order.get(str(name), 2) for name in group[0]],
    )
    rows = [
        (
            part,
            f"{kind}s",
            f"{about} subjects",
            sds,
            str(len(rows)),
            *(_range(rows[name]) for name in CALIBRATED),
        )
        for (part, kind, about, sds), rows in groups
    ]
    head = ("part", "of", "about", "seed SDs", "rows", "rate", "difference", "gap",
            "false alarms", "falsely equivalent")  # fmt: skip
    return _markdown(head, rows)


def answer_forms() -> str:
    """In which form models answered, from what ``benchmarks/answer_forms.py`` wrote."""
    found = pd.read_csv(RESULTS / "answer_forms.csv", dtype=str)
    rows = [
        (row["model"], row["api"], row["prompt"], row["seed"], row["form"], row["answers"])
        for row in found.to_dict("records")
    ]
    head = ("model", "asked by", "prompt", "seed", "the answer begins with", "answers")
    return _markdown(head, rows)


def control() -> str:
    """What control costs while drawing, from what ``benchmarks/bench_control.py`` printed."""
    rows = [
        (
            row["way"],
            f"{row['seconds']:.1f}",
            f"{row['times']:.2f} times {row['beside']}",
            "" if math.isnan(row["log_probability"]) else f"−{-row['log_probability']:.2f}",
            row["processor"],
        )
        for row in pd.read_csv(RESULTS / "control.csv").to_dict("records")
    ]
    head = (
        "way",
        "seconds of 160 completions",
        "cost",
        "log p a token, untuned model",
        "processor",
    )
    return _markdown(head, rows)


def calibration_worst() -> str:
    """Where tests and intervals are furthest from what they promise."""
    found = pd.read_csv(RESULTS / "calibration.csv")
    rates = found[found["kind"] == "rate"]
    unequal = rates[rates["seed_sd_b"] == 1]
    worst = unequal.groupby("part")[["false_alarms", "falsely_equivalent"]].max()
    alarms, equivalent = (
        f"{worst.loc['held out', name]:.1f} % (tuned part: {worst.loc['tuned', name]:.1f} %)"
        for name in ("false_alarms", "falsely_equivalent")
    )
    few = rates[rates["seeds"] * rates["samples"] * rates["subjects"] == FEW]
    covered = few.loc[few["rate"] == SELDOM_WRONG, list(CALIBRATED[:3])].max().max()
    return (
        "Where one method's seeds do not differ and the other's have an SD of 1, false alarms\n"
        f"rise to {alarms} and false equivalence to {equivalent}.\n"
        f"With {FEW} completions in all and a rate of {100 * SELDOM_WRONG:.0f} % intervals\n"
        f"hold the truth in up to {covered:.1f} %.\n"
    )


def calibration_slopes() -> str:
    """How often intervals of slopes held the truth, lowest to highest over the SDs simulated."""
    found = pd.read_csv(RESULTS / "calibration_slopes.csv")
    columns = ("even", "growing")
    return _ranges(found, ("occupations", "seeds"), columns, ("even scatter", "growing scatter"))


def intervals_tried() -> str:
    """How often other intervals of a rate held the truth, lowest to highest."""
    found = pd.read_csv(RESULTS / "calibration_intervals_tried.csv")
    columns = ("binomial", "satterthwaite", "banerjee", "mixture", "mixture_wilson")
    heads = ("binomial", "Satterthwaite", "Banerjee", "mixture", "mixture, Wilson (reported)")
    return _ranges(found, ("seeds", "seed_sd"), columns, heads)


def tests_tried() -> str:
    """How often other tests told equal methods apart, lowest to highest."""
    found = pd.read_csv(RESULTS / "calibration_tests_tried.csv")
    columns = ("two_rates", "cells", "whole_seeds", "fixed", "sampled")
    heads = ("two rates", "exchanged cells", "exchanged seeds", "t, fixed", "t, sampled")
    return _ranges(found, ("seeds", "seed_sd"), columns, heads)


def _ranges(
    found: pd.DataFrame, by: tuple[str, ...], columns: tuple[str, ...], heads: tuple[str, ...]
) -> str:
    """Lowest and highest of ``columns`` in each group of rows."""
    rows = [
        (*(f"{value:g}" for value in key), *(_range(rows[column]) for column in columns))
        for key, rows in found.groupby(list(by))
    ]
    return _markdown((*(name.replace("_sd", " SD") for name in by), *heads), rows)


def _range(values: pd.Series[float]) -> str:
    """Lowest and highest of several rows, in percent."""
    if values.isna().all():
        return "–"
    lowest, highest = f"{values.min():.1f}", f"{values.max():.1f}"
    return lowest if lowest == highest else f"{lowest}–{highest}"


def _columns(columns: Iterable[Column]) -> str:
    rows = [(f"`{one.name}`", one.range, one.meaning, one.misleads) for one in columns]
    return _markdown(("measure", "range", "meaning", "when it misleads"), rows)


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def makers() -> dict[str, Callable[[], str]]:
    """What makes each table, by its name."""
    found: dict[str, Callable[[], str]] = {
        "files": files,
        "summary": summary,
        "quantities": quantities,
        "calibration": calibration,
        "control": control,
        "calibration-worst": calibration_worst,
        "calibration-slopes": calibration_slopes,
        "intervals-tried": intervals_tried,
        "tests-tried": tests_tried,
        "answer-forms": answer_forms,
        "side_effect_quantities": side_effect_quantities,
    }
    for run in PUBLISHED:
        for name, make in RUN_TABLES.items():
            found[f"{run}-{name}"] = lambda run=run, make=make: _markdown(*make(run))
    for table in registry.tables():
        found[table.name] = lambda table=table: of_table(table)
    return found


def filled(text: str) -> str:
    """``text`` of a page with every table as the declarations have it."""
    made = makers()
    return BLOCK.sub(lambda block: block[1] + made[block[2]]() + block[3], text)


if __name__ == "__main__":
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text("utf-8")
        if (after := filled(before)) != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS)}: written anew\n")
