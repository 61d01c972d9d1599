"""The headlines that a board shows; all else about them is what the measures declare."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from equipoise.errors import EquipoiseError, nearest
from equipoise.measures import registry
from equipoise.measures.declaration import Headline
from equipoise.measures.overview import shown

NAMES = (
    "balanced_requested",
    "without_listed_wide",
    "stereotype_slope",
    "mean_absolute_log_odds",
    "worst_side_effect",
    "log_probability_base",
    "log_probability_independent",
    "tokens_per_delivered",
    "fit_seconds",
    "told",
)
"""Names of the headlines, in their order here. Of the two judges of fluency one is shown."""

BALANCE = "balanced_requested"
"""The one of which a method may be certain by construction."""

BY_CONSTRUCTION = "by_construction"
"""The headline that says so; it is a mark beside the others."""


def declared() -> list[Headline]:
    """The headlines of `NAMES`, as their measures declare them."""
    every = {headline.name: headline for headline in registry.headlines()}
    return [every[name] for name in NAMES]


def shown_of(summaries: Iterable[pd.DataFrame]) -> list[Headline]:
    """Those that any method of any run has, by the summary of each run."""
    every = pd.concat(summaries, ignore_index=True)
    return [one for one in shown(every, declared()) if every[one.name].notna().any()]


def ranked(headlines: Iterable[Headline]) -> list[Headline]:
    """Those with a direction, by which methods can be ranked."""
    return [one for one in headlines if one.column.better != "neither" and not one.column.text]


def chosen(names: Iterable[str], headlines: Iterable[Headline]) -> list[Headline]:
    """The headlines called ``names``, by which methods are to be compared.

    Raises:
        EquipoiseError: There is none of a name, or it has no direction or no values.
    """
    there = {one.name: one for one in ranked(headlines)}
    for name in names:
        if name not in there:
            raise EquipoiseError(
                f"methods cannot be ranked by '{name}'",
                field="over",
                hint=nearest(name, list(there)),
            )
    return [one for one in there.values() if one.name in set(names)]


def turned(values: pd.Series[float], headline: Headline) -> pd.Series[float]:
    """``values`` so that more of them is better, whichever way the headline is declared."""
    better = headline.column.better
    if better == "nearer 0":
        return -values.abs()
    return -values if better == "lower" else values
