"""What is said of an endpoint's answers that did not come as they were asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from equipoise.model.answer import SILENCES
from equipoise.wording.numbers import counted, listing

_ADVICE = {
    "thinking": "Raise max_new_tokens, or turn thinking off at the server.",
    "limit": "Raise max_new_tokens.",
    "refused": "Ask with another prompt, or loosen the server's filter.",
    "tools": "Start the server without tools.",
    "unsaid": "Look at the server's log.",
}
"""What to change, by the reason for which answers are empty."""


def silences(row: Mapping[str, Any]) -> list[str]:
    """How many answers of a method are empty, why, and what to change.

    Args:
        row: Of a `cost_table`.
    """
    counts = {name: _count(row, f"silent_{name}") for name in SILENCES}
    silent = sum(counts.values())
    if not silent:
        return []
    reasons = [f"{SILENCES[name]} ({n:,})" for name, n in counts.items() if n]
    most = max(counts, key=lambda name: counts[name])
    verb = "is" if silent == 1 else "are"
    return [
        f"{row['method']}: {silent:,} of {counted(_count(row, 'requests'), 'answer')} {verb} empty "
        f"and {verb} not delivered: {listing(reasons)}. {_ADVICE[most]}"
    ]


def oddities(costs: pd.DataFrame) -> list[str]:
    """All that is to be said of the answers of each method of a `cost_table`; often nothing."""
    found = []
    for row in costs.to_dict("records"):
        found += silences({str(name): value for name, value in row.items()})
        if too_long := _count(row, "too_long"):
            found.append(
                f"{row['method']}: {counted(too_long, 'answer')} of more than max_new_tokens "
                "tokens; the server does not keep to the limit."
            )
        if respaced := _count(row, "respaced"):
            found.append(
                f"{row['method']}: the server drops the space before a continuation; one was put "
                f"back before {respaced:,}."
            )
    return found


def seeds_without(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each method of which some seeds, but not all, have no completion.

    Args:
        cells: For each cell ``method``, ``seed`` and ``delivered``.
    """
    found = []
    for method in dict.fromkeys(cell["method"] for cell in cells):
        own = [cell for cell in cells if cell["method"] == method]
        without = [str(cell.get("seed", "?")) for cell in own if not cell["delivered"]]
        if 0 < len(without) < len(own):
            found.append(
                f"{method} delivered nothing with {'seed' if len(without) == 1 else 'seeds'} "
                f"{listing(without)}: no rate there, and nothing of it in means and tests."
            )
    return found


def _count(row: Mapping[Any, Any], name: str) -> int:
    value = row.get(name, math.nan)
    return 0 if math.isnan(value) else int(value)
