"""Completions from anybody: a CSV or a frame becomes the one frame every metric reads.

The completions frame has one row per completion and these columns, in this order:

========  ======  ==============================================================================
method    str     label of the method that made the text
seed      int64   its seed
subject   str     who is described; the task's spelling where it is one of the task's subjects
split     str     ``train``, ``validation``, or empty where nobody says
run       int64   0-based index within method, seed and subject, unless the file gives its own
text      str     the judged sentence (``judged_sentence.judge``), cleaned
finished  bool    the sentence came to its end (a terminator was seen)
tokens    Int64   number of tokens drawn; missing where nobody says
cut       str     only where anything was: kinds of what was taken away around the sentence
========  ======  ==============================================================================

Nothing in a file is ever evaluated or converted: ``007``, ``NA`` and ``=1+1`` are texts. A missing
text is kept as an empty one, which satisfies nothing; dropping it would raise every rate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from equipoise.completions.columns import (
    SUBJECT_NAMES,
    TEXT_NAMES,
    convert_all,
    optional_column,
    quoted,
    required_column,
    seeds_of,
    splits_of,
    truth,
    whole_number,
)
from equipoise.completions.judged_sentence import Judged, judge
from equipoise.completions.sentence_remarks import (
    count_texts,
    read_cut,
    sentence_remarks,
    written_cut,
)
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows, read_rows
from equipoise.task.task import Task

COLUMNS = ("method", "seed", "subject", "split", "run", "text", "finished", "tokens")
"""Columns of the completions frame, in order."""

CUT = "cut"
"""A further column, only where anything was taken away: its kinds, joined by "; "."""

Prefix = Literal["as-is", "add"]


def read_completions(
    path: str | Path,
    task: Task,
    *,
    text_column: str | None = None,
    subject_column: str | None = None,
    prefix: Prefix = "as-is",
    method: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Anybody's CSV as a completions frame.

    Args:
        path: A CSV in UTF-8; ``columns.py`` says which columns are recognised. Others are
            ignored.
        task: Gives the split of its subjects where the file gives none, and the prefix.
        text_column: The text's column, where no name or several are recognised.
        subject_column: The subject's column, likewise.
        prefix: ``as-is`` judges each text as it stands in the file. ``add`` puts the task's
            response prefix ("The doctor was") before each non-empty text that does not start with
            it: for files that hold only the continuation, so that its words count as in all others.
        method: Stands where the file has no method; by default the file's name without ``.csv``.
        seed: Stands where the file has no seed.

    Raises:
        EquipoiseError: See ``read_rows``; or a column cannot be recognised, a seed is not a whole
            number, or a split is neither train nor validation.
    """
    path = Path(path)
    rows = read_rows(path)
    return _completions(
        rows,
        task,
        text_column,
        subject_column,
        prefix,
        path.stem if method is None else method,
        seed,
    )


def as_completions(
    frame: pd.DataFrame,
    task: Task,
    *,
    text_column: str | None = None,
    subject_column: str | None = None,
    prefix: Prefix = "as-is",
    method: str = "completions",
    seed: int = 0,
) -> pd.DataFrame:
    """Anybody's frame as a completions frame; the same rules as ``read_completions``.

    Values that are not strings are taken as the strings they print as, missing ones as empty.

    Raises:
        EquipoiseError: The frame has no rows, or as for ``read_completions``.
    """
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise EquipoiseError("two columns of the frame share a name", hint="Rename one.")
    if frame.empty:
        raise EquipoiseError("the frame has no rows", hint="Add completions.")
    columns = {name: _strings(frame.iloc[:, i]) for i, name in enumerate(names)}
    return _completions(Rows(columns), task, text_column, subject_column, prefix, method, seed)


