"""What the studies below ``tuning/`` found, and which of the values each of them tried is chosen.

python docs/tuning_results.py runs/tuning-*     (adds them to results/tuning.csv)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
from markdown_table import markdown

from equipoise.wording.numbers import percent_spread

FILE = Path(__file__).parent.parent / "results" / "tuning.csv"
ABOUT = ["study", "method", "setting", "value"]
FOUND = ["balanced_requested", "log_probability_base"]
LEVEL = 0.03
"""Balance within which two values are as good; one standard error of 150 completions is up to 4."""


def of_run(run: Path) -> pd.DataFrame:
    """A row for each value that a finished tuning study tried."""
    record = json.loads((run / "study.json").read_text("utf-8"))
    summary = pd.read_csv(run / "results" / "summary.csv").set_index("method")
    rows = []
    for table, sweep in record["sweeps"].items():
        for label, value in sweep["methods"].items():
            found = summary.loc[label, FOUND]
            study = record["name"].replace("-", "/", 1)
            rows.append([study, table, sweep["setting"], float(value), *found])
    return pd.DataFrame(rows, columns=ABOUT + FOUND)


def chosen(rows: pd.DataFrame) -> float:
    """The value that is taken of those that one study tried.

    Of those balanced in at most `LEVEL` less than the best, the one whose texts the untuned model
    finds likeliest.
    """
    good = rows[rows["balanced_requested"] >= rows["balanced_requested"].max() - LEVEL]
    return float(good.loc[good["log_probability_base"].idxmax(), "value"])


def tuning() -> str:
    """All that was tried, the chosen value of each study in bold."""
    found = pd.read_csv(FILE)
    rows = []
    for _, of_study in found.groupby("study", sort=False):
        taken = chosen(of_study)
        for row in of_study.itertuples():
            value = f"{row.value:g}"
            rows.append(
                (
                    f"`{row.study}`",
                    f"`{row.setting}`",
                    f"**{value}**" if row.value == taken else value,
                    percent_spread(row.balanced_requested, float("nan")),
                    f"{row.log_probability_base:.2f}".replace("-", "−"),
                )
            )
    head = ("study", "setting", "value", "balanced, of all asked for", "log p a token, untuned")
    return markdown(head, rows)


def add(runs: list[Path]) -> None:
    """Write `FILE` anew, with what ``runs`` found in place of what was known of their studies."""
    new = pd.concat([of_run(run) for run in runs])
    old = pd.read_csv(FILE) if FILE.is_file() else new[:0]
    kept = old[~old["study"].isin(new["study"])]
    every = pd.concat([kept, new] if len(kept) else [new]).sort_values("study", kind="stable")
    every.to_csv(FILE, index=False, float_format="%.6g")


if __name__ == "__main__":
    add([Path(name) for name in sys.argv[1:]])
