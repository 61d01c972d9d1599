"""Stories: the association where users meet it, and what else becomes of a free text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from equipoise.measures.side_effects.influence import slope_values
from equipoise.measures.side_effects.quantities import (
    ALL,
    COLUMNS,
    STORY_REPETITION,
    STORY_SLOPE,
    STORY_TERMS,
    STORY_WORDS,
)
from equipoise.measures.stereotype_values import stand_in
from equipoise.task.lexicon import normal_words
from equipoise.task.task import Task

N_GRAM = 4
"""Words of a phrase that counts as repeated where it stands again."""


def story_items(answers: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Items of all quantities: one a story; of slopes one a subject.

    A task whose axis gives fewer than three shares has no slope.

    Args:
        answers: What `draw_answers` drew.
        task: Gives terms, and the words and shares of its axis.
    """
    stories = answers[answers["kind"] == "stories"]
    texts = stories["text"]
    terms = {name: lexicon.terms("all") for name, lexicon in task.lexicons.items()}
    flags = stand_in(texts, terms)
    columns = {(STORY_TERMS.name, name): flags[name].astype(float) for name in terms}
    columns[STORY_WORDS.name, ALL] = texts.map(lambda text: float(len(normal_words(text))))
    columns[STORY_REPETITION.name, ALL] = texts.map(repetition)
    rows = [
        (name, group, request, value)
        for (name, group), values in columns.items()
        for request, value in zip(stories["request"], values, strict=True)
    ]
    return pd.DataFrame([*rows, *_slopes(stories, task)], columns=list(COLUMNS))


def repetition(text: str) -> float:
    """Share of the phrases of `N_GRAM` words that stood in the text before; 0 of a shorter text.

    Welleck et al. 2019 (arXiv 1908.04319), there ``seq-rep-4`` of tokens.

    >>> repetition("on and on and on and on")  # on and on and, and on and on, twice each
    0.5
    """
    words = normal_words(text)
    phrases = [tuple(words[at : at + N_GRAM]) for at in range(len(words) - N_GRAM + 1)]
    return 1 - len(set(phrases)) / len(phrases) if phrases else 0.0


def _slopes(stories: pd.DataFrame, task: Task) -> Iterator[tuple[str, str, str, float]]:
    """Items of the slope for each kind of word that the axis counts."""
    words: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = (
        task.axis.words if task.axis else {}
    )
    shares = stories["subject"].map(task.shares).astype(float)
    for kind, (first, second) in words.items():
        flags = stand_in(stories["text"], {"first": first, "second": second}).astype(float)
        lean = (flags["second"] - flags["first"])[shares.notna()]
        by_subject = lean.groupby(stories["subject"], sort=False).mean()
        x = by_subject.index.map(task.shares).to_numpy(dtype=float)
        values = slope_values(x, by_subject.to_numpy(dtype=float))
        for subject, value in zip(by_subject.index, values, strict=True):
            if np.isfinite(value):
                yield STORY_SLOPE.name, kind, str(subject), float(value)
