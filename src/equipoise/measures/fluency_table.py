"""The table of fluency: a row for each judge, method, seed and split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.measures.groups import split_groups

Array = np.ndarray


@dataclass(frozen=True)
class FluencyScores:
    """What one judge said.

    Attributes:
        model: The judge's name.
        scores: What ``score_fluency`` gave.
    """

    model: str
    scores: pd.DataFrame


def fluency_table(completions: pd.DataFrame, judges: Mapping[str, FluencyScores]) -> pd.DataFrame:
    """How fluent the completions of each method, seed and split are, by each judge.

    Columns: ``judge``, ``model``, ``method``, ``seed``, ``split``, ``n`` (completions), ``empty``
    (those with nothing after the prefix, of which there is no value), ``unprefixed`` (those that do
    not begin with the response prefix), ``truncated`` (those of which the beginning was scored),
    ``tokens`` (mean over completions), then, over the completions that are not empty,

    - ``log_probability_mean``, ``log_probability_median``: of the log-probability per token, in
      nats, at most 0;
    - ``perplexity_mean``, ``perplexity_median``: of exp(-log-probability per token), at least 1
      and infinite above 709 nats; one hopeless sentence can carry the mean away, which is why there
      is a median;
    - ``perplexity_corpus``: exp of minus the log-probability of all tokens by their number;
    - ``matched_difference``, ``matched_share``: see `length_matched`, against the first method's
      completions of the same split. Long sentences have higher values per token, so that methods
      that write longer ones look more fluent than they are; this compares equal lengths.

    NaN stands where there is nothing to judge.

    Args:
        completions: A completions frame.
        judges: By label, what each judge said of all subjects and texts.

    Raises:
        EquipoiseError: A text of ``completions`` has no score.
    """
    rows = []
    for judge, said in judges.items():
        scored = _with_scores(completions, judge, said)
        reference = scored[scored["method"] == scored["method"].iloc[0]]
        for method, seed, split, part in split_groups(scored):
            other = reference if split == "all" else reference[reference["split"] == split]
            rows.append(
                {"judge": judge, "model": said.model}
                | {"method": method, "seed": seed, "split": split}
                | _summary(part)
                | _matched(part, other)
            )
    return pd.DataFrame(rows)


def log_probability_per_token(
    completions: pd.DataFrame, judge: str, said: FluencyScores
) -> pd.Series[float]:
    """Of each completion the log-probability per token in nats, at most 0; NaN where it has none.

    Args:
        completions: A completions frame.
        judge: Label of the judge, for errors.
        said: What it said of all subjects and texts.

    Raises:
        EquipoiseError: A text of ``completions`` has no score.
    """
    return _with_scores(completions, judge, said)["per_token"].set_axis(completions.index)


def length_matched(
    values: Array, lengths: Array, other_values: Array, other_lengths: Array
) -> tuple[float, float]:
    """Mean difference of two samples at equal lengths, and how much of the first it rests on.

    At each length that both have, the difference of the means counts as often as the smaller of
    the two has values: as if the larger had been thinned out at random to match (exact matching
    with weights; Stuart 2010, Statistical Science 25, section 3.3).

    Args:
        values: [N] of the first.
        lengths: [N] whole numbers.
        other_values: [M] of the other.
        other_lengths: [M].

    Returns:
        First minus other, NaN where they have no length in common; and matched pairs / N, 0-1, NaN
        where N is 0.
    """
    weight, total = 0, 0.0
    for length in np.intersect1d(lengths, other_lengths):
        one, other = values[lengths == length], other_values[other_lengths == length]
        pairs = min(len(one), len(other))
        weight += pairs
        total += pairs * (float(one.mean()) - float(other.mean()))
    return (
        total / weight if weight else math.nan,
        weight / len(values) if len(values) else math.nan,
    )


def _with_scores(completions: pd.DataFrame, judge: str, said: FluencyScores) -> pd.DataFrame:
    """Each completion, in order, with what a judge said of it, and that ``per_token``."""
    scored = completions[["method", "seed", "subject", "split", "text"]].merge(
        said.scores, on=["subject", "text"], how="left", validate="many_to_one"
    )
    if scored["tokens"].isna().any():
        raise EquipoiseError(
            f"{int(scored['tokens'].isna().sum())} completions have no score of {judge!r}",
            hint="Score all of them with score_fluency.",
        )
    tokens = scored["tokens"].astype("float64")
    per_token = scored["log_probability"].astype("float64") / tokens.where(tokens > 0)
    return scored.assign(per_token=per_token)


def _summary(part: pd.DataFrame) -> dict[str, float]:
    """Counts, means and medians of one group."""
    each, _ = _per_token(part)
    with np.errstate(over="ignore"):  # a perplexity may be infinite in float64
        perplexities = np.exp(-each)
        tokens = part["tokens"].sum()
        corpus = np.exp(-part["log_probability"].sum() / tokens) if tokens else math.nan
    there = len(each) > 0
    return {
        "n": len(part),
        "empty": len(part) - len(each),
        "unprefixed": int((~part["prefixed"].astype(bool)).sum()),
        "truncated": int(part["truncated"].astype(bool).sum()),
        "tokens": float(part["tokens"].mean()),
        "log_probability_mean": float(each.mean()) if there else math.nan,
        "log_probability_median": float(np.median(each)) if there else math.nan,
        "perplexity_mean": float(perplexities.mean()) if there else math.nan,
        "perplexity_median": float(np.median(perplexities)) if there else math.nan,
        "perplexity_corpus": float(corpus),
    }


def _matched(part: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    difference, share = length_matched(*_per_token(part), *_per_token(other))
    return {"matched_difference": difference, "matched_share": share}


def _per_token(part: pd.DataFrame) -> tuple[Array, Array]:
    """Log-probability per token of the completions that have tokens, and how many they have."""
    there = part[part["per_token"].notna()]
    return there["per_token"].to_numpy(), there["tokens"].to_numpy(dtype=float)
