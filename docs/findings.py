"""What the published comparison of all families says, in sentences made from its files."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import published

from equipoise.wording.numbers import amount, interval, percent, signed

RUN, EXAMINED = "families", "quickstart"
LOSSES = ("dpo", "dpo-simpo", "dpo-orpo", "dpo-kto")
DIRECTIONS = ("steer", "inlp", "leace")


def findings() -> str:
    """The sentences as a numbered list, each with the table behind it."""
    one = _Run()
    sentences = (
        f"**Told all twenty words, the untuned model balances in nearly half of its answers:** "
        f"{one.rate('prompt-listed')}. Told four it balances in {one.rate('prompt-balanced')}, "
        f"told none in {one.rate('prompt')} ([table](families.md#balance)).",
        f"**Told afterwards what its answer lacks, it rarely mends it:** `revise` balances in "
        f"{one.rate('revise')} ([table](families.md#balance)).",
        f"**Constrained decoding keeps its promise, and particles make it read better.** Ctrl-G's "
        f"sentences have {one.fluency('ctrlg')} nats a token under the untuned model, with four "
        f"particles {one.fluency('ctrlg-particles')}, a filter's {one.fluency('filter')} "
        f"([table](families.md#balance)).",
        f"**Three hundred generated sentences teach balance, also for occupations never seen:** "
        f"SFT balances in {one.rate('sft', 'train')} on train occupations and in "
        f"{one.rate('sft', 'validation')} on validation occupations. Its sentences are the less "
        f"likely, {one.fluency('sft')} nats a token ([table](families.md#balance)).",
        f"**Preference losses reach the same, once the chosen sentences are in the loss:** "
        f"{one.listed(LOSSES)} ([table](families.md#balance)). That preference learning fails on a "
        f"small model, as this project's protocol found, holds for the plain loss alone "
        f"([preference](preference.md)).",
        f"**Learnt from what Ctrl-G delivered, the model keeps more of its fluency and some of the "
        f"balance:** `distil` balances in {one.rate('distil')} at {one.fluency('distil')} nats a "
        f"token ([table](families.md#balance)).",
        f"**No direction makes \"both\".** Added to the states or projected out of them, it "
        f"balances in {one.listed(DIRECTIONS)} ([table](families.md#balance)).",
        f"**Reinforcement learning needs something to reinforce.** From the untuned model, told "
        f"the words at first, it comes to {one.rate('rlhf-explore')}; after SFT to "
        f"{one.rate('sft-rlhf')} ([table](families.md#balance)).",
        f"**Balance of words is not absence of bias.** The slope of the association is "
        f"{one.slope('prompt')} nats untuned and {one.slope('sft')} after SFT. Counterfactual "
        f"training brings it to {one.slope('sft-counterfactual')}, while the mean size of the "
        f"association goes from {one.size('prompt')} to {one.size('sft-counterfactual')} nats "
        f"([table](families.md#association)).",
        f"**What balances by training breaks something else.** The quickstart's SFT takes the "
        f"model {one.effect('retention_kl')} nats a token from the untuned one, puts listed words "
        f"into {one.effect('leakage')} of answers to other requests, and leaves "
        f"{one.effect('empty_answers')} of answers and stories empty ([table](side-effects.md)).",
    )  # fmt: skip
    return "".join(f"{number}. {text}\n" for number, text in enumerate(sentences, 1))


class _Run:
    """The files of the comparison, and what sentences say of a method, with its 95 % interval."""

    def __init__(self) -> None:
        summary, cells = (published.read(RUN, name) for name in ("summary", "by_seed"))
        self._summary, self._seeds = summary.set_index("method"), cells
        rates = published.read(RUN, "intervals").query("outcome == 'balanced_requested'")
        if rates.empty:
            rates = published.read(RUN, "intervals").query("outcome == 'balanced'")
        self._intervals = rates.set_index(["method", "split"])
        effects = published.read(EXAMINED, "side_effects").query("group == 'all'")
        self._effects = effects[effects["seed"].isna()].set_index(["method", "instrument"])

    def rate(self, method: str, split: str = "all") -> str:
        row = self._intervals.loc[(method, split)]
        return f"{percent(row['mean'])}{_ends(interval(row['low'], row['high']))}"

    def listed(self, methods: Iterable[str]) -> str:
        *first, last = (f"{self.rate(method)} (`{method}`)" for method in methods)
        return f"{', '.join(first)} and {last}"

    def fluency(self, method: str) -> str:
        return signed(self._summary.loc[method, "log_probability_base"])

    def slope(self, method: str) -> str:
        row = self._summary.loc[method]
        ends = f"{signed(row['stereotype_low'])} to {signed(row['stereotype_high'])}"
        return f"{signed(row['stereotype_slope'])} ({ends})"

    def size(self, method: str) -> str:
        return amount(self._summary.loc[method, "mean_absolute_log_odds"])

    def effect(self, instrument: str) -> str:
        row = self._effects.loc[("sft", instrument)]
        write = published.QUANTITIES[instrument].form.page
        ends = "" if pd.isna(row["low"]) else f"{write(row['low'])} to {write(row['high'])}"
        return f"{write(row['value'])}{_ends(ends)}"


def _ends(text: str) -> str:
    return f" ({text})" if text else ""
