"""Completions from anybody: a file or a frame becomes the one frame every metric reads.

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

Texts are never evaluated or converted: ``007``, ``NA`` and ``=1+1`` are texts. A missing text of a
subject is kept as an empty one, which satisfies nothing; dropping it would raise every rate.
docs/other-files.md describes what is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from equipoise.completions.column_names import (
    NUMBERING_NAMES,
    leaf,
    missing,
    normal,
)
from equipoise.completions.columns import Columns, find_columns, has_subject
from equipoise.completions.copies import distinct_draws
from equipoise.completions.gaps import filled_down, with_names_joined, with_silent_rows
from equipoise.completions.judged_rows import (
    Prefix,
    cut_column,
    judge_rows,
    own_words,
    response_prefix,
)
from equipoise.completions.judged_sentence import Judged
from equipoise.completions.pooled import pooled
from equipoise.completions.readers import read_source, source_of
from equipoise.completions.sentence_remarks import count_texts, sentence_remarks
from equipoise.completions.source import Source
from equipoise.completions.subjects import own_names, prompts_continued, subjects_elsewhere
from equipoise.completions.unanswered import answered
from equipoise.completions.values import (
    convert_all,
    methods_of,
    runs_of,
    seeds_of,
    splits_of,
    truth,
    whole_number,
)
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted

COLUMNS = ("method", "seed", "subject", "split", "run", "text", "finished", "tokens")
"""Columns of the completions frame, in order."""

CUT = "cut"
"""A further column, only where anything was taken away: its kinds, joined by "; "."""


@dataclass(frozen=True)
class Reading:
    """A stranger's completions, and what is to be said of how they were read.

    Attributes:
        completions: The completions frame.
        remarks: One sentence each; none for a file that leaves nothing open.
    """

    completions: pd.DataFrame
    remarks: tuple[str, ...]


def read_anything(
    completions: pd.DataFrame | str | Path,
    task: Task,
    *,
    text_column: str | None = None,
    subject_column: str | None = None,
    method_column: str | None = None,
    prefix: Prefix = "as-is",
    method: str | None = None,
    seed: int = 0,
    copies: bool = False,
) -> Reading:
    """Anybody's completions, with what a reader of the scores should know of their reading.

    Args:
        completions: A frame, or a file: CSV, JSON, Parquet or another harness's log.
        task: Gives the split of its subjects where the file gives none, and the prefix.
        text_column: The text's column, where no name is recognised or another one is meant.
        subject_column: The subject's column, likewise.
        method_column: The method's column, likewise.
        prefix: ``as-is`` judges each text as it stands in the file. ``add`` puts the task's
            response prefix ("The doctor was") before each non-empty text that does not start with
            it: for files that hold only the continuation, so that its words count as in all others.
            In logs that hold the prompt, texts that continue its prefix get it in any case.
        method: Stands where the file has no method; by default the file's name without ``.csv``.
        seed: Stands where the file has no seed.
        copies: Keep rows that are copies of others (`distinct_draws`); otherwise they are left out.

    Raises:
        EquipoiseError: See ``read_source``; or a column cannot be recognised, a seed is not a whole
            number, or a split is neither train nor validation.
    """
    chosen = {"text": text_column, "subject": subject_column, "method": method_column}
    if isinstance(completions, pd.DataFrame):
        source = source_of(completions)
        label = "completions"
    else:
        path = Path(completions)
        source = read_source(path, [name for name in chosen.values() if name is not None])
        label = path.stem
    return _reading(source, task, chosen, prefix, label if method is None else method, seed, copies)


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
    """Anybody's file as a completions frame, a row for each of its texts; see `read_anything`."""
    return read_anything(
        path,
        task,
        text_column=text_column,
        subject_column=subject_column,
        prefix=prefix,
        method=method,
        seed=seed,
        copies=True,
    ).completions


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
    """Anybody's frame as a completions frame, a row for each of its texts; see `read_anything`."""
    return read_anything(
        frame,
        task,
        text_column=text_column,
        subject_column=subject_column,
        prefix=prefix,
        method=method,
        seed=seed,
        copies=True,
    ).completions


def remarks(completions: pd.DataFrame, task: Task) -> list[str]:
    """What a reader of the scores should know about the texts, one sentence each; often nothing.

    Counts empty texts, texts that do not start with the task's response prefix (their word counts
    are not comparable with the study's) and their forms, what was taken away before judging, by
    kind, and subjects the task does not have.
    """
    texts, subjects = completions["text"].tolist(), completions["subject"].tolist()
    prefixes = [response_prefix(task, subject) for subject in subjects]
    cuts = completions[CUT].fillna("").tolist() if CUT in completions else None
    found = sentence_remarks(count_texts(texts, prefixes, subjects, cuts), task.prefix)
    known = {subject.name for subject in task.subjects}
    unknown = list(dict.fromkeys(subject for subject in subjects if subject not in known))
    if unknown:
        found.append(f"Subjects the task '{task.name}' does not have: {quoted(unknown, 3)}.")
    return found


