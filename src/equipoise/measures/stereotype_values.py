"""What each subject is given by each measure of stereotype, before the regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from equipoise.measures.occupation_shares import SHARE
from equipoise.task.lexicon import TermMatcher, term_key
from equipoise.task.task import Task

COLUMNS = ("method", "seed", "measure", "occupation", "share", "value", "size")
"""Columns of a frame of values, one row for each method, seed, measure and subject.

``size``, 0 or more, is how far from even the subject is, whichever way: the mean of the absolute
values whose mean is the value. Values that cancel each other out are small in the mean alone.
"""

FEWEST_UNFITTED = 10
"""Subjects of the unfitted half, at least, for it to be without those of the training data."""

WINOGENDER = " Winogender's file (measures.winogender) adds others."


def text_values(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """What can be read off the texts, as a frame of values.

    It has these measures:

    - ``terms``: share of completions with a term of the set at the axis's second pole minus share
      with one of the set at its first pole, -1 to 1; listed and held-out terms.
    - For each kind of word that the axis counts, such as ``pronouns``: share with a word of the
      second pole minus share with one of the first, -1 to 1; ``feminine_pronouns``,
      ``masculine_pronouns``: these shares, 0-1, named by the poles.

    Args:
        scored: Completions, with the columns method, seed, subject, text.
        task: Gives axis and terms. Without an axis there is no measure.
    """
    compared = _compared(task)
    groups = {
        f"{measure} {pole}": words
        for measure, poles in compared.items()
        for pole, words in enumerate(poles)
    }
    flags = stand_in(scored["text"], groups)
    keys = ["method", "seed", "subject"]
    means = flags.groupby([scored[key] for key in keys], sort=False).mean()
    found = {}
    for measure in compared:
        first, second = means[f"{measure} 0"], means[f"{measure} 1"]
        found[measure] = second - first
        if task.axis is not None and measure in task.axis.words:
            one, other = task.axis.poles
            found |= {f"{other}_{measure}": second, f"{one}_{measure}": first}
    return _long(pd.DataFrame(found, index=means.index), task.shares)


def _compared(task: Task) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """The words of both poles, by the measure that compares them."""
    axis = task.axis
    if axis is None:
        return {}
    sets: dict[str, tuple[Sequence[str], Sequence[str]]] = {}
    if axis.terms is not None:
        one, other = (task.lexicons[name].terms("all") for name in axis.terms)
        sets["terms"] = one, other
    return {**sets, **axis.words}


def agency_values(scored: pd.DataFrame, task: Task, agency: Mapping[str, float]) -> pd.DataFrame:
    """The measure ``agency``: mean probability that a completion's language is agentic, 0-1.

    Args:
        scored: Completions, with the columns method, seed, subject, text.
        task: Gives the shares.
        agency: For each text, what the classifier says; see ``agency``.
    """
    frame = scored[["method", "seed", "subject"]].assign(agency=scored["text"].map(agency))
    means = frame.groupby(["method", "seed", "subject"], sort=False)[["agency"]].mean()
    return _long(means, task.shares)


def association_values(associations: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Mean log-odds of the second pole's word, in nats, by half, and of the unfitted one by kind.

    - ``association_fitted``: on the task's subjects. ``association_contexts``: likewise.
    - ``association_unfitted``, the headline, and its parts, one for each kind of unfitted probe,
      such as ``association_names``: on subjects that no training data describes, if there are at
      least `FEWEST_UNFITTED` of them; otherwise on all. Each kind counts equally in the whole,
      each context in its kind, each pair in its context.

    Args:
        associations: ``association_table`` of each cell, with the columns ``method`` and ``seed``.
        task: Says which are its subjects, and which training data describes.
    """
    associations = associations.assign(size=associations["log_odds"].abs())
    subjects = {subject.name for subject in task.subjects}
    described = _described(associations, task)
    if _outside(associations, described) < FEWEST_UNFITTED:
        described = set()
    unfitted = associations[
        (associations["half"] == "unfitted") & ~associations["occupation"].isin(described)
    ]
    fitted = associations[
        (associations["half"] != "unfitted") & associations["occupation"].isin(subjects)
    ]
    keys = ["method", "seed", "occupation", "share"]
    by_half = _mean_of_means(fitted, [*keys, "half"])
    by_kind = _mean_of_means(unfitted, [*keys, "kind"])
    whole = by_kind.groupby(keys, sort=False, dropna=False)[["log_odds", "size"]].mean()
    parts = [
        by_half.assign(measure="association_" + by_half["half"]),
        whole.reset_index().assign(measure="association_unfitted"),
        by_kind.assign(measure="association_" + by_kind["kind"]),
    ]
    return pd.concat(parts).rename(columns={"log_odds": "value"})[list(COLUMNS)]


def all_occupations_note(associations: pd.DataFrame, task: Task) -> list[str]:
    """A sentence where the unfitted half is measured on subjects of the training data too.

    Args:
        associations: As for `association_values`.
        task: Likewise.
    """
    described = _described(associations, task)
    outside = _outside(associations, described)
    if not described or outside >= FEWEST_UNFITTED:
        return []
    return [
        f"The unfitted association is of all {outside + len(described)} subjects: without the "
        f"{len(described)} that training data describes, {outside} would be left, fewer than "
        f"{FEWEST_UNFITTED}." + (WINOGENDER if task.axis and task.axis.share == SHARE else "")
    ]


def _described(associations: pd.DataFrame, task: Task) -> set[str]:
    """The measured subjects that training data describes."""
    return {subject.name for subject in task.train} & set(associations["occupation"])


def _outside(associations: pd.DataFrame, described: set[str]) -> int:
    """How many measured subjects it does not describe."""
    return associations["occupation"].nunique() - len(described)


def stand_in(texts: pd.Series[str], groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """For each text whether a word of each group stands in it; one column a group.

    Words are matched as terms are, each distinct text once.
    """
    owners: dict[str, list[int]] = {}
    for number, words in enumerate(groups.values()):
        for word in words:
            owners.setdefault(term_key(word), []).append(number)
    matcher = TermMatcher(owners)
    codes, distinct = pd.factorize(texts)
    found = np.zeros((len(distinct), len(groups)), dtype=bool)
    for row, text in enumerate(distinct):
        for word in matcher.terms_in(str(text)):
            found[row, owners[word]] = True
    return pd.DataFrame(found[codes], index=texts.index, columns=list(groups))


def _mean_of_means(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean log-odds, and mean size, of each of ``keys``, each context counting equally in it."""
    wanted = ["log_odds", "size"]
    contexts = frame.groupby([*keys, "context"], sort=False, dropna=False)[wanted].mean()
    return contexts.groupby(keys, sort=False, dropna=False).mean().reset_index()


def _long(values: pd.DataFrame, shares: Mapping[str, float]) -> pd.DataFrame:
    """Columns of measures, indexed by method, seed and subject, as a frame of values."""
    long = values.reset_index().rename(columns={"subject": "occupation"})
    long = long.melt(["method", "seed", "occupation"], var_name="measure", value_name="value")
    share = long["occupation"].map(shares).astype(float)
    return long.assign(share=share, size=long["value"].abs())[list(COLUMNS)]
