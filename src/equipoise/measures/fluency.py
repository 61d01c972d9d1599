"""Fluency: how likely language models find the completions, by two judges.

Sentences are scored in ``judging``; here scores become a table, a row for each judge, method, seed
and split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.measures.column import SIGNED, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured, Outcome
from equipoise.measures.divergence import divergence_table
from equipoise.measures.groups import split_groups
from equipoise.measures.model_answers import BASE, INDEPENDENT, FluencyScores

Array = np.ndarray


_NATS = "nats a token"

FLUENCY = Table(
    "fluency",
    "a judge, method, seed and split",
    (
        Column("n", "completions", low=1),
        Column("empty", "empty", "completions with nothing after the prefix, which have no value",
               low=0),
        Column("unprefixed", "unprefixed", "completions that do not begin with the response prefix",
               low=0),
        Column("truncated", "truncated", "completions of which the beginning was judged", low=0),
        Column("tokens", "tokens", "mean of the tokens judged", low=0, high=256,
               misleads="of one judge's tokenizer: not to be compared between judges"),
        Column("log_probability_mean", "log-probability, mean", "mean log-probability per token of "
               "a sentence", _NATS, high=0, form=SIGNED, better="higher",
               misleads="longer sentences have higher values; dull ones have the highest"),
        Column("log_probability_median", "log-probability, median", "its median", _NATS, high=0,
               form=SIGNED, better="higher", misleads="as its mean", needed=True),
        Column("perplexity_mean", "perplexity, mean", "exp of minus that, per sentence; at worst "
               "`inf`", low=1, better="lower",
               misleads="one hopeless sentence can carry the mean away, up to infinity"),
        Column("perplexity_median", "perplexity, median", "its median", low=1, better="lower"),
        Column("perplexity_corpus", "perplexity, corpus", "the same over all tokens together",
               low=1, better="lower", misleads="long sentences count more"),
        Column("matched_difference", "difference at equal length", "mean difference to the first "
               "method's completions **of equal length in tokens**", _NATS, form=SIGNED,
               better="higher", misleads="where `matched_share` is small it is of the few lengths "
               "that both have"),
        rate("matched_share", "matched", "how many of the method's completions found one of equal "
             "length", "a share of completions, not of lengths"),
        Column("divergence", "divergence", "`base` only: KL divergence of the tuned model from the "
               "untuned one, the mean over the method's own sentences of log p(tuned) − "
               "log p(untuned). 0 means unchanged; empty for methods that change no weights",
               "nats a sentence", form=SIGNED, better="lower", misleads="it is an estimate from "
               "these sentences and may fall below 0, as no KL divergence can; they were drawn "
               "the nucleus (`top_p`), so that it says nothing of the tails; and only of the "
               "judged sentence, after the task's prompt"),
    ),
    keys=("judge", "model", "method", "seed", "split"),
    absent="fluency, and with it the trade-off",
)  # fmt: skip


def _headline(judge: str, title: str, **more: Any) -> Headline:
    """The median log-probability per token by one judge."""
    meaning = f"fluency by the {judge} judge: mean over seeds of the medians"
    column = Column(f"log_probability_{judge}", title, meaning, _NATS, high=0, form=SIGNED,
                    better="higher")  # fmt: skip
    return Headline(column, main=True, dosed=True, **more)


class Fluency(Measure):
    """How likely language models find the sentences."""

    name = "fluency"
    title = "How fluent the texts are"
    tables = (FLUENCY,)
    outcomes = (
        Outcome(f"log_probability_{BASE}", "log-probability per token by the base model (nats)",
                "log p, base", "nats"),
        Outcome(f"log_probability_{INDEPENDENT}",
                "log-probability per token by the independent model (nats) "
                "", "log p, other", "nats"),
    )  # fmt: skip
    headlines = (
        _headline(BASE, "fluency, nats a token", terminal="log p a\ntoken"),
        _headline(
            INDEPENDENT,
            "fluency by another model, nats a token",
            stands_in_for=f"log_probability_{BASE}",
        ),
        Headline(FLUENCY.column("divergence")),
    )

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        judges, own = evidence.by_model.fluency, evidence.by_model.own
        if not judges:
            return Measured()
        table = fluency_table(evidence.scored, judges)
        if own is not None and BASE in judges:
            moved = divergence_table(evidence.scored, own, judges[BASE]).assign(judge=BASE)
            table = table.merge(moved, on=["judge", "method", "seed", "split"], how="left")
        return Measured({"fluency": table})

    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        """See `Measure.of_completions`: per token of the judged sentence, in nats, at most 0.

        It is missing where nothing follows the prefix.

        Raises:
            EquipoiseError: A judge has not scored all of the texts.
        """
        return {
            f"log_probability_{judge}": log_probability_per_token(evidence.scored, judge, said)
            for judge, said in evidence.by_model.fluency.items()
        }

    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """See `Measure.summarise`."""
        table = tables.get("fluency")
        if table is None:
            return super().summarise(tables)
        found = {}
        for judge in (BASE, INDEPENDENT):
            own = {"fluency": table[table["judge"] == judge]}
            means = self.by_method(own, ["log_probability_median", "divergence"])
            if "log_probability_median" in means:
                found[f"log_probability_{judge}"] = means["log_probability_median"]
            if judge == BASE and "divergence" in means:
                found["divergence"] = means["divergence"]
        return pd.DataFrame(found).rename_axis("method")


def fluency_table(completions: pd.DataFrame, judges: Mapping[str, FluencyScores]) -> pd.DataFrame:
    """How fluent the completions of each method, seed and split are, by each judge.

    Its columns are those of `FLUENCY` but for the divergence. Means and medians are over the
    completions that are not empty. One hopeless sentence can carry a mean away, which is why there
    is a median. Long sentences have higher values per token, so that methods that write longer ones
    look more fluent than they are: `length_matched` compares equal lengths, with the first method's
    completions of the same split.

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
