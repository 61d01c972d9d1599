"""The pairs of words that erasure is fitted on, and the sentences they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.task.axis import SUBJECT_KIND, WORD_SLOT, WordPair, context_problem
from equipoise.task.task import Task

MIN_PAIRS = 8
"""Fewer pairs cannot be split into those to fit on and those to probe with."""

MIN_SUBJECTS = 4
"""Fewer subjects say nothing about a share."""


def word_pairs(settings: ErasureSettings, task: Task) -> list[WordPair]:
    """The pairs that ``settings`` name, those of the axis of ``task`` if none.

    Raises:
        EquipoiseError: There are too few, a word stands twice, or contexts are missing, or do not
            have ``{word}`` between other words; or no pairs are named and the task has none.
    """
    if not settings.pairs:
        if settings.contexts:
            raise EquipoiseError(
                "contexts are given without pairs", field="contexts", hint="Give pairs as well."
            )
        return _axis_pairs(task)
    _check_pairs(settings.pairs)
    _check_contexts(settings.contexts)
    return [WordPair(words, settings.contexts) for words in settings.pairs]


def check_unseen(pairs: Sequence[WordPair], task: Task) -> None:
    """Refuse pairs with a word that ``task`` keeps for measuring.

    Raises:
        EquipoiseError: One is a validation subject or a held-out term.
    """
    kept = {subject.name for subject in task.validation}
    kept |= {term for lexicon in task.lexicons.values() for term in lexicon.held_out}
    for word in (word for pair in pairs for word in pair.words):
        if word in kept:
            raise EquipoiseError(
                f"'{word}' is a validation subject or a held-out term of task '{task.name}', on "
                "which nothing may be fitted",
                field="pairs",
                hint="Leave that pair out.",
            )


def _axis_pairs(task: Task) -> list[WordPair]:
    """The pairs of the task's axis, enough of them to be split."""
    pairs = [] if task.axis is None else list(task.axis.fitted.pairs)
    if len(pairs) < MIN_PAIRS:
        has = "has no axis" if task.axis is None else f"has {len(pairs)} fitted pairs on its axis"
        raise EquipoiseError(
            f"task '{task.name}' {has}, and erasure needs {MIN_PAIRS} pairs of words that differ "
            "in what is to be erased only",
            field="pairs",
            hint="Add [[axis.fitted.pairs]] to the task file, or give pairs and contexts here.",
        )
    return pairs


def subject_shares(task: Task) -> list[tuple[str, float]]:
    """The train subjects of ``task`` that have a share along its axis, with it, in percent.

    Raises:
        EquipoiseError: There are fewer than `MIN_SUBJECTS`, or all shares are the same; or the axis
            has no sentences to put a subject into.
    """
    shares = [(s.name, task.shares[s.name]) for s in task.train if s.name in task.shares]
    if len(shares) < MIN_SUBJECTS or len({share for _, share in shares}) == 1:
        raise EquipoiseError(
            f"of the train subjects of task '{task.name}', {len(shares)} have a share on its axis, "
            "or all have the same",
            field="subjects",
            hint=f"Give at least {MIN_SUBJECTS} of them one in [axis.shares], or leave subjects "
            "out.",
        )
    if not subject_contexts(task):
        raise EquipoiseError(
            f"the axis of task '{task.name}' has no sentences for its subjects",
            field="subjects",
            hint=f"Add axis.fitted.contexts.{SUBJECT_KIND} to its file, or leave subjects out.",
        )
    return shares


def subject_contexts(task: Task) -> tuple[str, ...]:
    """Beginnings of sentences with ``{word}`` that a subject's name fits into."""
    return task.axis.fitted.contexts.get(SUBJECT_KIND, ()) if task.axis else ()


def _check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    if len(pairs) < MIN_PAIRS:
        raise EquipoiseError(
            f"{len(pairs)} pairs of words are too few to fit on some and probe with others",
            field="pairs",
            hint=f"Name at least {MIN_PAIRS}.",
        )
    seen: set[str] = set()
    for word in (word for pair in pairs for word in pair):
        if not word or word != word.strip() or word in seen:
            problem = "stands twice" if word in seen else "is empty or has spaces around it"
            raise EquipoiseError(
                f"{word!r} {problem}", field="pairs", hint="Name each word once, by itself."
            )
        seen.add(word)


def _check_contexts(contexts: Sequence[str]) -> None:
    if not contexts:
        raise EquipoiseError(
            "pairs are given without contexts",
            field="contexts",
            hint='Give some, such as ["The {word} said that", "In the end the {word} won, and"].',
        )
    for context in contexts:
        if problem := context_problem(context, WORD_SLOT):
            raise EquipoiseError(
                f"{context!r} {problem}",
                field="contexts",
                hint='Write for example "The {word} said that".',
            )
