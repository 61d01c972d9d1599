"""All completions as the page's browser reads them: each distinct text once, its terms marked.

Terms are found here, by the matcher that everything counts with; the page only shows them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from equipoise.report.breakdown import subjects_of
from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Task
from equipoise.wording.visible import MOST_CHARACTERS, shown, visible

MOST_COMPLETIONS = 200_000
"""More are not put into the page: browsers limit how high a list can be."""

BALANCED, IN_RANGE, ANY, HELD_OUT = 1, 2, 4, 8
"""Bits of a text's flags."""

Piece = tuple[str, int | None, bool]
"""A piece of text; the term set it is a term of, if it is one; whether that is a listed term."""


class Marker:
    """Splits texts where terms begin and end.

    Args:
        task: Gives the term sets; a term of several counts for the first.
    """

    def __init__(self, task: Task) -> None:
        self.sets = tuple(task.lexicons)
        self._owner: dict[str, tuple[int, bool]] = {}
        for number, lexicon in enumerate(task.lexicons.values()):
            for listed, terms in ((True, lexicon.listed), (False, lexicon.held_out)):
                for term in terms:
                    self._owner.setdefault(term, (number, listed))
        self._matcher = TermMatcher(self._owner)

    def pieces(self, text: str) -> list[Piece]:
        """``text`` in pieces that join to it, plain and marked by turns, the first one plain.

        Of terms that overlap the first and longest is marked.
        """
        pieces: list[Piece] = []
        end = 0
        for hit in self._matcher.find(text):
            if hit.start < end or hit.end > MOST_CHARACTERS:
                continue
            pieces.append((text[end : hit.start], None, False))
            pieces.append((text[hit.start : hit.end], *self._owner[hit.term]))
            end = hit.end
        rest = text[end:MOST_CHARACTERS]
        if len(text) > MOST_CHARACTERS:
            rest += f" … ({len(text):,} characters in all)"
        return [*pieces, (rest, None, False)]


def passages(run: FinishedRun, most: int = MOST_COMPLETIONS) -> dict[str, Any]:
    """The completions as plain data.

    - ``sets``, ``methods``, ``seeds``, ``subjects``: names; ``splits``: of each subject.
    - ``texts``: of each distinct text its pieces, plain and marked by turns. A marked one begins
      with a character whose code is 65 + 2 × its set, + 1 for a held-out term.
    - ``flags``, ``words``: of each distinct text.
    - ``cells``: method and seed (indices), then the subjects and the texts of its completions.
    - ``total``: completions of the run; ``shown``: how many of them are here. Where that is fewer,
      it is the first ones of each cell.

    Args:
        run: The run.
        most: Completions at most.
    """
    frame = run.completions
    cells = list(frame.groupby(["method", "seed"], sort=False))
    each = max(1, most // max(1, len(cells)))
    kept = pd.concat([part.head(each) if len(frame) > most else part for _, part in cells])
    codes, _ = pd.factorize(kept["text"])
    first = kept.iloc[pd.Series(codes).drop_duplicates().index]
    names = [name for name, _ in subjects_of(run)]
    places = {name: place for place, name in enumerate(names)}
    methods, seeds = list(run.methods), list(run.seeds)
    kept = kept.assign(_text=codes, _subject=kept["subject"].map(places))
    rows = [
        [methods.index(str(method)), seeds.index(int(str(seed))), part["_subject"].tolist(),
         part["_text"].tolist()]
        for (method, seed), part in kept.groupby(["method", "seed"], sort=False)
    ]  # fmt: skip
    marker = Marker(run.task)
    return {
        "sets": [shown(name) for name in marker.sets],
        "methods": [shown(method) for method in methods],
        "seeds": seeds,
        "subjects": [shown(name) for name in names],
        "splits": [split for _, split in subjects_of(run)],
        "texts": [_encoded(marker.pieces(str(text))) for text in first["text"]],
        "flags": _flags(first),
        "words": first["word_count"].tolist(),
        "cells": rows,
        "total": len(frame),
        "shown": len(kept),
    }


def examples(run: FinishedRun, each: int = 2) -> list[dict[str, Any]]:
    """The first completion of the first ``each`` subjects of both splits, by method; not chosen.

    Each has ``method``, ``seed``, ``subject``, ``pieces`` and ``balanced``.
    """
    marker = Marker(run.task)
    wanted: list[str] = []
    for split in ("train", "validation", ""):
        wanted += [name for name, own in subjects_of(run) if own == split][:each]
    found = []
    for method in run.methods:
        own = run.completions[run.completions["method"] == method]
        own = own[own["subject"].isin(wanted[: 2 * each])].drop_duplicates("subject")
        for row in records(own):
            pieces = [(visible(text), *mark) for text, *mark in marker.pieces(str(row["text"]))]
            found.append({**row, "subject": shown(row["subject"]), "pieces": pieces})
    return found


def json_for_script(value: Any) -> str:
    r"""``value`` as JSON that can stand in an HTML script element: ASCII, without ``< > &``.

    >>> json_for_script(["</script>", "&\u2028"])
    '["\\u003c/script\\u003e","\\u0026\\u2028"]'
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _encoded(pieces: Sequence[Piece]) -> list[str]:
    return [
        visible(text) if number is None else chr(65 + 2 * number + (not listed)) + visible(text)
        for text, number, listed in pieces
    ]


def _flags(texts: pd.DataFrame) -> list[int]:
    bits = {BALANCED: "balanced", IN_RANGE: "in_range", ANY: "any", HELD_OUT: "balanced_held_out"}
    flags = sum(texts[name].fillna(False).astype(int) * bit for bit, name in bits.items())
    return [int(flag) for flag in pd.Series(flags).tolist()]
