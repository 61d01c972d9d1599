"""The table a study and ``equipoise evaluate`` end with, for terminals 80 columns wide."""

from __future__ import annotations

import math

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

_TITLES = {"train": "train", "validation": "validation", "all": "all subjects"}


def balance_table(
    compliance: pd.DataFrame, by_seed: pd.DataFrame, cost: pd.DataFrame | None = None
) -> Table:
    """A row per method: its balance rates by split, and what else a reader asks first.

    Balance rates are means over seeds with the sample SD behind "±" (none with one seed). The other
    columns are over all subjects: balanced on held-out terms, any wanted term, words in range, and
    the tokens drawn for each completion delivered, or mean words where the cost is not known. Where
    no subject has a split, one column of balance over all subjects takes their place.

    Args:
        compliance: What ``compliance_table`` returned.
        by_seed: What it was made from; the caption lists its seeds.
        cost: What ``cost_table`` returned. A method in it that delivered nothing has a row too.
    """
    there = [split for split in ("train", "validation") if (compliance["split"] == split).any()]
    splits = there or ["all"]
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        caption=_caption(by_seed),
    )
    table.title = "Balanced completions"
    table.add_column("method", overflow="fold", min_width=6)
    for split in splits:
        table.add_column(_TITLES[split], justify="right", no_wrap=True)
    last = "mean\nwords" if cost is None else "tokens\neach"
    for title in ("held-out\nterms", "any\nterm", "in\nrange", last):
        table.add_column(title, justify="right", no_wrap=True)
    rows = {(row["method"], row["split"]): row for row in compliance.to_dict("records")}
    tokens: dict[str, float] = {}
    if cost is not None:
        tokens = dict(zip(cost["method"], cost["tokens_per_delivered"], strict=True))
    for method in dict.fromkeys((*tokens, *compliance["method"])):
        if (method, "all") not in rows:
            table.add_row(_printable(method), *(["–"] * (len(splits) + 3)), "∞")
            continue
        overall = rows[method, "all"]
        balance = [
            _percent(row["balanced_mean"], row["balanced_sd"])
            if (row := rows.get((method, split)))
            else "–"
            for split in splits
        ]
        shares = [
            _percent(overall[f"{name}_mean"]) for name in ("balanced_held_out", "any", "in_range")
        ]
        number = overall["mean_words"] if cost is None else tokens[method]
        table.add_row(_printable(method), *balance, *shares, f"{number:.1f}")
    return table


def measures_table(summary: pd.DataFrame) -> Table:
    """A row per method: what else has changed, means over seeds; "–" where it was not measured.

    Args:
        summary: What ``overview`` returned.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.title = "What else changed"
    table.add_column("method", overflow="fold", min_width=6)
    for title in ("entropy\n(bits)", "pairs", "self-\nBLEU", "as in\ntemplates", "log p a\ntoken"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("stereotype slope\n(95 % interval)", justify="right", no_wrap=True)
    for row in summary.to_dict("records"):
        ends = (row["stereotype_low"], row["stereotype_high"])
        interval = "" if any(map(math.isnan, ends)) else f" ({ends[0]:.2f} to {ends[1]:.2f})"
        table.add_row(
            _printable(row["method"]),
            _number(row["entropy"]),
            _percent(row["pairs_share"]),
            _number(row["self_bleu"]),
            _percent(row["templates"]),
            _number(row["log_probability_base"]),
            _number(row["stereotype_slope"]) + interval,
        )
    return table


def _number(value: float) -> str:
    """A number with two decimals; ``–`` where it was not measured."""
    return "–" if math.isnan(value) else f"{value:.2f}"


def _caption(by_seed: pd.DataFrame) -> str:
    """How many completions, and which seeds the mean and the SD are over."""
    overall = by_seed[by_seed["split"] == "all"]
    seeds = sorted(set(overall["seed"].tolist()))
    listed = ", ".join(map(str, seeds[:6])) + (", ..." if seeds[6:] else "")
    total = f"{int(overall['n'].sum()):,} completions"
    if len(seeds) == 1:
        return f"{total}; one seed ({listed}), so no ±"
    return f"{total}; mean ± sample SD over {len(seeds)} seeds ({listed})"


def _percent(rate: float, sd: float = math.nan) -> str:
    """A rate (0-1) as ``97.3 ± 1.2 %``; ``–`` where it was not measured."""
    if math.isnan(rate):
        return "–"
    spread = "" if math.isnan(sd) else f" ± {100 * sd:.1f}"
    return f"{100 * rate:.1f}{spread} %"


def _printable(name: str) -> Text:
    """``name`` without markup or control characters: it may come from somebody's file."""
    return Text("".join(c if c.isprintable() else "?" for c in str(name)))
