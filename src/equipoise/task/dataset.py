"""A data set of training examples: what is in it, and how it is written to a file."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import open_atomic
from equipoise.task.examples import Example
from equipoise.task.task import Split, Task
from equipoise.wording.spreadsheet import escape_formula

FORMATS = ("csv", "jsonl")
COLUMNS = ("subject", "split", "family", "template", "text")
"""The columns before those of the term sets, one a set."""


def write_examples(
    path: str | Path,
    examples: Iterable[Example],
    format: Literal["csv", "jsonl"] = "csv",
    *,
    excel_safe: bool = False,
) -> int:
    """Write examples one by one, so that they need not fit in memory; returns how many.

    The columns are ``subject, split, family, template, text`` and one for each term set with its
    terms in the sentence: joined by ``"; "`` in CSV, a list in JSONL. Term sets are those of the
    first example. The file appears only when it is complete. With ``excel_safe`` no text in a CSV
    is one that a spreadsheet would run (``spreadsheet.escape_formula``).

    Raises:
        EquipoiseError: The format is unknown, or the file cannot be written.
    """
    if format not in FORMATS:
        raise EquipoiseError(f"unknown format '{format}'", hint=nearest(format, FORMATS))
    stream_of = iter(examples)
    first = next(stream_of, None)
    sets = list(first.terms) if first else []
    everything = chain([first] if first else [], stream_of)
    with open_atomic(path) as stream:
        if format == "jsonl":
            return sum(1 for e in everything if stream.write(_json_line(e)))
        writer = csv.writer(stream, lineterminator="\n")
        write = partial(map, escape_formula) if excel_safe else iter
        writer.writerow(write([*COLUMNS, *sets]))
        return sum(1 for e in everything if writer.writerow(write(_csv_row(e, sets))))


def _csv_row(example: Example, sets: Sequence[str]) -> list[object]:
    terms = ["; ".join(example.terms[name]) for name in sets]
    e = example
    return [e.subject, e.split, e.family, e.template, e.text, *terms]


def _json_line(example: Example) -> str:
    row = {name: getattr(example, name) for name in COLUMNS} | dict(example.terms)
    return json.dumps(row, ensure_ascii=False) + "\n"


def dataset_statistics(
    train: Iterable[Example], validation: Iterable[Example], task: Task
) -> dict[str, Any]:
    """What a data set holds, ready for JSON.

    For ``train`` and ``validation`` each: ``sentences``, ``distinct``, ``balance_rate`` and
    ``in_range_rate`` (0-1, by ``task.constraint``; null without sentences), ``term_frequency``
    (occurrences of every listed term, zeros included), ``terms_per_subject`` (different listed
    terms by subject and set), ``families`` and ``templates`` (sentences of each, zeros included),
    ``words`` (mean, min, max and histogram of the word count). ``overlap`` is the number of
    sentences that stand in both splits.
    """
    train_texts, train_part = _split_statistics(train, task, "train")
    validation_texts, validation_part = _split_statistics(validation, task, "validation")
    return {
        "task": task.name,
        "train": train_part,
        "validation": validation_part,
        "overlap": len(train_texts & validation_texts),
    }


def _split_statistics(
    examples: Iterable[Example], task: Task, split: Split
) -> tuple[set[str], dict[str, Any]]:
    """The distinct texts of one split, and its statistics."""
    texts, sentences, balanced, in_range = set[str](), 0, 0, 0
    lengths, templates = Counter[int](), Counter[int]()
    terms = {name: dict.fromkeys(lexicon.listed, 0) for name, lexicon in task.lexicons.items()}
    subjects = task.train if split == "train" else task.validation
    used = {subject.name: {name: set[str]() for name in task.lexicons} for subject in subjects}
    for example in examples:
        verdict = task.constraint.check(example.text)
        texts.add(example.text)
        sentences += 1
        balanced += verdict.balanced
        in_range += verdict.in_range
        lengths[verdict.word_count] += 1
        templates[example.template] += 1
        found = used.setdefault(example.subject, {name: set() for name in task.lexicons})
        for name, hits in verdict.hits.items():
            found[name].update(hits)
            for term in hits:
                terms[name][term] += 1
    return texts, {
        "sentences": sentences,
        "distinct": len(texts),
        "balance_rate": balanced / sentences if sentences else None,
        "in_range_rate": in_range / sentences if sentences else None,
        "term_frequency": terms,
        "terms_per_subject": {
            subject: {name: len(found) for name, found in by_set.items()}
            for subject, by_set in used.items()
        },
        **_template_use(task, templates),
        "words": _length_statistics(lengths),
    }


def _template_use(task: Task, counts: Mapping[int, int]) -> dict[str, Any]:
    families = Counter(dict.fromkeys([template.family for template in task.templates], 0))
    rows = []
    for number, template in enumerate(task.templates):
        families[template.family] += counts.get(number, 0)
        rows.append(
            {
                "template": number,
                "family": template.family,
                "text": template.text,
                "held_out": template.held_out,
                "sentences": counts.get(number, 0),
            }
        )
    return {"families": dict(families), "templates": rows}


def _length_statistics(lengths: Mapping[int, int]) -> dict[str, Any]:
    total = sum(lengths.values())
    return {
        "mean": sum(n * count for n, count in lengths.items()) / total if total else None,
        "min": min(lengths, default=None),
        "max": max(lengths, default=None),
        "histogram": {str(n): lengths[n] for n in sorted(lengths)},
    }
