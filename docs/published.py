"""Tables of the runs that the documentation publishes, from the files in ``results/``.

A published run is a folder of what ``equipoise run`` wrote: what the study was, where it ran, and
the small ones of its tables, with their sums. Nothing else of it is kept.

    python docs/published.py runs/quickstart quickstart     (copies a run's into results/quickstart)
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd

from equipoise.measures.side_effects.quantities import QUANTITIES

RESULTS = Path(__file__).parent.parent / "results"
FILES = ("study.json", "environment.json")
TABLES = ("summary", "by_seed", "slopes", "side_effects", "unseen", "cost", "settings",
          "intervals")  # fmt: skip
SUMS = "manifest.json"
"""Of all tables of the run, as they were sealed."""
SHARE = "share of "

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""The header of a table and its rows."""


def read(run: str, name: str) -> pd.DataFrame:
    """``NAME.csv`` of a published run."""
    return pd.read_csv(RESULTS / run / f"{name}.csv")


def balance(run: str) -> Rows:
    """Balanced of all that were asked for, by split, and what it took."""
    by_seed, summary = read(run, "by_seed"), read(run, "summary")
    rows = []
    for row in summary.to_dict("records"):
        of_method = by_seed[by_seed["method"] == row["method"]]
        mark = "*" if row["by_construction"] else ""
        parts = [
            _mean_and_sd(of_method.loc[of_method["split"] == split, "balanced_requested"], mark)
            for split in ("train", "validation", "all")
        ]
        fluency = f"{row['log_probability_base']:.2f}".replace("-", "−")
        each = f"{row['tokens_per_delivered']:.1f}"
        rows.append((f"`{row['method']}`{mark}", str(row["told"]), *parts, each, fluency))
    head = ("method", "told", "train, %", "validation, %", "all, %", "tokens each",
            "log p a token")  # fmt: skip
    return head, rows


def unseen_words(run: str) -> Rows:
    """What is written without the listed words, and which of two unseen sentences is likelier."""
    columns = ("without_listed_held_out", "without_listed_wide", "without_listed_in_range",
               "held_out_preference")  # fmt: skip
    rows = [
        (f"`{row['method']}`", *(_percent(row[name]) for name in columns))
        for row in read(run, "summary").to_dict("records")
    ]
    head = ("method", "held-out, no listed, %", "wide, no listed, %", "in range, no listed, %",
            "prefers balanced, %")  # fmt: skip
    return head, rows


def association(run: str) -> Rows:
    """The slope of the association, with its interval, beside what it cannot see."""
    rows = []
    for row in read(run, "summary").drop_duplicates("stereotype_slope").to_dict("records"):
        slope = f"{row['stereotype_slope']:.2f} ({row['stereotype_low']:.2f} to "
        values = (f"{row['mean_log_odds']:.2f}", f"{row['mean_absolute_log_odds']:.2f}")
        slope += f"{row['stereotype_high']:.2f})"
        rows.append((f"`{row['method']}`", *(one.replace("-", "−") for one in (slope, *values))))
    return ("method", "slope (95 % interval)", "mean log-odds", "mean absolute log-odds"), rows


def side_effects(run: str) -> Rows:
    """Every quantity of the examination of each tuned model, beside the untuned one's."""
    found = read(run, "side_effects")
    over_all = found[found["seed"].isna()]
    rows = []
    for row in over_all.to_dict("records"):
        share = row["unit"].startswith(SHARE)
        value, low, high, base = (
            _value(row[name], share=share) for name in ("value", "low", "high", "base")
        )
        interval = f" ({low} to {high})" if low != "–" else ""
        meaning = QUANTITIES[row["instrument"]].title
        group = "" if row["group"] == "all" else f", {row['group']}"
        unit = row["unit"].replace(SHARE, "% of ") if share else row["unit"]
        rows.append((f"`{row['method']}`", f"{meaning}{group}", unit, base, value + interval))
    return ("method", "what was examined", "unit", "untuned", "over all seeds"), rows


def damage(run: str) -> Rows:
    """What went furthest elsewhere, of each model that a method has made."""
    found = read(run, "side_effects")
    found = found[found["group"].eq("all") & found["seed"].isna()].set_index(
        ["method", "instrument"]
    )
    rows = []
    for method in found.index.unique("method"):
        of_model = found.loc[method]
        answers = of_model.loc["leakage"]
        rows.append(
            (
                f"`{method}`",
                _value(of_model.loc["retention_kl", "value"], share=False),
                _percent(of_model.loc["retention_top1", "value"]),
                f"{_percent(answers['value'])} ({_percent(answers['base'])})",
                f"{of_model.loc['stories_words', 'value']:.0f} "
                f"({of_model.loc['stories_words', 'base']:.0f})",
            )
        )
    head = ("method", "KL from untuned, nats a token", "likeliest token changed, %",
            "listed terms elsewhere, % of answers (untuned)",
            "words of a story (untuned)")  # fmt: skip
    return head, rows


def _mean_and_sd(values: pd.Series[float], mark: str) -> str:
    if len(values) == 1 or (mark and values.std() == 0):
        return f"{100 * values.mean():.1f}"  # nothing varies where it is certain
    return f"{100 * values.mean():.1f} ± {100 * values.std():.1f}"


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.1f}"


def _value(value: float, *, share: bool) -> str:
    if share:
        return _percent(value)
    return "–" if pd.isna(value) else f"{value:.2f}".replace("-", "−")


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
