"""What lm-evaluation-harness found, as items: worked out by hand."""

from __future__ import annotations

import math
from typing import Any

from equipoise.measures.side_effects.harness_items import items_of


def sample(number: int, *options: str, filtered: str = "none", **metrics: object) -> dict[str, Any]:
    return {
        "doc_id": number,
        "filter": filtered,
        "arguments": [("Q: who?", option) for option in options],
        "metrics": list(metrics),
        **metrics,
    }


def found(
    samples: list[dict[str, Any]], kind: str = "multiple_choice", **totals: float
) -> dict[str, Any]:
    """As ``simple_evaluate`` returns it, as far as it is read."""
    results = {name if "," in name else f"{name},none": value for name, value in totals.items()}
    better = {"acc": True, "acc_norm": True, "f1": True, "score": True, "perplexity": False}
    return {
        "samples": {"some": samples},
        "results": {"some": results},
        "configs": {"some": {"output_type": kind}},
        "higher_is_better": {"some": better},
    }


def test_a_mean_over_documents_gives_an_item_a_document() -> None:
    """Guessing among 2 and 4 options is right in (1/2 + 1/4) / 2 = 3/8 of the cases."""
    samples = [
        sample(0, "a", "b", acc=1.0, acc_norm=0.0),
        sample(1, *"abcd", acc=0.0, acc_norm=0.0),
    ]
    items = items_of(found(samples, acc=0.5, acc_norm=0.0))
    assert items.to_dict("split")["data"] == [
        ["harness: some", "acc", "0", 1.0, "share of questions, chance 37.5 %"],
        ["harness: some", "acc", "1", 0.0, "share of questions, chance 37.5 %"],
        ["harness: some", "acc_norm", "0", 0.0, "share of questions, chance 37.5 %"],
        ["harness: some", "acc_norm", "1", 0.0, "share of questions, chance 37.5 %"],
    ]


def test_options_may_differ_in_the_context_and_may_be_asked_by_themselves() -> None:
    one = sample(0, acc=1.0)
    one["arguments"] = [("Ann", " left"), ("Bob", " left"), ("", " left")]
    items = items_of(found([one], acc=1.0))
    assert items["unit"].tolist() == ["share of questions, chance 50.0 %"]


def test_other_metrics() -> None:
    """A score is one of 0 to 1; what is no mean of its documents is known as a whole."""
    samples = [
        sample(0, "a", f1=0.5, score=(3, 1), perplexity=2.0, odd="text"),
        sample(1, "a", f1=1.0, score=(1, 1), perplexity=4.0, odd="text"),
        sample(0, "a", filtered="strict", acc=1.0),
    ]
    totals = {"f1": 0.75, "score": 0.5, "perplexity": 3.0, "acc,strict": 1.0, "odd": math.nan}
    items = items_of(found(samples, "generate_until", **totals))
    told = {
        group: (own["value"].tolist(), own["unit"].iloc[0]) for group, own in items.groupby("group")
    }
    assert told == {
        "f1": ([0.5, 1.0], "score, 0 to 1"),
        "score": ([0.5, 0.5], "as the task defines it"),
        "perplexity": ([2.0, 4.0], "as the task defines it"),
        "acc, strict": ([1.0], "share of questions"),
    }
