"""What completions cost: draws, tokens and seconds for each one delivered.

A method that rejects what it draws pays for that here, and a subject for which it finds too few is
seen to have too few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from equipoise.measures.column import DECIMALS, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured
from equipoise.measures.odd_answers import oddities, seeds_without
from equipoise.model.answer import SILENCES
from equipoise.statistics.rates import wilson_interval

MEMORY_AND_SIZE = ("fit_peak_gb", "sampling_peak_gb", "trainable_parameters")
SPENDING = {
    "requests": "requests",
    "prompt_tokens": "tokens of what was asked; empty where the server does not count",
    "completion_tokens": "tokens of the answers, likewise",
    "price": "price, in the currency of the study's prices",
    "too_long": "answers with more tokens than `max_new_tokens`",
    "respaced": "continuations before which a space was put that the server had dropped",
    **{f"silent_{reason}": f"empty answers: {why}" for reason, why in SILENCES.items()},
}
"""What only cells of an endpoint have, and what it is."""


COST = Table(
    "cost",
    "a method",
    (
        Column("seeds", "seeds", low=1),
        Column("wanted", "wanted", "completions asked for, over all seeds", low=0, needed=True),
        Column("delivered", "delivered", "completions delivered", low=0, needed=True),
        Column("draws", "drawn", "completions drawn", low=0, needed=True),
        rate("acceptance", "accepted", "accepted / draws that say something; 1 for methods that "
             "reject nothing",
             "its interval takes all draws as one model's: it does not know that seeds differ"),
        rate("wilson_low", "", "lower end of its 95 % interval, where the method rejects"),
        rate("wilson_high", "", "upper end"),
        Column("tokens_per_delivered", "tokens each", "tokens of all draws for each completion "
               "delivered; `inf` where nothing is", "tokens", low=0, better="lower", needed=True,
               misleads="says nothing of training, nor of what a token takes"),
        Column("seconds_per_delivered", "seconds each", "the same of the time of drawing",
               "seconds", low=0, better="lower", form=DECIMALS, needed=True, misleads="of this "
               "machine and what else it did; a batch of many completions is cheaper for each"),
        Column("fit_seconds", "seconds to fit", "mean over seeds of the time of fitting",
               "seconds", low=0, better="lower", needed=True,
               misleads="of this machine; the method's own step only, see below"),
        rate("balanced_delivered", "", "balance of what was delivered",
             "of a filter it is 1 by construction"),
        rate("balanced_draws", "", "balance of all draws"),
        Column("fit_peak_gb", "", "as `peak_gb`, while fitting", "10⁹ bytes", low=0),
        Column("sampling_peak_gb", "", "as `peak_gb`, while drawing", "10⁹ bytes", low=0),
        Column("peak_gb", "peak memory, GB", "the most memory that the process held, the model "
               "itself included; the highest of any seed", "10⁹ bytes", low=0, better="lower",
               form=DECIMALS, misleads="elsewhere than on Linux: there it is since the process "
               "began; on a GPU: its own memory is not in it"),
        Column("trainable_parameters", "trained weights", "weights that were trained by gradient",
               low=0, better="lower", whole=True, misleads="see below"),
        *(
            Column(name, "", f"of models behind an endpoint: {what}", low=0)
            for name, what in SPENDING.items()
        ),
    ),
    keys=("method",),
    absent="cost",
)  # fmt: skip


class Cost(Measure):
    """What completions cost: of each method its own step alone."""

    name = "cost"
    title = "What it costs"
    tables = (COST,)
    section = (
        "delivered", "draws", "acceptance", "tokens_per_delivered", "seconds_per_delivered",
        "fit_seconds", "peak_gb", "trainable_parameters",
    )  # fmt: skip
    headlines = (
        Headline(
            COST.column("tokens_per_delivered"),
            terminal="tokens\neach",
            beside_balance=True,
            main=True,
        ),
        Headline(COST.column("fit_seconds")),
        Headline(COST.column("peak_gb")),
        Headline(COST.column("trainable_parameters")),
    )

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`: nothing is known of other people's texts."""
        if evidence.costs is None:
            return Measured()
        table = cost_table(evidence.costs)
        remarks = [*shortfalls(table), *seeds_without(evidence.costs), *oddities(table)]
        return Measured({"cost": table}, [*remarks, *spendings(table)])


