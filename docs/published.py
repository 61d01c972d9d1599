"""Tables of the runs that the documentation publishes, from the files in ``results/``.

A published run is a folder of what ``equipoise run`` wrote: what the study was, where it ran, and
the small ones of its tables, with their sums. Nothing else of it is kept.

    python docs/published.py runs/quickstart quickstart     (copies a run's into results/quickstart)
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.measures import registry
from equipoise.measures.side_effects.quantities import ALL, QUANTITIES
from equipoise.wording.numbers import percent_spread

RESULTS = Path(__file__).parent.parent / "results"
FILES = ("study.json", "environment.json")
TABLES = ("summary", "by_seed", "slopes", "side_effects", "unseen", "cost", "settings",
          "intervals")  # fmt: skip
SUMS = "manifest.json"
"""Of all tables of the run, as they were sealed."""
HEADLINES = {one.name: one for one in registry.headlines()}
BESIDE_BALANCE = ("told", "tokens_per_delivered", "log_probability_base")
UNSEEN = ("without_listed_held_out", "without_listed_wide", "without_listed_in_range",
          "held_out_preference")  # fmt: skip
ASSOCIATION = ("stereotype_slope", "mean_log_odds", "mean_absolute_log_odds")
DAMAGE = ("retention_kl", "retention_top1", "empty_answers", "leakage", "stories_words")

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""The header of a table and its rows."""


def read(run: str, name: str) -> pd.DataFrame:
    """``NAME.csv`` of a published run."""
    return pd.read_csv(RESULTS / run / f"{name}.csv")


def balance(run: str) -> Rows:
    """Balanced of all that were asked for, by split, and what it took."""
    by_seed = read(run, "by_seed")
    rows = []
    for row in read(run, "summary").to_dict("records"):
        of_method = by_seed[by_seed["method"] == row["method"]]
        certain = "*" if row["by_construction"] else ""
        parts = []
        for split in ("train", "validation", "all"):
            rates = of_method.loc[of_method["split"] == split, "balanced_requested"]
            sd = math.nan if certain and rates.std() == 0 else rates.std()
            parts.append(percent_spread(rates.mean(), sd))
        rest = (_written(row, name) for name in BESIDE_BALANCE)
        rows.append((f"`{row['method']}`{certain}", *parts, *rest))
    titles = (HEADLINES[name].column.title for name in BESIDE_BALANCE)
    return ("method", "train", "validation", "all", *titles), rows


def of_summary(run: str, names: Sequence[str]) -> Rows:
    """Some headlines of every method; of methods with the same values the first alone."""
    summary = read(run, "summary").drop_duplicates(list(names))
    rows = [
        (f"`{row['method']}`", *(_written(row, name) for name in names))
        for row in summary.to_dict("records")
    ]
    return ("method", *(HEADLINES[name].column.title for name in names)), rows


def side_effects(run: str) -> Rows:
    """Every quantity of the examination of each tuned model, beside the untuned one's."""
    found = read(run, "side_effects")
    rows = []
    for row in found[found["seed"].isna()].to_dict("records"):
        quantity = QUANTITIES[row["instrument"]]
        write = quantity.form.page
        ends = "" if pd.isna(row["low"]) else f" ({write(row['low'])} to {write(row['high'])})"
        group = "" if row["group"] == ALL else f", {row['group']}"
        title = f"{quantity.title}{group}"
        value = f"{write(row['value'])}{ends}"
        rows.append((f"`{row['method']}`", title, row["unit"], write(row["base"]), value))
    return ("method", "what was examined", "unit", "untuned", "over all seeds"), rows


def damage(run: str) -> Rows:
    """What went furthest elsewhere, of each model that a method has made."""
    found = read(run, "side_effects")
    found = found[found["seed"].isna() & found["group"].eq(ALL)]
    names = [name for name in DAMAGE if name in set(found["instrument"])]
    rows = []
    for method, of_model in found.groupby("method", sort=False):
        values = []
        for row in of_model.set_index("instrument").loc[names].reset_index().itertuples():
            write = QUANTITIES[row.instrument].form.page
            values.append(f"{write(row.value)} ({write(row.base)})")
        rows.append((f"`{method}`", *values))
    titles = (f"{QUANTITIES[name].title}, {QUANTITIES[name].unit} (untuned)" for name in names)
    return ("method", *titles), rows


def _written(row: Mapping[Hashable, Any], name: str) -> str:
    """A headline of a method as a page writes it, with its interval where it has one."""
    headline = HEADLINES[name]
    write = headline.column.form.page
    if not headline.ends:
        return write(row[name])
    low, high = (write(row[end]) for end in headline.ends)
    return f"{write(row[name])} ({low} to {high})"


def publish(run: Path, name: str) -> None:
    """Copy what is published of a finished ``run`` into ``results/NAME``."""
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{table}.csv" for table in TABLES] + [SUMS]
    for path in (*(run / file for file in FILES), *(run / "results" / file for file in names)):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2])