def _reading(
    source: Source,
    task: Task,
    chosen: dict[str, str | None],
    prefix: Prefix,
    method: str,
    seed: int,
    copies: bool,
) -> Reading:
    """The completions of ``source``; the other arguments as in ``read_anything``."""
    asked: list[str] = []
    where = ""
    if chosen["subject"] is None and not has_subject(source.rows, task):
        asked, where = subjects_elsewhere(source, task)
    roles = source.roles or _own_layout(source.rows)
    if not roles:
        joined, of_names = with_names_joined(source.rows, task)
        source = replace(source, rows=joined, remarks=(*source.remarks, *of_names))
    columns = find_columns(source.rows, task, chosen, roles, subject_elsewhere=bool(asked))
    columns.remarks += pooled(source.rows, columns)
    rows, asked, contexts, left_out = _filled(source, columns, asked)
    texts = columns.values(rows, "text") or []
    down = partial(filled_down, merged=source.grid)
    named, of_subjects = down(columns.values(rows, "subject"), "subject")
    found = named or asked
    subjects = own_names(found, task)
    labels, of_labels = down(columns.values(rows, "method"), "method")
    labels = with_silent_rows(labels, texts)
    methods, of_methods = methods_of(rows, labels, method)
    seeds, of_seeds = seeds_of(rows, columns.values(rows, "seed"), seed)
    splits, of_splits = splits_of(rows, columns.values(rows, "split"), subjects, task)
    said = [*source.remarks, *left_out, *columns.remarks, *of_subjects, *of_labels, *of_methods]
    said += [*of_seeds, *of_splits]
    if "subject" not in columns.of:
        said.append(f"No column is the subject: it is read from {where}.")
    kept = list(range(len(rows)))
    if not copies:
        kept, of_silence = answered(rows, methods, seeds, texts)
        said += of_silence
        words = partial(own_words, task)
        draws = distinct_draws(methods, seeds, subjects, texts, words, _numbers(rows, columns))
        said += draws.remarks
        kept = [row for row in kept if draws.kept[row]]
    if len(kept) < len(rows):
        rows = rows.only(kept)
        methods, subjects, splits, texts = (
            [values[i] for i in kept] for values in (methods, subjects, splits, texts)
        )
        seeds = [seeds[i] for i in kept]
        contexts = [contexts[i] for i in kept] if contexts else []
    contexts = contexts or prompts_continued(rows, texts, subjects, task)
    judged = judge_rows(texts, subjects, contexts, task, prefix)
    frame = _frame(rows, columns, methods, seeds, subjects, splits, judged)
    return Reading(frame, tuple(said))


def _frame(
    rows: Rows,
    columns: Columns,
    methods: list[str],
    seeds: list[int],
    subjects: list[str],
    splits: list[str],
    judged: list[Judged],
) -> pd.DataFrame:
    """The completions frame; a file's own word on what is finished counts."""
    own = convert_all(columns.values(rows, "finished"), truth) or [None] * len(rows)
    ended = [
        sentence.finished if said is None else said
        for said, sentence in zip(own, judged, strict=True)
    ]
    runs = runs_of(columns.values(rows, "run"), methods, seeds, subjects)
    tokens = convert_all(columns.values(rows, "tokens"), whole_number)
    frame = pd.DataFrame(
        {
            "method": pd.Series(methods, dtype="str"),
            "seed": pd.Series(seeds, dtype="int64"),
            "subject": pd.Series(subjects, dtype="str"),
            "split": pd.Series(splits, dtype="str"),
            "run": pd.Series(runs, dtype="int64"),
            "text": pd.Series([sentence.text for sentence in judged], dtype="str"),
            "finished": pd.Series(ended, dtype="bool"),
            "tokens": pd.Series(tokens, range(len(rows)), dtype="Int64"),
        }
    )
    cut = cut_column(rows.columns.get(CUT), judged)
    return frame.assign(**{CUT: pd.Series(cut, dtype="str")}) if any(cut) else frame


def _filled(
    source: Source, columns: Columns, asked: list[str]
) -> tuple[Rows, list[str], Sequence[str], list[str]]:
    """Rows, asked subjects and contexts without rows that have neither subject nor text.

    Raises:
        EquipoiseError: No row is left.
    """
    rows, contexts = source.rows, source.contexts
    texts = columns.values(rows, "text") or []
    subjects = columns.values(rows, "subject") or asked
    pairs = enumerate(zip(texts, subjects, strict=True))
    kept = [i for i, pair in pairs if not all(map(missing, pair))]
    without = len(rows) - len(kept)
    if not without:
        return rows, asked, contexts, []
    if not kept:
        raise EquipoiseError("no row has a text", file=rows.file, hint="Add completions.")
    return (
        rows.only(kept),
        [asked[i] for i in kept] if asked else [],
        [contexts[i] for i in kept] if contexts else [],
        [f"Rows with neither a subject nor a text, left out: {without:,}."],
    )


def _own_layout(rows: Rows) -> dict[str, str]:
    """Every column is what its name says where the table starts as the completions frame does."""
    own = tuple(rows.columns)[: len(COLUMNS)] == COLUMNS
    return {name: name for name in COLUMNS} if own else {}


def _numbers(rows: Rows, columns: Columns) -> list[list[str]]:
    """Columns whose names say that they number the draws; not one that is read as something else.

    A column ``sample`` may hold the texts themselves, which come back without being copies.
    """
    others = {name for role, name in columns.of.items() if role != "run"}
    return [
        values
        for name, values in rows.columns.items()
        if normal(leaf(name)) in NUMBERING_NAMES and name not in others
    ]
