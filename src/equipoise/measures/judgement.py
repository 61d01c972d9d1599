"""Compliance: does each completion hold the terms and the length the task's constraint asks for?

Every judgement is ``task.constraint.check``; this module only applies it to many texts. "Listed"
terms are those training data is built from, "held-out" terms mean the same and never appear in it:
a method that learned balance, and not twenty words, scores on both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.progress import tracked
from equipoise.task.constraint import Verdict, bare, is_set
from equipoise.task.prose import is_prose
from equipoise.task.task import Task


def score(
    completions: pd.DataFrame, task: Task, training_texts: Iterable[str] | None = None
) -> pd.DataFrame:
    """``completions`` with the judgement of each text beside it, one row per completion.

    Columns added, in this order (``<set>`` is a term set's name; listed terms unless said):

    - ``word_count``: words of the text, 0 or more.
    - ``in_range``: the word count lies in the constraint's range, ends included.
    - ``balanced``: the all-of, any-of and none-of clauses hold (for the built-in task: at least
      one agentic and at least one communal term). Says nothing of the length.
    - ``any``: at least one wanted set or phrase is present. ``neither``: none is.
    - ``<set>_only``, for each wanted set: it is present and nothing else that is wanted is
      (which an any-of clause may call balanced too).
    - ``n_<set>``, for each set: distinct terms present, 0 or more; ``<set>_terms``: those terms in
      order of appearance, joined by ``"; "``.
    - ``balanced_held_out``, ``any_held_out``: the same on held-out terms alone; missing if the
      constraint wants no set or one of its sets has no held-out terms, since 0 would then be no
      finding.
    - ``balanced_all``: balanced on listed and held-out terms together.
    - ``satisfied``: ``balanced`` and ``in_range``.
    - ``well_formed``: the text is one sentence of prose (``task/prose.py``).
    - ``verbatim``: the text equals one of ``training_texts`` to the character, after Unicode NFC
      and without surrounding whitespace; missing where none are given ("not measured" is not "no").

    Each distinct text is judged once, however often it stands there.

    Args:
        completions: At least a column ``text`` with judged sentences; a missing text counts as "".
        task: Its constraint and term sets.
        training_texts: The sentences the method was trained on.

    Raises:
        EquipoiseError: There is no column ``text``.
    """
    if "text" not in completions.columns:
        raise EquipoiseError(
            f"no column 'text'; the columns are {', '.join(map(repr, completions.columns))}",
            hint="Read the completions with equipoise.measures.read_completions.",
        )
    texts = completions["text"].fillna("").astype("str")
    codes, distinct = pd.factorize(texts)
    judged = _judge([str(text) for text in distinct], task, training_texts)
    verdicts = judged.take(codes).set_axis(completions.index)
    kept = completions.drop(
        columns=[name for name in judged.columns if name in completions.columns]
    )
    return pd.concat([kept, verdicts], axis=1)


def wanted_sets(task: Task) -> list[str]:
    """Names of the term sets the constraint wants (all of, any of), in its order."""
    entries = (*task.constraint.all_of, *task.constraint.any_of)
    return [bare(entry) for entry in entries if is_set(entry)]


def has_held_out_score(task: Task) -> bool:
    """Whether balance can be judged on held-out terms: every wanted set must have some."""
    sets = wanted_sets(task)
    return bool(sets) and all(task.lexicons[name].held_out for name in sets)


def has_wide_score(task: Task) -> bool:
    """Whether balance can be judged in the wide lexicon: every wanted set must have one."""
    sets = wanted_sets(task)
    return bool(sets) and all(task.lexicons[name].wide for name in sets)


def _judge(texts: list[str], task: Task, training_texts: Iterable[str] | None) -> pd.DataFrame:
    """One row for each of ``texts``, the columns of ``score``."""
    check = task.constraint.check
    listed = [check(text) for text in tracked(texts, "judging", len(texts))]
    held_out = [check(text, "held_out") for text in texts] if has_held_out_score(task) else None
    seen = None if training_texts is None else {_normal(text) for text in training_texts}
    columns = {
        "word_count": pd.Series([v.word_count for v in listed], dtype="int64"),
        "in_range": _flags(v.in_range for v in listed),
        "balanced": _flags(v.balanced for v in listed),
        "any": _flags(v.any for v in listed),
        "neither": _flags(v.neither for v in listed),
    }
    for name in wanted_sets(task):
        columns[f"{name}_only"] = _flags(_only(v, name) for v in listed)
    for name in task.lexicons:
        columns[f"n_{name}"] = pd.Series([len(v.hits[name]) for v in listed], dtype="int64")
        columns[f"{name}_terms"] = pd.Series(["; ".join(v.hits[name]) for v in listed], dtype="str")
    missing = pd.Series([pd.NA] * len(texts), dtype="boolean")
    columns |= {
        "balanced_held_out": _measured(v.balanced for v in held_out) if held_out else missing,
        "any_held_out": _measured(v.any for v in held_out) if held_out else missing,
        "balanced_all": _flags(check(text, "all").balanced for text in texts),
        "satisfied": _flags(v.satisfied for v in listed),
        "well_formed": _flags(map(is_prose, texts)),
        "verbatim": missing if seen is None else _measured(_normal(t) in seen for t in texts),
    }
    return pd.DataFrame(columns)


def _only(verdict: Verdict, name: str) -> bool:
    """Set ``name`` is present and nothing else that is wanted is."""
    present = verdict.present
    return present[name] and sum(present.values()) == 1


def _flags(values: Iterable[bool]) -> pd.Series[bool]:
    return pd.Series(list(values), dtype="bool")


def _measured(values: Iterable[bool]) -> pd.Series[bool]:
    """Like ``_flags``, for a column that may also be missing in another frame."""
    return pd.Series(list(values), dtype="boolean")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
