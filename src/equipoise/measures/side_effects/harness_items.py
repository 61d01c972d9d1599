"""What lm-evaluation-harness found, as items of an examination.

A metric that is the mean of its documents' values (accuracy, exact match) gives one item a
document, so that intervals and tests are those of all instruments. Of any other metric (the
perplexity of a corpus, BLEU) all items have the harness' own value, and there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import pandas as pd

from equipoise.measures.side_effects.quantities import (
    COLUMNS,
    HARNESS,
    OWN_UNIT,
    SCORE,
    share_right,
)

Row = tuple[str, str, str, float, str]
Sample = Mapping[str, Any]


def items_of(found: Mapping[str, Any]) -> pd.DataFrame:
    """Items of what the harness found, with the ``unit`` of each: one a document and metric.

    Args:
        found: What ``lm_eval.simple_evaluate`` returns.
    """
    rows: list[Row] = []
    for task, samples in found["samples"].items():
        by_filter: dict[str, list[Sample]] = {}
        for sample in samples:
            by_filter.setdefault(sample["filter"], []).append(sample)
        chosen = found["configs"][task].get("output_type") == "multiple_choice"
        for filtered, own in by_filter.items():
            for metric in own[0]["metrics"]:
                total = found["results"][task].get(f"{metric},{filtered}")
                if not (isinstance(total, Real) and math.isfinite(total)):
                    continue
                group = metric if filtered == "none" else f"{metric}, {filtered}"
                better = found["higher_is_better"].get(task, {}).get(metric) is True
                values, unit = _values(own, metric, float(total), better=better, chosen=chosen)
                rows += [
                    (HARNESS + task, group, str(one["doc_id"]), value, unit)
                    for one, value in zip(own, values, strict=True)
                ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "unit"])


def _values(
    samples: Sequence[Sample], metric: str, total: float, *, better: bool, chosen: bool
) -> tuple[list[float], str]:
    """A value a document, of mean ``total``, and the unit.

    Args:
        samples: What the harness logged of each document.
        metric: Which of its values.
        total: The harness' own value of all of them.
        better: Whether more of it is better.
        chosen: Whether one of several options was chosen.
    """
    raw = [one.get(metric) for one in samples]
    values = [float(value) for value in raw if isinstance(value, Real)]
    if len(values) < len(raw) or not math.isclose(sum(values) / len(raw), total, abs_tol=1e-9):
        return [total] * len(raw), OWN_UNIT
    if better and set(values) <= {0.0, 1.0}:
        return values, share_right(_chance(samples) if chosen else None)
    within = all(0 <= value <= 1 for value in values)
    return values, SCORE if better and within else OWN_UNIT


def _chance(samples: Sequence[Sample]) -> float:
    """What guessing gets: the mean of one over the number of options.

    A request is a context and a continuation. Either may be what the options differ in; requests
    without a context are those that say how likely an option is by itself.
    """
    options = []
    for one in samples:
        asked = [(context, rest) for context, rest, *_ in one["arguments"]]
        contexts = {context for context, _ in asked if context}
        options.append(max(len(contexts), len({rest for _, rest in asked})))
    return sum(1 / number for number in options) / len(options)
