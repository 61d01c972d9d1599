"""Paragraphs for a paper, filled with what was measured, and no claim that nothing carries."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from equipoise.report.answer import definition, leading_split, limits
from equipoise.report.breakdown import MEASURES
from equipoise.report.claims import Claim, caveats, claim, comparison_rows
from equipoise.report.headline import measure_of
from equipoise.report.records import records
from equipoise.report.sections import SPLITS, missing
from equipoise.report.slope_claims import slope_claims
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording.markdown import markdown
from equipoise.wording.numbers import counted, interval, listing, percent, signed
from equipoise.wording.visible import shown


def paper(run: FinishedRun, table: pd.DataFrame, citation: str) -> str:
    """``paper.md``: method, results, what cannot be concluded, and BibTeX.

    Args:
        run: The run.
        table: Its ``headline``.
        citation: BibTeX entries.
    """
    parts = [
        "# For your paper",
        "Every number below was measured in this run; every claim rests on a row of "
        "`results/comparisons.csv` or `slopes.csv`. Edit the words, not the claims.",
        "## Method",
        _method(run, table),
        *_trainings(run),
        "## Results",
        *(_result(row, run) for row in records(table)),
        *_comparisons(run, table),
        *_slopes(run),
        "## What cannot be concluded",
        "\n".join(
            f"- {markdown(text)}" for text in [*limits(run, table), *caveats(len(run.seeds))]
        ),
    ]
    if absent := missing(run):
        parts += ["## What is missing", "\n".join(f"- {markdown(text)}" for text in absent)]
    return "\n\n".join([*parts, "## BibTeX", f"```bibtex\n{citation}\n```"]) + "\n"


_SAMPLING = {
    "temperature": "temperature {}",
    "top_p": "top-p {}",
    "max_new_tokens": "at most {} new tokens",
}


def _method(run: FinishedRun, table: pd.DataFrame) -> str:
    """The paragraph on what was compared, on what, under which conditions."""
    task, sampling = run.task, run.record.get("sampling")
    sampling = sampling if isinstance(sampling, dict) else {}
    sets = [
        f"{counted(len(lexicon.listed), f'{markdown(name)} term')}"
        for name, lexicon in task.lexicons.items()
    ]
    held_out = sum(len(lexicon.held_out) for lexicon in task.lexicons.values())
    methods = listing([markdown(method) for method in table["method"]])
    drawn = [
        words.format(shown(sampling[key])) for key, words in _SAMPLING.items() if key in sampling
    ]
    sentences = [
        f"We compared {counted(len(table), 'method')} ({methods}) "
        f"on {markdown(run.model)}, all with the same context, sampling and checker.",
        f"Completions describe {counted(len(task.subjects), 'subject')}, {len(task.train)} of "
        f"which training data may describe; {len(task.validation)} were held out.",
        markdown(definition(task)),
        f"Terms are matched as whole words: {listing(sets)}"
        + (f"; {held_out} further terms of the same meaning were held out and are scored apart."
           if held_out else "."),
        f"Each method was fitted and sampled with {counted(len(run.seeds), 'seed')} "
        f"({', '.join(map(str, run.seeds))}), "
        f"{shown(run.record['study'].get('samples_per_subject', 'several'))} completions of each "
        f"subject and seed" + (f" ({', '.join(drawn)})." if drawn else "."),
        f"In all, {len(run.completions):,} completions were scored.",
    ]  # fmt: skip
    return " ".join(sentences)


def _trainings(run: FinishedRun) -> list[str]:
    """A sentence for each trained method: data, updates, learning rate, weights."""
    found = []
    for method in run.methods:
        infos = [info for (label, _), info in run.training.items() if label == method]
        if not infos:
            continue
        info = infos[0]
        settings = info.get("settings") if isinstance(info.get("settings"), dict) else {}
        facts = [
            _fact(info, "n_train", "{:,} programmatically generated examples"),
            _fact(info, "steps", "{:,} updates")
            + _fact(info, "effective_batch", " of {:,} examples"),
            _fact(settings, "learning_rate", "learning rate {:g}"),
            _fact(info, "trainable_parameters", "{:,} trained weights"),
        ]
        found.append(
            f"{markdown(method)} was trained with {listing([fact for fact in facts if fact])} "
            f"({counted(len(infos), 'seed')})."
        )
    return [" ".join(found)] if found else []


def _fact(info: Any, name: str, words: str) -> str:
    value = info.get(name)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return words.format(value) if number and math.isfinite(value) else ""


def _result(row: dict[str, Any], run: FinishedRun) -> str:
    """One method's paragraph: its rates with intervals and spread, length, held-out terms."""
    measure = measure_of(run) or "terms"
    splits = [split for split in ("train", "validation") if not math.isnan(row[split])] or ["all"]
    rates = [f"{_rate(row, split, run.confidence)} on {SPLITS[split]}" for split in splits]
    sentences = [f"**{markdown(row['method'])}** was balanced in {listing(rates)}."]
    if row["n"] < row["wanted"]:
        sentences.append(
            f"That is of the {row['n']:,} completions it delivered; "
            f"{row['wanted']:,.0f} were asked for."
        )
    if not math.isnan(row["held_out"]):
        sentences.append(f"With held-out terms alone: {percent(row['held_out'])}.")
    sentences.append(
        f"{percent(row['in_range'])} of its completions met the length constraint, "
        f"{percent(row['satisfied'])} this and balance."
    )
    if not math.isnan(row["verbatim"]):
        sentences.append(f"{percent(row['verbatim'])} were training sentences to the letter.")
    if not math.isnan(row["fluency"]):
        sentences.append(f"Median log-probability per token: {signed(row['fluency'])} nats.")
    if not math.isnan(row["slope"]):
        ends = f" (95 % interval {signed(row['slope_low'])} to {signed(row['slope_high'])})"
        sentences.append(
            f"Stereotype slope ({MEASURES[measure]}): {signed(row['slope'])}"
            + ("" if math.isnan(row["slope_low"]) else ends) + "."
        )  # fmt: skip
    return " ".join(sentences)


