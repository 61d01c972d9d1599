"""Scored completions made of counts, so that every rate is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import pytest

Counts = Mapping[str, Mapping[int, Mapping[str, tuple[int, int]]]]
"""method -> seed -> subject -> (hits, completions)."""

Scored = Callable[[Counts], pd.DataFrame]


@pytest.fixture
def scored() -> Scored:
    """Makes a frame of scored completions; subjects whose name starts with v are validation."""

    def make(counts: Counts) -> pd.DataFrame:
        rows = [
            (method, seed, subject, "validation" if subject[0] == "v" else "train", i < hits)
            for method, seeds in counts.items()
            for seed, subjects in seeds.items()
            for subject, (hits, n) in subjects.items()
            for i in range(n)
        ]
        return pd.DataFrame(rows, columns=["method", "seed", "subject", "split", "balanced"])

    return make


@pytest.fixture
def study(scored: Scored) -> pd.DataFrame:
    """Two methods, three seeds, two train and two validation subjects of 10 completions."""
    return scored(
        {
            "sft": {
                seed: {s: (k, 10) for s, k in zip(("t1", "t2", "v1", "v2"), hits, strict=True)}
                for seed, hits in ((1, (9, 8, 9, 6)), (2, (8, 8, 7, 7)), (3, (9, 10, 8, 8)))
            },
            "prompt": {
                seed: {s: (k, 10) for s, k in zip(("t1", "t2", "v1", "v2"), hits, strict=True)}
                for seed, hits in ((1, (2, 1, 3, 0)), (2, (1, 3, 2, 2)), (3, (2, 2, 1, 1)))
            },
        }
    )
