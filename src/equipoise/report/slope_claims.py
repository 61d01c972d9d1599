"""What the tests between slopes of stereotype carry: sentences that say as much as a row does."""

from __future__ import annotations

import math
from typing import Any

from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.numbers import listing, p_clause, signed


def slope_claims(run: FinishedRun, measure: str) -> list[str]:
    """One sentence for each pair of slopes that could be tested, shown differences first.

    They rest on ``results/slopes.csv``; none without it. Methods on one model have one association:
    they stand together, and are not tested against each other.

    Args:
        run: The run.
        measure: Such as ``association_unfitted``.
    """
    table = run.tables.get("slopes")
    if table is None:
        return []
    rows = records(table[table["measure"] == measure])
    alike = _alike(rows)
    tested: dict[frozenset[str], dict[str, Any]] = {}
    for row in rows:
        a, b = (listing(alike[row[side]]) for side in ("method_a", "method_b"))
        if not math.isnan(row["p_holm"]):
            tested.setdefault(frozenset((a, b)), {**row, "method_a": a, "method_b": b})
    order = sorted(
        tested.values(), key=lambda row: (row["p_holm"] >= run.alpha, -abs(row["difference"]))
    )
    return [_claim(row, run.alpha) for row in order]


def _alike(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """For each method those whose slope is the same because their model is, itself among them."""
    names = dict.fromkeys(name for row in rows for name in (row["method_a"], row["method_b"]))
    found = {name: [name] for name in names}
    for row in rows:
        one, other = found[row["method_a"]], found[row["method_b"]]
        if math.isnan(row["p_holm"]) and row["difference"] == 0 and one is not other:
            one += other
            for name in other:
                found[name] = one
    return found


def _claim(row: dict[str, Any], alpha: float) -> str:
    first_is_higher = not row["difference"] < 0
    sign = 1 if first_is_higher else -1
    higher, lower = (row["method_a"], row["method_b"])[::sign]
    slopes = (row["slope_a"], row["slope_b"])[::sign]
    ends = sorted((sign * row["low"], sign * row["high"]))
    found = "significantly higher than" if row["p_holm"] < alpha else "not shown to differ from"
    return (
        f"The slope of {higher} ({signed(slopes[0])}) is {found} that of {lower} "
        f"({signed(slopes[1])}): difference {signed(sign * row['difference'])}, "
        f"95 % interval {signed(ends[0])} to {signed(ends[1])}; {p_clause(row['p_holm'])}, "
        "Holm-corrected."
    )