def _rate(row: dict[str, Any], split: str, confidence: str) -> str:
    """``96.1 % (± 0.6 across 3 seeds; 95 % interval 95.1 to 97.0)``, of what there is."""
    spread = row[f"{split}_sd"]
    parts = [] if math.isnan(spread) else [f"± {100 * spread:.1f} across {row['seeds']} seeds"]
    if range_ := interval(row[f"{split}_low"], row[f"{split}_high"]):
        parts.append(f"{confidence} interval {range_}")
    return percent(row[split]) + (f" ({'; '.join(parts)})" if parts else "")


def _comparisons(run: FinishedRun, table: pd.DataFrame) -> list[str]:
    """Paragraphs on what was shown, against the untuned baseline first."""
    split = leading_split(table)
    rows = comparison_rows(run, "balanced", split)
    told = [claim(row, run.alpha) for row in records(rows)]
    if not told:
        return ["The methods were not tested against each other; the differences between these "
                "numbers are described here, not shown."]  # fmt: skip
    baseline = next((m for m in run.methods if run.method_name(m) == "prompt"), None)
    first = [one for one in told if baseline in (one.higher, one.lower)]
    rest = [one for one in told if one not in first]
    paragraphs = [
        "Intervals are of one comparison each; p-values are corrected over all pairs of methods."
    ]
    for title, claims in ((f"Against {baseline}", first), ("Between the others" if first else
                                                            "Between methods", rest)):  # fmt: skip
        if claims:
            listed = "\n".join(f"- {markdown(one.text)}" for one in _ordered(claims))
            paragraphs.append(f"{markdown(title)}, {SPLITS[split]}:\n\n{listed}")
    return paragraphs


def _slopes(run: FinishedRun) -> list[str]:
    """A paragraph on whose stereotype differs, by the measure of the main table."""
    measure = measure_of(run)
    told = [] if measure is None else slope_claims(run, measure)
    if measure is None or not told:
        return []
    listed = "\n".join(f"- {markdown(text)}" for text in told)
    return [
        f"Stereotype slopes ({MEASURES[measure]}), p-values corrected over their pairs:\n\n{listed}"
    ]


def _ordered(claims: list[Claim]) -> list[Claim]:
    """What is shown first, then by size of the difference."""
    rank = {"differs": 0, "equivalent": 1, "not shown": 2, "not tested": 3}
    return sorted(claims, key=lambda one: (rank[one.finding], -one.difference))
