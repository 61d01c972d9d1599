"""The resolved settings of all methods side by side: were their conditions alike?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from equipoise.methods.method import Method
from equipoise.study.tuned import TUNED_BY
from equipoise.task.task import Task


def settings_table(
    methods: Mapping[str, Method[Any]], task: Task, tuned: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """A row per setting, a column per method.

    ``setting``; ``differs``, which is ``yes`` where two methods that have the setting disagree;
    then the methods by label. Empty where a method has no such setting. What is left to a default
    is resolved: ``updates`` and ``examples`` are numbers, whatever they follow from. ``tuned_by``
    is the study that chose settings of a method, if ``tuned`` says so of any.
    """
    resolved = {
        label: {"method": method.name, **_tuned(label, tuned or {}), **method.resolve(task)}
        for label, method in methods.items()
    }
    names = dict.fromkeys(name for settings in resolved.values() for name in settings)
    rows = []
    for name in names:
        values = {label: settings.get(name) for label, settings in resolved.items()}
        there = {repr(settings[name]) for settings in resolved.values() if name in settings}
        shown = {label: "" if value is None else _as_text(value) for label, value in values.items()}
        rows.append({"setting": name, "differs": "yes" if len(there) > 1 else "no", **shown})
    return pd.DataFrame(rows, columns=["setting", "differs", *methods])


def _tuned(label: str, tuned: Mapping[str, str]) -> dict[str, str]:
    return {TUNED_BY: tuned[label]} if label in tuned else {}


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
