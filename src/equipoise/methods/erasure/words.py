"""The pairs of words that erasure is fitted on, and the sentences they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.errors import EquipoiseError
from equipoise.measures.fitted_items import FITTED_CONTEXTS, FITTED_PAIRS
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.task.task import Task

MIN_PAIRS = 8
"""Fewer pairs cannot be split into those to fit on and those to probe with."""

MIN_SUBJECTS = 4
"""Fewer subjects say nothing about a share."""

SLOT = "{word}"

_CLAUSES = (
    *(context.removeprefix("The {occupation} ") for context in FITTED_CONTEXTS),
    "thought that",
    "stayed at home, so",
    "came back when",
    "sat down before",
    "looked out of the window while",
    "knew what",
)

CONTEXTS = {
    "noun": (
        *(f"The {SLOT} {clause}" for clause in _CLAUSES),
        f"In the end the {SLOT} won, and",
        f"As soon as the {SLOT} arrived,",
    ),
    "name": (
        *(f"Then {SLOT} {clause}" for clause in _CLAUSES),
        f"In the end {SLOT} won, and",
        f"As soon as {SLOT} arrived,",
    ),
    "title": (
        *(f"Then {SLOT} Smith {clause}" for clause in _CLAUSES),
        f"In the end {SLOT} Smith won, and",
        f"As soon as {SLOT} Smith arrived,",
    ),
    "reflexive": (
        f"It was seen in the mirror by {SLOT}, and",
        f"The answer came from the winner {SLOT}, so",
        f"That was a present for the owner {SLOT}, but",
    ),
}
"""Beginnings of sentences by kind of word. None begins with the word: at the first token of a text
many models store something else than what it says."""


@dataclass(frozen=True)
class WordPair:
    """Two words that differ only in what is to be erased.

    Attributes:
        words: The words of label 0 and of label 1.
        contexts: Beginnings of sentences with ``{word}`` that both fit into.
        kind: Pairs of each kind are spread over fitting and probing.
    """

    words: tuple[str, str]
    contexts: tuple[str, ...]
    kind: str = ""


def word_pairs(settings: ErasureSettings) -> list[WordPair]:
    """The pairs that ``settings`` name, the built-in ones if none.

    Raises:
        EquipoiseError: There are too few, a word stands twice, or contexts are missing, or do not
            have ``{word}`` between other words.
    """
    if not settings.pairs:
        if settings.contexts:
            raise EquipoiseError(
                "contexts are given without pairs", field="contexts", hint="Give pairs as well."
            )
        return [
            WordPair(words, CONTEXTS[kind], kind)
            for words in FITTED_PAIRS
            for kind in [kind_of(words[0])]
        ]
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


def subject_shares(task: Task) -> list[tuple[str, float]]:
    """The train subjects of ``task`` that have a share of women, with it, in percent.

    Raises:
        EquipoiseError: There are fewer than `MIN_SUBJECTS`, or all shares are the same.
    """
    shares = [(s.name, s.women) for s in task.train if s.women is not None]
    if len(shares) < MIN_SUBJECTS or len({women for _, women in shares}) == 1:
        raise EquipoiseError(
            f"of the train subjects of task '{task.name}', {len(shares)} have a share of women, "
            "or all have the same",
            field="subjects",
            hint=f"Give at least {MIN_SUBJECTS} of them their 'women', or leave subjects out.",
        )
    return shares


def kind_of(word: str) -> str:
    """Which of `CONTEXTS` a word of the built-in pairs fits into."""
    if word.endswith("self"):
        return "reflexive"
    if word in ("Mr", "Mrs"):
        return "title"
    return "name" if word[0].isupper() or word == "he" else "noun"


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
        before, slot, after = context.partition(SLOT)
        if not slot or SLOT in after or not before.strip() or not after.strip():
            raise EquipoiseError(
                f"{context!r} does not have {SLOT} once, with other words before and after it",
                field="contexts",
                hint='Write for example "The {word} said that".',
            )
