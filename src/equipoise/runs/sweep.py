"""A sweep: one table of a study file that became a method for each value of one setting."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.wording.visible import visible

SWEEPS = "sweeps"
"""Key of ``study.json`` for the sweeps by their tables; a study without one does not have it."""


@dataclass(frozen=True)
class Sweep:
    """What was swept.

    Attributes:
        table: Label of the table in the study file.
        setting: The setting whose values differ; all else in the table is shared.
        values: By the labels of the methods made of it, in the file's order.
    """

    table: str
    setting: str
    values: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        """What ``study.json`` says of it, below the label of its table."""
        return {"setting": self.setting, "methods": dict(self.values)}


def sweeps_of(record: Mapping[str, Any]) -> list[Sweep]:
    """The sweeps that ``study.json`` tells of.

    A file that came by mail may say anything: values that are no finite numbers, or of no method of
    the run, are left out, and a sweep without any other too.
    """
    told = record.get(SWEEPS)
    found = []
    for table, one in told.items() if isinstance(told, dict) else ():
        named = one.get("methods") if isinstance(one, dict) else None
        values = {
            label: float(value)
            for label, value in (named.items() if isinstance(named, dict) else ())
            if label in record["methods"] and _is_finite(value)
        }
        if values:
            found.append(Sweep(visible(table), visible(str(one.get("setting"))), values))
    return found


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max
