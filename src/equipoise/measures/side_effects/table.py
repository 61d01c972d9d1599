"""The tables of side effects: values with intervals, and tests between models.

Everything is a mean over items (see `influence`), so that seeds and items are crossed as seeds and
subjects are in ``statistics.two_level``: intervals are for new items of the kind and, over several
seeds, for new seeds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from equipoise.measures.side_effects.quantities import QUANTITIES, Quantity, quantity_of
from equipoise.statistics.comparisons import holm
from equipoise.statistics.estimate import Estimate
from equipoise.statistics.intervals import rate_interval
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.two_level import difference, mean

BASE = "base model"
"""Stands for the base model among methods; no label of a study has a space in it."""

NO_SEED = -1
"""Stands for the seed of a model that has none: the base model, and one outside of a study."""

Grids = Mapping[str, pd.DataFrame]
"""Of each model, the base model among them, the values: a row an item, a column a seed."""


def labelled(items: pd.DataFrame, method: str, seed: int | None = None) -> pd.DataFrame:
    """``items`` with the ``method`` and ``seed`` of the model that they are of."""
    seeds = pd.array([seed] * len(items), dtype="Int64")
    return items.assign(method=method, seed=seeds)


def side_effects_table(items: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """A row for each method, seed, quantity and group, and one for all seeds.

    Columns: ``method``, ``seed`` (missing for all seeds), ``instrument``, ``group``, ``value``,
    ``low``, ``high`` (missing where nothing varies), ``n`` (items), ``base`` (the base model's
    value, missing where nobody measured it), ``unit``.

    Args:
        items: Items of all models, with ``method`` and ``seed``; those of the base model have
            the method `BASE`. Those of lm-evaluation-harness have a ``unit``.
        alpha: The intervals are of ``1 - alpha``.
    """
    rows: list[dict[str, Any]] = []
    for one, group, grids in _grids(items):
        base = _base_value(one, grids)
        for method, grid in grids.items():
            if method == BASE:
                continue
            parts = [(int(seed), grid[[seed]]) for seed in grid.columns if int(seed) != NO_SEED]
            for seed, part in [*parts, (pd.NA, grid)]:
                rows.append(
                    {"method": method, "seed": seed, "instrument": one.name, "group": group,
                     **_value(one, part, alpha), "base": base, "unit": one.unit}
                )  # fmt: skip
    columns = ["method", "seed", "instrument", "group", "value", "low", "high", "n", "base", "unit"]
    frame = pd.DataFrame(rows, columns=columns).astype({"seed": "Int64", "n": "Int64"})
    order = {method: place for place, method in enumerate(dict.fromkeys(items["method"]))}
    return frame.sort_values("method", key=lambda m: m.map(order), kind="stable", ignore_index=True)


def paired_table(items: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """A row for each quantity, group and two models: how they differ, over the same items.

    ``difference`` is ``method_a`` minus ``method_b``, which is the base model or another method.
    ``p_holm`` is corrected over all rows of a quantity; ``shown`` says ``yes`` where it is below
    ``alpha``. What has a value by definition is not tested against the base model.

    Args:
        items: As for `side_effects_table`.
        alpha: Level of the tests.
    """
    rows: list[dict[str, Any]] = []
    for one, group, grids in _grids(items):
        others = [method for method in grids if method != BASE]
        pairs = [(method, BASE) for method in others if BASE in grids]
        for a, b in [*pairs, *itertools.combinations(others, 2)]:
            tested = _test(one, grids[a], grids[b], alpha)
            rows.append(
                {"instrument": one.name, "group": group, "method_a": a, "method_b": b, **tested}
            )
    columns = [
        "instrument", "group", "method_a", "method_b", "n", "seeds", "difference", "low", "high",
        "p", "p_holm", "shown",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns).astype({"n": "Int64", "seeds": "Int64"})
    for _, family in frame.groupby("instrument", sort=False):
        frame.loc[family.index, "p_holm"] = holm(family["p"].tolist())
    frame["p_holm"] = frame["p_holm"].astype(float)
    frame["shown"] = np.where(frame["p_holm"] < alpha, "yes", "no")
    return frame


def _grids(items: pd.DataFrame) -> Iterator[tuple[Quantity, str, Grids]]:
    """The values of each quantity and group, tasks of lm-evaluation-harness last.

    What nobody has declared is left out.
    """
    places = {name: place for place, name in enumerate(QUANTITIES)}
    units = items["unit"] if "unit" in items else pd.Series("", items.index)
    items = items.assign(unit=units.fillna(""))
    items = items.sort_values("instrument", key=lambda names: names.map(places), kind="stable")
    for (name, group), part in items.groupby(["instrument", "group"], sort=False):
        if (one := quantity_of(str(name), str(part["unit"].iloc[0]))) is None:
            continue
        grids = {
            str(method): own.pivot_table(
                index="item", columns="seed", values="value", sort=False, dropna=False
            )
            for method, own in part.assign(seed=part["seed"].fillna(NO_SEED)).groupby(
                "method", sort=False
            )
        }
        yield one, str(group), grids


def _base_value(one: Quantity, grids: Grids) -> float:
    if one.by_definition is not None:
        return one.by_definition
    return float(grids[BASE].to_numpy().mean()) if BASE in grids else math.nan


def _value(one: Quantity, grid: pd.DataFrame, alpha: float) -> dict[str, Any]:
    """Value, interval and number of items of one grid."""
    values = grid.dropna().to_numpy(dtype=float).T
    found = mean(values, "sampled", _floor(one, values))
    if one.rate and values.shape[1] > 1:
        found = _of_binary_items(found, values.shape[1])
    return {"value": float(found.value), "n": values.shape[1], **_ends(one, found, values, alpha)}


def _of_binary_items(found: Estimate, n: int) -> Estimate:
    """The same with all degrees of freedom of ``n`` items, its last source.

    That few of many items are 1 makes their spread skewed, but with Wilson's interval the rate says
    how large it is.
    """
    df = found.df.copy()
    df[-1] = n - 1
    return replace(found, df=df)


def _ends(one: Quantity, found: Estimate, values: np.ndarray, alpha: float) -> dict[str, float]:
    """The interval; none where nothing varies or there is one item."""
    if found.se == 0 or values.shape[1] < 2:
        return {"low": math.nan, "high": math.nan}
    if one.rate:
        low, high = rate_interval(found, np.asarray(values.size), 1 - alpha)
    else:
        low, high = found.interval(1 - alpha)
    return {"low": max(float(low), one.lowest), "high": min(float(high), one.highest)}


def _floor(one: Quantity, *sides: np.ndarray) -> Any:
    """The variance that items alone give where a rate is near 0 or 1."""
    if not one.rate:
        return np.asarray(0.0)
    return sampling_floor(*((float(side.sum()), float(side.size)) for side in sides))


def _test(one: Quantity, a: pd.DataFrame, b: pd.DataFrame, alpha: float) -> dict[str, Any]:
    """Two grids over the items that both have."""
    a, b = a.dropna(), b.dropna()
    common = [item for item in a.index if item in b.index]
    left, right = (grid.loc[common].to_numpy(dtype=float).T for grid in (a, b))
    row: dict[str, Any] = {"n": len(common), "seeds": len(left), "p": math.nan}
    if not common:
        return row
    paired = list(a.columns) == list(b.columns)
    if not paired and len(right) == 1:  # one base model for all seeds
        right, paired = np.broadcast_to(right, left.shape), True
    found = difference(left, right, paired=paired, sampling=_floor(one, left, right))
    row["difference"] = float(found.value)
    if found.se > 0:
        low, high = (float(end) for end in found.interval(1 - alpha))
        row |= {"low": low, "high": high, "p": float(found.p_value())}
    return row
