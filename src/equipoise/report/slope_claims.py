"""What the tests between slopes of stereotype carry: sentences that say as much as a row does."""

from __future__ import annotations

import math
from typing import Any

from equipoise.report.finished_run import FinishedRun
from equipoise.report.numbers import p_value, signed
from equipoise.report.records import records


def slope_claims(run: FinishedRun, measure: str) -> list[str]:
    """One sentence for each pair of methods whose slopes could be tested, shown differences first.

    They rest on ``results/slopes.csv``; none without it. Two methods on one model have one
    association, so that there is nothing to test.

    Args:
        run: The run.
        measure: Such as ``association_unfitted``.
    """
    table = run.tables.get("slopes")
    if table is None:
        return []
    rows = records(table[(table["measure"] == measure) & table["p_holm"].notna()])
    rows.sort(key=lambda row: (row["p_holm"] >= run.alpha, -abs(row["difference"])))
    return [_claim(row, run.alpha) for row in rows]


def _claim(row: dict[str, Any], alpha: float) -> str:
    first_is_higher = not row["difference"] < 0
    sign = 1 if first_is_higher else -1
    higher, lower = (row["method_a"], row["method_b"])[::sign]
    slopes = (row["slope_a"], row["slope_b"])[::sign]
    ends = sorted((sign * row["low"], sign * row["high"]))
    shown = row["p_holm"] < alpha
    found = "is significantly higher than" if shown else "is not shown to differ from"
    interval = "" if math.isnan(ends[0]) else f"{signed(ends[0])} to {signed(ends[1])}; "
    return (
        (
            f"The slope of {higher} ({signed(slopes[0])}) {found} that of {lower} "
            f"({signed(slopes[1])}): difference {signed(sign * row['difference'])}, "
            f"95 % interval {interval}p = {p_value(row['p_holm'])}, Holm-corrected."
        )
        .replace("p = <", "p <")
        .replace("p = >", "p >")
    )
