"""The README shows what the published quickstart found, and stays short."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
RUN = ROOT / "results" / "quickstart"
BY_SEED = pd.read_csv(RUN / "by_seed.csv")
COST = pd.read_csv(RUN / "cost.csv").set_index("method")


def rates(method: str, split: str, name: str = "balanced_requested") -> list[float]:
    rows = BY_SEED[(BY_SEED["method"] == method) & (BY_SEED["split"] == split)]
    return [100 * value for value in rows[name]]


@pytest.mark.parametrize("method", BY_SEED["method"].unique())
def test_the_final_table_is_that_of_the_results(method: str) -> None:
    [line] = re.findall(rf"^{method} .*\.\d$", README, re.MULTILINE)
    expected: list[Any] = [method]
    for split in ("train", "validation"):
        found = rates(method, split)
        certain = min(found) == 100
        expected += [f"{mean(found):.1f}"] if certain else [f"{mean(found):.1f}", "±"]
        expected += ["%*"] if certain else [f"{stdev(found):.1f}", "%"]
    delivered = "%*" if method in {"filter", "ctrlg"} else "%"
    told = int(BY_SEED.loc[BY_SEED["method"] == method, "told"].iloc[0])
    cost = COST.loc[method]
    of_those = 100 * cost["balanced_delivered"]
    expected += [f"{of_those:.1f}", delivered, str(told), f"{cost['tokens_per_delivered']:.1f}"]
    assert line.split() == expected


def test_the_cells_are_those_of_the_results() -> None:
    cells = re.findall(r"^([\w-]+), seed (\d+): ([\d.]+) % balanced", README, re.MULTILINE)
    assert cells
    for method, seed, rate in cells:
        of_cell = BY_SEED["method"].eq(method) & BY_SEED["seed"].eq(int(seed))
        [value] = BY_SEED.loc[of_cell & BY_SEED["split"].eq("all"), "balanced_requested"]
        assert rate == f"{100 * value:.1f}"


def test_the_findings_are_those_of_the_results() -> None:
    unseen, sft = pd.read_csv(RUN / "unseen.csv"), rates("sft", "validation")
    effects = pd.read_csv(RUN / "side_effects.csv").query("instrument == 'leakage'")
    leaked = effects[effects["group"].eq("all")].set_index("seed")["value"] * 100
    listed, told_four = (mean(rates(one, "all")) for one in ("prompt-listed", "prompt-balanced"))
    likes = unseen.query("split == 'all'").groupby("method")["held_out_preference"].mean() * 100
    filtered = COST.loc["filter"]
    for said in (
        f"({listed:.1f} %; {told_four:.0f} % told four, none told nothing)",
        f"finds {filtered['delivered']:.0f} of {filtered['wanted']:,.0f}",
        f"at {filtered['tokens_per_delivered']:.0f} tokens each",
        f"({', '.join(f'{rate:.0f}' for rate in sft)})",
        f"likelier in {likes['sft']:.0f} % (untuned {likes['prompt']:.0f} %)",
        f"({leaked[leaked.index.isna()].iloc[0]:.0f} %, seeds "
        f"{leaked[leaked.index.notna()].min():.0f} to {leaked[leaked.index.notna()].max():.0f}; "
        f"untuned {100 * effects['base'].iloc[0]:.0f} %)",
    ):
        assert said in README, said
    assert not unseen.query("method == 'sft'")["without_listed_wide"].any()
    without = unseen.query("method == 'sft' and split == 'all'")["without_listed"].sum()
    assert f"none of {without:.0f} balanced" in README


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 120
