"""Columns that methods or models may differ in, and that are not read: they are named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from equipoise.completions.column_names import METHOD_WORDS, NUMBERING_NAMES, normal, rank
from equipoise.completions.columns import LOOKED_AT, Columns, all_numbers, is_wordy
from equipoise.files.csv_file import Rows
from equipoise.wording.visible import quoted

_MODEL_NAME = re.compile(r"\S+/\S+|(?=\S*[a-zA-Z])(?=\S*\d)[\w.:]+(?:-[\w.:]+)+")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_MOST_LABELS = 50


def pooled(rows: Rows, found: Columns) -> list[str]:
    """What is said of columns that methods or models may differ in, and that are not read."""
    methods, subjects = found.values(rows, "method"), found.values(rows, "subject")
    remarks = []
    for name, values in rows.columns.items():
        if name in found.of.values() or not _may_be_method(name, values):
            continue
        pairs = set(zip(methods, values, strict=True)) if methods else {("", v) for v in values}
        labels = {value.strip() for value in values} - {""}
        if subjects and rank(name, "method") is None and _follows(values, subjects):
            continue  # such as the group of an occupation
        if len(pairs) == len({method for method, _ in pairs}) or len(labels) > _MOST_LABELS:
            continue
        remarks.append(
            f"Rows with different values in column {quoted([name])} ({len(labels)}) are judged "
            "together; to tell them apart name it with --method-column."
        )
    return remarks


def _follows(values: Sequence[str], subjects: Sequence[str]) -> bool:
    """Whether each subject has one value only, and several of them one."""
    pairs = set(zip(subjects, values, strict=True))
    return len(pairs) == len(set(subjects)) < len(subjects)


def _may_be_method(name: str, values: Sequence[str]) -> bool:
    """Whether a column looks like one of methods or models, by its name or by its values."""
    looked_at = [value.strip() for value in values[:LOOKED_AT] if value.strip()]
    if len(set(looked_at)) < 2 or all_numbers(looked_at) or _is_truth(looked_at):
        return False
    if rank(name, "method") is not None:
        return True
    if METHOD_WORDS.intersection(word.casefold() for word in _WORDS.findall(name)):
        return not is_wordy(looked_at) and len(set(looked_at)) <= _MOST_LABELS
    if normal(name) in NUMBERING_NAMES or 2 * len(set(looked_at)) > len(looked_at):
        return False
    return all(len(value) < 100 and _MODEL_NAME.fullmatch(value) for value in looked_at)


def _is_truth(values: Sequence[str]) -> bool:
    return {value.casefold() for value in values} <= {"true", "false", "yes", "no"}
