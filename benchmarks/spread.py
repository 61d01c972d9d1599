"""How unequal are seeds and subjects? SDs on the logit scale of finished runs' balance rates.

What ``calibration.py`` takes for realistic, and what ``equipoise power`` wants to be told. Moments:
the variance of the rates over subjects (seeds pooled) or over seeds (subjects pooled), less what
drawing completions adds, brought to the logit scale by p (1 - p). Methods that nearly never or
nearly always balance are left out: nothing can be seen of them.

    python benchmarks/spread.py runs/quickstart runs/full     # of the built-in occupations
"""

from __future__ import annotations

import math
import sys

import pandas as pd

from equipoise.runs.finished_run import read_run
from equipoise.task.task_file import load_task

LEAST = 0.005
"""Rates below this, or above one minus this, are left out."""


def spread(balanced: pd.Series[bool], groups: pd.Series[str] | pd.Series[int]) -> float:
    """SD over groups on the logit scale, 0 where they differ no more than chance lets them."""
    rate = float(balanced.mean())
    by_group = balanced.groupby(groups).agg(["mean", "size"])
    chance = (by_group["mean"] * (1 - by_group["mean"]) / by_group["size"]).mean()
    return math.sqrt(max(by_group["mean"].var() - chance, 0)) / (rate * (1 - rate))


def main() -> None:
    """Print a row for each run and method."""
    print("| run | method | balanced | SD over subjects | over seeds |\n" + "|---" * 5 + "|")
    for folder in sys.argv[1:]:
        run = read_run(folder, load_task("occupations"))
        for method, part in run.completions.groupby("method", sort=False):
            balanced = part["balanced"].astype(bool)
            if LEAST < balanced.mean() < 1 - LEAST:
                of_subjects, of_seeds = (spread(balanced, part[n]) for n in ("subject", "seed"))
                rate = f"{100 * balanced.mean():.1f} %"
                sds = f"{of_subjects:.2f} | {of_seeds:.2f}"
                print(f"| {run.folder.name} | `{method}` | {rate} | {sds} |")


if __name__ == "__main__":
    main()
