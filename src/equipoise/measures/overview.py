"""The summary: one row a method, with what the main table of a paper has."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

BASE, INDEPENDENT = "base", "independent"
"""Labels of the two judges of fluency."""

HEADLINE = "association_unfitted"
"""The measure of stereotype that stands in the summary."""


def overview(
    compliance: pd.DataFrame,
    diversity: pd.DataFrame,
    stereotype: pd.DataFrame,
    fluency: pd.DataFrame | None,
    cost: pd.DataFrame | None,
    controls: Mapping[str, str],
) -> pd.DataFrame:
    """One row a method, in order of first appearance; means over seeds of all its completions.

    Columns: ``method``, ``control`` (the kinds at work, see ``study.dependencies.control_of``;
    empty where nobody knows), ``seeds``, ``n``, ``balanced_train``, ``balanced_validation``,
    ``balanced_held_out``, ``satisfied`` (rates 0-1, see ``compliance_table``), ``entropy`` (bits),
    ``pairs_share``, ``self_bleu``, ``templates`` (0-1, see ``diversity_table``),
    ``log_probability_base``, ``log_probability_independent`` (medians in nats per token, see
    ``fluency_table``), ``divergence`` (from the untuned model, nats a sentence, an estimate that
    may be below 0, see ``divergence_table``), ``terms_slope``, ``stereotype_slope``,
    ``stereotype_low``, ``stereotype_high`` (of the terms in the texts, and of the unfitted
    association with its 95 % interval, over all seeds; see ``stereotype_table``),
    ``tokens_per_delivered``, ``fit_seconds``, ``peak_gb``, ``trainable_parameters`` (of the
    method's own step, see ``cost_table``; the first is infinite where nothing was delivered).
    What was not measured is NaN.

    Args:
        compliance: ``compliance_table``.
        diversity: ``diversity_table``.
        stereotype: ``stereotype_table``.
        fluency: ``fluency_table``.
        cost: ``cost_table``.
        controls: Kinds of control at work in each method.
    """
    whole = compliance[compliance["split"] == "all"].set_index("method")
    by_split = compliance.pivot_table(
        index="method", columns="split", values="balanced_mean", sort=False, dropna=False
    )
    varied = _means(diversity, ["entropy", "pairs_share", "self_bleu", "templates"])
    columns: dict[str, object] = {
        "control": None,
        "seeds": whole["seeds"],
        "n": whole["n"],
        "balanced_train": by_split.get("train"),
        "balanced_validation": by_split.get("validation"),
        "balanced_held_out": whole["balanced_held_out_mean"],
        "satisfied": whole["satisfied_mean"],
        **{name: varied[name] for name in varied.columns},
    }
    for judge in (BASE, INDEPENDENT):
        columns[f"log_probability_{judge}"] = _median(fluency, judge)
    columns["divergence"] = None
    if fluency is not None and "divergence" in fluency:
        moved = fluency[fluency["judge"] == BASE]
        columns["divergence"] = _means(moved, ["divergence"])["divergence"]
    pooled = stereotype[stereotype["seed"].isna()].set_index(["measure", "method"])
    columns["terms_slope"] = _of(pooled, "terms", "slope")
    for name in ("slope", "low", "high"):
        columns[f"stereotype_{name}"] = _of(pooled, HEADLINE, name)
    known = None if cost is None else cost.set_index("method")
    for name in ("tokens_per_delivered", "fit_seconds", "peak_gb", "trainable_parameters"):
        columns[name] = None if known is None else known[name]
    index = whole.index if known is None else known.index.union(whole.index, sort=False)
    empty = pd.Series(float("nan"), index=index)
    found = {
        name: value.reindex(index) if isinstance(value, pd.Series) else empty
        for name, value in columns.items()
    }
    table = pd.DataFrame(found, index=index).rename_axis("method").reset_index()
    table["control"] = pd.Series([controls.get(name, "") for name in table["method"]], dtype="str")
    return table.astype({"seeds": "Int64", "n": "Int64"}).fillna({"seeds": 0, "n": 0})


def _means(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Means over seeds of columns of a table by method, seed and split, of the split ``all``."""
    return table[table["split"] == "all"].groupby("method", sort=False)[names].mean()


def _median(fluency: pd.DataFrame | None, judge: str) -> pd.Series[float] | None:
    """Mean over seeds of the median log-probability per token by ``judge``, by method."""
    if fluency is None or judge not in set(fluency["judge"]):
        return None
    part = fluency[fluency["judge"] == judge]
    return _means(part, ["log_probability_median"])["log_probability_median"]


def _of(pooled: pd.DataFrame, measure: str, name: str) -> pd.Series[float] | None:
    """Column ``name`` of one measure of stereotype over all seeds, by method."""
    if measure not in pooled.index.get_level_values("measure"):
        return None
    values: pd.Series[float] = pooled.xs(measure, level="measure")[name]
    return values
