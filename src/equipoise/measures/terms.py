"""How often each term is used, by method, subject and seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from equipoise.measures.column import Column, Table, rate
from equipoise.measures.declaration import Evidence, Measure, Measured
from equipoise.task.lexicon import TermMatcher, term_key
from equipoise.task.task import Task

TERMS = Table(
    "terms",
    "a method, seed, subject and term",
    (
        Column("listed", "listed", "False for held-out terms", text=True),
        Column("count", "completions with it", "completions about the subject in which the term "
               "stands, however often", low=0, needed=True),
        Column("n", "completions", "completions about the subject", low=1, needed=True,
               misleads="where it is small: with 30 completions a frequency of one half has a "
               "standard error of 9 points, and of 840 rows a seed some differ much by chance "
               "alone"),
        rate("frequency", "frequency", "count / n"),
    ),
    keys=("method", "seed", "subject", "split", "set", "term"),
    absent="use of single terms",
)  # fmt: skip


class Terms(Measure):
    """How often each term is used."""

    name = "terms"
    title = "Which words"
    tables = (TERMS,)

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        return Measured({"terms": term_table(evidence.scored, evidence.task)})


def term_table(completions: pd.DataFrame, task: Task) -> pd.DataFrame:
    """A row for each method, seed, subject and term; listed and held-out terms of all sets.

    Columns: ``method``, ``seed``, ``subject``, ``split``, ``set``, ``term``, ``listed`` (False for
    held-out terms), ``count`` (completions about the subject in which the term stands, however
    often), ``n`` (completions about the subject) and ``frequency`` (count / n, 0-1).

    About the task's subjects every term has a row. About others, whose number nobody knows, only
    terms that were used have.

    Args:
        completions: A completions frame, scored or not.
        task: Gives terms and subjects.
    """
    terms = [
        (name, term, term in lexicon.listed)
        for name, lexicon in task.lexicons.items()
        for term in lexicon.terms("all")
    ]
    keys = ["method", "seed", "subject", "split"]
    groups = completions.groupby(keys, sort=False, dropna=False)
    group = groups.ngroup().to_numpy()
    table = groups.size().rename("n").reset_index()
    used = _used(completions["text"], group, terms)
    counts = pd.Series(used[1], index=used[0])
    own = table["subject"].isin([subject.name for subject in task.subjects]).to_numpy()
    wanted = np.flatnonzero(own)[:, None] * len(terms) + np.arange(len(terms))[None, :]
    index = np.union1d(wanted.ravel(), used[0])
    of_group, of_term = np.divmod(index, max(1, len(terms)))
    found = table.take(of_group).reset_index(drop=True)
    described = pd.DataFrame(terms, columns=["set", "term", "listed"])
    found = pd.concat([found, described.take(of_term).reset_index(drop=True)], axis=1)
    found["count"] = counts.reindex(index, fill_value=0).to_numpy()
    found["frequency"] = found["count"] / found["n"]
    return found[[*keys, "set", "term", "listed", "count", "n", "frequency"]]


def _used(
    texts: pd.Series[str], group: np.ndarray, terms: list[tuple[str, str, bool]]
) -> tuple[np.ndarray, np.ndarray]:
    """Which terms the completions of each group use, and in how many of them.

    Returns:
        ``group * len(terms) + term``, ascending, and the counts.
    """
    spelt: dict[str, list[int]] = {}
    for number, (_, term, _) in enumerate(terms):
        spelt.setdefault(term_key(term), []).append(number)
    matcher = TermMatcher(spelt)  # of a term that stands in two sets, both are used
    codes, distinct = pd.factorize(texts)
    hits = [
        [number for term in dict.fromkeys(matcher.terms_in(str(text))) for number in spelt[term]]
        for text in distinct
    ]
    each = np.array([len(found) for found in hits], dtype=np.int64)
    flat = np.array([number for found in hits for number in found], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(each)])[:-1]
    repeats = each[codes]
    rows = np.repeat(np.arange(len(codes)), repeats)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    pairs = group[rows] * len(terms) + flat[starts[codes[rows]] + within]
    return np.unique(pairs, return_counts=True)
