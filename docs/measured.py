"""Tables of measurements that are not runs of a study, from the files that benchmarks wrote."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
from markdown_table import markdown

RESULTS = Path(__file__).parent.parent / "results"
CALIBRATED = ("rate_covered", "difference_covered", "gap_covered", "false_alarms",
              "falsely_equivalent")  # fmt: skip
FEW, SELDOM_WRONG = 300, 0.99
"""Completions in all, and the rate: three misses, too few for a narrow interval."""


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
    return markdown(head, rows)


def answer_forms() -> str:
    """In which form models answered, from what ``benchmarks/answer_forms.py`` wrote."""
    found = pd.read_csv(RESULTS / "answer_forms.csv", dtype=str)
    rows = [
        (row["model"], row["api"], row["prompt"], row["seed"], row["form"], row["answers"])
        for row in found.to_dict("records")
    ]
    head = ("model", "asked by", "prompt", "seed", "the answer begins with", "answers")
    return markdown(head, rows)


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
    return markdown(head, rows)


def training_words() -> str:
    """Balance with more words in training, from what ``benchmarks/training_words.py`` wrote."""
    columns = ("words", "seed", "completions", "balanced", "forbidden", "wide", "in_range")
    rows = [
        (
            str(row["words"]) if row["words"] else "0 (untuned)",
            *(f"{100 * row[name] / row['completions']:.1f}" for name in columns[3:4]),
            str(row["forbidden"]),
            *(f"{100 * row[name] / row['completions']:.1f}" for name in columns[5:]),
        )
        for row in pd.read_csv(RESULTS / "training_words.csv", names=columns).to_dict("records")
    ]
    head = ("words a side in training", "balanced in them, %", "words then taken away",
            "balanced in the half never taught, %", "in range, %")  # fmt: skip
    return markdown(head, rows)


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
    return markdown((*(name.replace("_sd", " SD") for name in by), *heads), rows)


def _range(values: pd.Series[float]) -> str:
    """Lowest and highest of several rows, in percent."""
    if values.isna().all():
        return "–"
    lowest, highest = f"{values.min():.1f}", f"{values.max():.1f}"
    return lowest if lowest == highest else f"{lowest}–{highest}"
