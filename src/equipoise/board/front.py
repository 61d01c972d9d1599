"""The Pareto front: the methods that no other method beats.

One method beats another if it is at least as good by every headline and better by one. What is on
the front can be chosen by somebody; what is not, by nobody who cares for these headlines alone.
Differences are taken as they stand, however small: the front knows no intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from equipoise.board.shown import turned
from equipoise.measures.declaration import Headline


def front(values: pd.DataFrame, over: Sequence[Headline]) -> pd.Series[bool]:
    """Whether each method of a run is on its front.

    Args:
        values: A row a method, in its columns the headlines.
        over: Headlines with a direction. One that no method of the run has is left out.

    Returns:
        ``boolean`` by method: missing where a headline is, as the method cannot be compared, and
        for all methods where no headline is left.
    """
    there = [one for one in over if values[one.name].notna().any()]
    found = pd.Series(pd.NA, index=values.index, dtype="boolean")
    if not there:
        return found
    goods = pd.DataFrame({one.name: turned(values[one.name], one) for one in there})
    comparable = goods.notna().all(axis=1)
    points = goods[comparable].to_numpy(dtype=float)
    found[comparable] = [not _is_beaten(point, points) for point in points]
    return found


def _is_beaten(point: np.ndarray, points: np.ndarray) -> bool:
    """Whether a row of ``points`` is nowhere below ``point`` and somewhere above it."""
    return bool(((points >= point).all(axis=1) & (points > point).any(axis=1)).any())
