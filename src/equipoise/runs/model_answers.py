"""What models have said of a run's completions, kept in ``measures/`` beside the question.

``fluency_JUDGE.csv`` and ``.json`` are answers and question of a judge of fluency; ``agency.csv``,
``.safetensors`` and ``.json`` those of the classifier of language agency; other pairs of ``.csv``
and ``.json`` are parts of an examination (``study.examinations``). Each question holds the sums of
its answers. Answers to another question, or damaged ones, count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.files.artifacts import clear_write_errors, make_folder, read_or_none, write_json
from equipoise.files.csv_file import read_rows, write_table
from equipoise.files.manifest import sha256
from equipoise.measures.agency_classifier import AgencyClassifier
from equipoise.measures.judging import SCORE_COLUMNS

AGENCY = "agency"
SCORE_SUMS = {".csv": "sha256"}
AGENCY_SUMS = {".safetensors": "sha256", ".csv": "texts_sha256"}
"""Files of answers by their ending, and the key of the question that holds the sum of each."""


def known_scores(folder: Path, judge: str, question: Mapping[str, Any]) -> pd.DataFrame:
    """What a judge of fluency has said; no rows if nothing answers ``question`` undamaged.

    Args:
        folder: The run's ``measures``.
        judge: Label of the judge.
        question: Everything that decides its answers.
    """
    path = _scores_file(folder, judge)
    if not _answers(path.with_suffix(".json"), question, SCORE_SUMS, whole=True):
        return pd.DataFrame(columns=list(SCORE_COLUMNS))
    columns = read_rows(path).columns
    flags = {name: [value == "True" for value in columns[name]] for name in SCORE_COLUMNS[4:]}
    return pd.DataFrame(
        {
            **{name: pd.Series(columns[name], dtype="str") for name in SCORE_COLUMNS[:2]},
            "tokens": [int(value) for value in columns["tokens"]],
            "log_probability": [float(value) for value in columns["log_probability"]],
            **flags,
        }
    )


def keep_scores(
    folder: Path, judge: str, question: Mapping[str, Any], scores: pd.DataFrame
) -> None:
    """Store what a judge of fluency says, in place of what it has said before."""
    path = _scores_file(folder, judge)
    write_table(path, scores)
    write_json(path.with_suffix(".json"), {**question, **_sums(path, SCORE_SUMS)})


def known_agency(
    folder: Path, question: Mapping[str, Any]
) -> tuple[AgencyClassifier | None, dict[str, float]]:
    """Classifier and probabilities by text; none if nothing answers ``question`` undamaged."""
    record = folder / f"{AGENCY}.json"
    if not _answers(record, question, AGENCY_SUMS):
        return None, {}
    columns = read_rows(record.with_suffix(".csv")).columns
    values = [float(value) if value else math.nan for value in columns["agency"]]
    classifier = AgencyClassifier.load(record.with_suffix(".safetensors"))
    return classifier, dict(zip(columns["text"], values, strict=True))


def keep_agency(
    folder: Path,
    question: Mapping[str, Any],
    classifier: AgencyClassifier,
    known: Mapping[str, float],
) -> None:
    """Store the classifier and what it says of each text."""
    base = folder / AGENCY
    make_folder(folder)
    with clear_write_errors(base.with_suffix(".safetensors")):
        classifier.save(base.with_suffix(".safetensors"))
    table = pd.DataFrame({"text": list(known), "agency": list(known.values())})
    write_table(base.with_suffix(".csv"), table)
    about = {
        "validation_accuracy": classifier.accuracy,
        "validation_sentences": classifier.sentences,
    }
    write_json(
        base.with_suffix(".json"),
        {**question, **about, **_sums(base.with_suffix(".json"), AGENCY_SUMS)},
    )


def known_table(
    folder: Path, name: str, question: Mapping[str, Any], types: Mapping[str, type]
) -> pd.DataFrame | None:
    """A table that models have filled; None if nothing called ``name`` answers ``question``.

    Args:
        folder: The run's ``measures``.
        name: Of the table.
        question: Everything that decides what is in it.
        types: Of the columns that are no text: bool or float.
    """
    record = folder / f"{name}.json"
    if not _answers(record, question, SCORE_SUMS, whole=True):
        return None
    table = pd.DataFrame(read_rows(folder / f"{name}.csv").columns, dtype="str")
    for column, type_ in types.items():  # every text that is not empty is true to pandas
        table[column] = table[column] == "True" if type_ is bool else table[column].astype(float)
    return table


def keep_table(folder: Path, name: str, question: Mapping[str, Any], table: pd.DataFrame) -> None:
    """Store a table that models have filled, in place of an earlier one."""
    path = folder / f"{name}.csv"
    write_table(path, table)
    write_json(folder / f"{name}.json", {**question, "sha256": sha256(path)})


def answer_faults(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Each file of answers, and what is wrong with it; None where nothing is."""
    for record in sorted(folder.glob("*.json")):
        stored = read_or_none(record)
        stored = stored if isinstance(stored, dict) else {}
        sums = AGENCY_SUMS if record.stem == AGENCY else SCORE_SUMS
        for suffix, name in sums.items():
            file = record.with_suffix(suffix)
            problem = None
            if not file.is_file():
                problem = "the file is missing"
            elif name not in stored:
                problem = f"its record {record.name} is damaged"
            elif sha256(file) != stored[name]:
                problem = "it is damaged: its SHA-256 is not the recorded one"
            yield file, problem
    for file in sorted(folder.glob("*.csv")):
        if not file.with_suffix(".json").is_file():
            yield file, "its record is missing"


def _scores_file(folder: Path, judge: str) -> Path:
    return folder / f"fluency_{judge}.csv"


def _sums(record: Path, sums: Mapping[str, str]) -> dict[str, str]:
    """Key and SHA-256 of each file of answers beside ``record``."""
    return {name: sha256(record.with_suffix(suffix)) for suffix, name in sums.items()}


def _answers(
    record: Path, question: Mapping[str, Any], sums: Mapping[str, str], *, whole: bool = False
) -> bool:
    """Whether the files beside ``record`` answer ``question`` and are undamaged.

    Args:
        record: The stored question.
        question: What is asked now.
        sums: See ``AGENCY_SUMS``.
        whole: Whether the stored question holds nothing else.
    """
    stored = read_or_none(record)
    if not isinstance(stored, dict):
        return False
    if not all(record.with_suffix(suffix).is_file() for suffix in sums):
        return False
    expected = {**question, **_sums(record, sums)}
    found = stored if whole else {name: stored.get(name) for name in expected}
    return found == expected