def acceptance_table(draws: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """A row per subject of a filter's draws, in their order, and one for ``all``.

    Columns: ``subject``, ``wanted``, ``delivered``, ``draws``, ``accepted``, ``acceptance``
    (accepted / draws that say something), ``wilson_low``, ``wilson_high`` (its 95 % interval),
    ``tokens`` (of all draws; missing where nobody counts), ``tokens_per_delivered`` (infinite where
    nothing is).

    Args:
        draws: A completions frame of all draws, with ``accepted`` and ``delivered``.
        wanted: Completions asked for of each subject.
    """
    groups = list(draws.groupby("subject", sort=False))
    parts = [*((str(name), part, wanted) for name, part in groups)]
    parts.append(("all", draws, wanted * len(groups)))
    rows = []
    for name, part, asked in parts:
        accepted, delivered = int(part["accepted"].sum()), int(part["delivered"].sum())
        answered = int((part["text"] != "").sum())
        low, high = wilson_interval(accepted, answered)
        tokens = math.nan if part["tokens"].isna().any() else int(part["tokens"].sum())
        rows.append(
            {
                "subject": name,
                "wanted": asked,
                "delivered": delivered,
                "draws": len(part),
                "accepted": accepted,
                "acceptance": _rate(accepted, answered),
                "wilson_low": low,
                "wilson_high": high,
                "tokens": tokens,
                "tokens_per_delivered": _per(tokens, delivered),
            }
        )
    return pd.DataFrame(rows).astype({"tokens": "Int64"})


def cost_table(cells: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per method over its seeds, in order of first appearance: of its own step alone.

    What a method starts from has its own row: of a filter on a tuned model this is drawing and
    rejecting, of LEACE after SFT it is LEACE. A chain costs the sum over its line.

    Its columns are those of `COST`. What is infinite is infinite where nothing is delivered; NaN
    stands where there is nothing to judge, or what older cells have not taken down. Where models
    answered over the network there are their requests, tokens and price too, sums over seeds.

    Args:
        cells: For each cell, ``method`` and what `study.cell` stores as its cost.
    """
    frame = pd.DataFrame(list(cells))
    for name in MEMORY_AND_SIZE:
        if name not in frame.columns:  # cells of an older version
            frame[name] = math.nan
    spent = [name for name in SPENDING if name in frame.columns]
    frame = frame.astype(dict.fromkeys([*spent, "tokens"], "float64"))
    if "answered" not in frame.columns:
        frame["answered"] = math.nan
    frame["answered"] = frame["answered"].fillna(frame["draws"])
    rows = []
    for method, part in frame.groupby("method", sort=False):
        total = part.drop(columns=["method"]).sum()
        delivered, answered = int(total["delivered"]), int(total["answered"])
        low, high = wilson_interval(int(total["accepted"]), answered)
        rejects = bool(part["rejects"].any())
        rows.append(
            {
                "method": method,
                "seeds": len(part),
                "wanted": int(total["wanted"]),
                "delivered": delivered,
                "draws": int(total["draws"]),
                "acceptance": _rate(total["accepted"], answered),
                "wilson_low": low if rejects else math.nan,
                "wilson_high": high if rejects else math.nan,
                "tokens_per_delivered": _per(part["tokens"].sum(skipna=False), delivered),
                "seconds_per_delivered": _per(total["sampling_seconds"], delivered),
                "fit_seconds": float(part["fit_seconds"].mean()),
                "balanced_delivered": _rate(total["balanced_delivered"], delivered),
                "balanced_draws": _rate(total["balanced_draws"], answered),
                "fit_peak_gb": part["fit_peak_gb"].max(),
                "sampling_peak_gb": part["sampling_peak_gb"].max(),
                "peak_gb": part[["fit_peak_gb", "sampling_peak_gb"]].max(axis=None),
                "trainable_parameters": part["trainable_parameters"].max(),
                **{name: part[name].sum(min_count=len(part)) for name in spent},
            }
        )
    return pd.DataFrame(rows)


def shortfalls(cost: pd.DataFrame) -> list[str]:
    """A sentence for each method of a `cost_table` that delivered less than was wanted."""
    return [
        f"{row['method']} delivered {row['delivered']:,} of {row['wanted']:,} completions in "
        f"{row['draws']:,} draws; acceptance.csv in its cells says for which subjects."
        for row in cost.to_dict("records")
        if row["delivered"] < row["wanted"]
    ]


def spendings(cost: pd.DataFrame) -> list[str]:
    """A sentence for each method of a `cost_table` whose model answered over the network."""
    if "requests" not in cost.columns:
        return []
    found = []
    for row in cost.to_dict("records"):
        tokens = [row.get(name, math.nan) for name in ("prompt_tokens", "completion_tokens")]
        tokens_in, tokens_out = ("?" if math.isnan(n) else f"{n:,.0f}" for n in tokens)
        price = "" if math.isnan(row["price"]) else f", price {row['price']:.4f}"
        found.append(
            f"{row['method']} took {row['requests']:,.0f} requests, {tokens_in} tokens in, "
            f"{tokens_out} out{price}."
        )
    return found


def _per(amount: float, count: int) -> float:
    return float(amount) / count if count else math.inf


def _rate(count: float, total: int) -> float:
    return float(count) / total if total else math.nan
