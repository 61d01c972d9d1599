"""The parts of a completions frame that a table has a row for: method, seed and split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from equipoise.statistics.cells import SPLITS


class Group(NamedTuple):
    """The completions of one method and seed whose subjects are in one split."""

    method: str
    seed: int
    split: str
    part: pd.DataFrame


def split_groups(completions: pd.DataFrame) -> Iterator[Group]:
    """Each method, seed and split that has completions.

    Methods stand in order of first appearance, seeds ascend, splits follow ``SPLITS``.

    Args:
        completions: With the columns ``method``, ``seed`` and ``split``.
    """
    for method, of_method in completions.groupby("method", sort=False):
        for seed, cell in of_method.groupby("seed"):
            for split in SPLITS:
                part = cell if split == "all" else cell[cell["split"] == split]
                if len(part):
                    yield Group(str(method), int(str(seed)), split, part)


def in_order(frame: pd.DataFrame, methods: pd.Series[str]) -> pd.DataFrame:
    """``frame`` sorted by first appearance in ``methods``, then seed (if there), then split."""
    position = {name: i for i, name in enumerate(dict.fromkeys(methods))}
    rank = {split: i for i, split in enumerate(SPLITS)}
    keyed = frame.assign(_method=frame["method"].map(position), _split=frame["split"].map(rank))
    keys = ["_method", *(["seed"] if "seed" in frame.columns else []), "_split"]
    return keyed.sort_values(keys, kind="stable", ignore_index=True).drop(
        columns=["_method", "_split"]
    )