def remarks(completions: pd.DataFrame, task: Task) -> list[str]:
    """What a reader of the scores should know about the texts, one sentence each; often nothing.

    Counts empty texts, texts that do not start with the task's response prefix (their word counts
    are not comparable with the study's) and their forms, what was taken away before judging, by
    kind, and subjects the task does not have.
    """
    texts, subjects = completions["text"].tolist(), completions["subject"].tolist()
    prefixes = [_response_prefix(task, subject) for subject in subjects]
    cuts = completions[CUT].fillna("").tolist() if CUT in completions else None
    found = sentence_remarks(count_texts(texts, prefixes, subjects, cuts), task.prefix)
    known = {subject.name for subject in task.subjects}
    unknown = list(dict.fromkeys(subject for subject in subjects if subject not in known))
    if unknown:
        found.append(f"Subjects the task '{task.name}' does not have: {quoted(unknown, 3)}.")
    return found


def _completions(
    rows: Rows,
    task: Task,
    text_column: str | None,
    subject_column: str | None,
    prefix: Prefix,
    method: str,
    seed: int,
) -> pd.DataFrame:
    """The completions frame of ``rows``; the arguments as in ``read_completions``."""
    texts = rows.columns[required_column(rows, TEXT_NAMES, text_column, "--text-column")]
    found = rows.columns[required_column(rows, SUBJECT_NAMES, subject_column, "--subject-column")]
    own_names = {subject.name.casefold(): subject.name for subject in task.subjects}
    subjects = [own_names.get(name.strip().casefold(), name.strip()) for name in found]
    methods = optional_column(rows, "method") or [""] * len(rows)
    methods = [name.strip() or method for name in methods]
    seeds = seeds_of(rows, seed)
    sentences = [
        judge(text, _response_prefix(task, subject), subject, add=prefix == "add")
        for text, subject in zip(texts, subjects, strict=True)
    ]
    frame = pd.DataFrame(
        {
            "method": pd.Series(methods, dtype="str"),
            "seed": pd.Series(seeds, dtype="int64"),
            "subject": pd.Series(subjects, dtype="str"),
            "split": pd.Series(splits_of(rows, subjects, task), dtype="str"),
            "run": pd.Series(_runs(rows, methods, seeds, subjects), dtype="int64"),
            "text": pd.Series([sentence.text for sentence in sentences], dtype="str"),
            "finished": pd.Series(
                convert_all(rows, "finished", truth)
                or [sentence.finished for sentence in sentences],
                dtype="bool",
            ),
            "tokens": pd.Series(
                convert_all(rows, "tokens", whole_number), range(len(rows)), dtype="Int64"
            ),
        }
    )
    cut = _cut(rows.columns.get(CUT), sentences)
    return frame.assign(**{CUT: pd.Series(cut, dtype="str")}) if any(cut) else frame


def _cut(said: list[str] | None, sentences: list[Judged]) -> list[str]:
    """What was taken away around each sentence, and before, as the column of a run's file says."""
    before = [read_cut(value) for value in said] if said else [()] * len(sentences)
    if None in before:
        before = [()] * len(sentences)  # a stranger's column, which means something else
    return [
        written_cut(dict.fromkeys((*(kinds or ()), *sentence.cut)))
        for kinds, sentence in zip(before, sentences, strict=True)
    ]


def _strings(column: pd.Series[Any]) -> list[str]:
    missing = column.isna().tolist()
    pairs = zip(column.tolist(), missing, strict=True)
    return ["" if empty else str(value) for value, empty in pairs]


def _runs(rows: Rows, methods: list[str], seeds: list[int], subjects: list[str]) -> list[int]:
    """The file's own run numbers if all are numbers; else 0, 1, ... in each cell and subject."""
    own = convert_all(rows, "run", whole_number)
    if own is not None:
        return own
    count: dict[tuple[str, int, str], int] = {}
    runs = []
    for key in zip(methods, seeds, subjects, strict=True):
        runs.append(count.get(key, 0))
        count[key] = runs[-1] + 1
    return runs


def _response_prefix(task: Task, subject: str) -> str:
    """``The doctor was``; also for subjects the task does not have."""
    return str(task.prefix).replace("{subject}", subject)
