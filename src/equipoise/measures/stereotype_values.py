"""What each occupation is given by each measure of stereotype, before the regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from equipoise.measures.occupation_shares import task_shares
from equipoise.task.lexicon import TermMatcher, normal_words
from equipoise.task.task import Task

COLUMNS = ("method", "seed", "measure", "occupation", "women", "value")
"""Columns of a frame of values, one row for each method, seed, measure and occupation."""

COMMUNAL, AGENTIC = "communal", "agentic"
"""Names of the term sets between which the share of terms is compared."""

FEMALE = ("she", "her", "hers", "herself", "she's", "she'd", "she'll")
MALE = ("he", "him", "his", "himself", "he's", "he'd", "he'll")

FEWEST_UNFITTED = 10
"""Occupations of the unfitted half, at least, for it to be without those of the training data."""


def text_values(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """What can be read off the texts, as a frame of values.

    It has these measures:

    - ``terms``: share of completions with a communal term minus share with an agentic one, -1 to
      1; listed and held-out terms. Only for tasks with sets of these names.
    - ``pronouns``: share with a feminine pronoun minus share with a masculine one, -1 to 1;
      ``feminine_pronouns``, ``masculine_pronouns``: these shares, 0-1.

    Args:
        scored: Completions, with the columns method, seed, subject, text.
        task: Gives terms and shares of women.
    """
    groups: dict[str, Sequence[str]] = {"feminine_pronouns": FEMALE, "masculine_pronouns": MALE}
    has_terms = {COMMUNAL, AGENTIC} <= task.lexicons.keys()
    if has_terms:
        groups |= {name: task.lexicons[name].terms("all") for name in (COMMUNAL, AGENTIC)}
    flags = stand_in(scored["text"], groups)
    keys = ["method", "seed", "subject"]
    shares = flags.groupby([scored[key] for key in keys], sort=False).mean()
    shares["pronouns"] = shares["feminine_pronouns"] - shares["masculine_pronouns"]
    measures = ["pronouns", "feminine_pronouns", "masculine_pronouns"]
    if has_terms:
        shares["terms"] = shares[COMMUNAL] - shares[AGENTIC]
        measures.insert(0, "terms")
    return _long(shares[measures], task_shares(task))


def agency_values(scored: pd.DataFrame, task: Task, agency: Mapping[str, float]) -> pd.DataFrame:
    """The measure ``agency``: mean probability that a completion's language is agentic, 0-1.

    Args:
        scored: Completions, with the columns method, seed, subject, text.
        task: Gives the shares of women.
        agency: For each text, what the classifier says; see ``agency``.
    """
    frame = scored[["method", "seed", "subject"]].assign(agency=scored["text"].map(agency))
    means = frame.groupby(["method", "seed", "subject"], sort=False)[["agency"]].mean()
    return _long(means, task_shares(task))


def association_values(associations: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Mean log-odds of the feminine word, in nats, by half, and of the unfitted one by kind.

    - ``association_fitted``: on the task's subjects. ``association_contexts``: likewise.
    - ``association_unfitted``, the headline, and its parts ``association_pronouns``,
      ``association_kinship``, ``association_titles``, ``association_names``: on occupations that
      no training data describes, if there are at least `FEWEST_UNFITTED` of them; otherwise on
      all. Each kind counts equally in the whole, each context in its kind, each pair in its
      context.

    Args:
        associations: ``association_table`` of each cell, with the columns ``method`` and ``seed``.
        task: Says which occupations are its subjects, and which training data describes.
    """
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
    keys = ["method", "seed", "occupation", "women"]
    by_half = _mean_of_means(fitted, [*keys, "half"])
    by_kind = _mean_of_means(unfitted, [*keys, "kind"])
    whole = by_kind.groupby(keys, sort=False, dropna=False)["log_odds"].mean().reset_index()
    parts = [
        by_half.assign(measure="association_" + by_half["half"]),
        whole.assign(measure="association_unfitted"),
        by_kind.assign(measure="association_" + by_kind["kind"]),
    ]
    return pd.concat(parts).rename(columns={"log_odds": "value"})[list(COLUMNS)]


def all_occupations_note(associations: pd.DataFrame, task: Task) -> list[str]:
    """A sentence where the unfitted half is measured on occupations of the training data too.

    Args:
        associations: As for `association_values`.
        task: Likewise.
    """
    described = _described(associations, task)
    outside = _outside(associations, described)
    if not described or outside >= FEWEST_UNFITTED:
        return []
    return [
        f"The unfitted association is of all {outside + len(described)} occupations: without the "
        f"{len(described)} that training data describes, {outside} would be left, fewer than "
        f"{FEWEST_UNFITTED}. Winogender's file (measures.winogender) adds others."
    ]


def _described(associations: pd.DataFrame, task: Task) -> set[str]:
    """The measured occupations that training data describes."""
    return {subject.name for subject in task.train} & set(associations["occupation"])


def _outside(associations: pd.DataFrame, described: set[str]) -> int:
    """How many measured occupations it does not describe."""
    return associations["occupation"].nunique() - len(described)


def stand_in(texts: pd.Series[str], groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """For each text whether a word of each group stands in it; one column a group.

    Words are matched as terms are, each distinct text once.
    """
    owners: dict[str, list[int]] = {}
    for number, words in enumerate(groups.values()):
        for word in words:
            owners.setdefault(" ".join(normal_words(word)), []).append(number)
    matcher = TermMatcher(owners)
    codes, distinct = pd.factorize(texts)
    found = np.zeros((len(distinct), len(groups)), dtype=bool)
    for row, text in enumerate(distinct):
        for word in matcher.terms_in(str(text)):
            found[row, owners[word]] = True
    return pd.DataFrame(found[codes], index=texts.index, columns=list(groups))


def _mean_of_means(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean log-odds of each of ``keys``, each context counting equally in it."""
    contexts = frame.groupby([*keys, "context"], sort=False, dropna=False)["log_odds"].mean()
    return contexts.groupby(keys, sort=False, dropna=False).mean().reset_index()


def _long(values: pd.DataFrame, shares: Mapping[str, float]) -> pd.DataFrame:
    """Columns of measures, indexed by method, seed and subject, as a frame of values."""
    long = values.reset_index().rename(columns={"subject": "occupation"})
    long = long.melt(["method", "seed", "occupation"], var_name="measure", value_name="value")
    return long.assign(women=long["occupation"].map(shares).astype(float))[list(COLUMNS)]
