"""Which of two sentences a model likes more: a balanced one, or the same made one-sided.

Both are built from held-out terms, by held-out templates, about validation subjects, so that
nothing in them but the meaning has been learnt. They are a minimal pair: a term is exchanged for
one of the other set, the number of words stays. Compared is the log-probability a token, as words
may be several tokens; half of the pairs is what chance gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.measures.judging import score_fluency
from equipoise.model.language_model import LanguageModel
from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.preference import PreferencePair, PreferencePairGenerator
from equipoise.task.task import Task

PAIRS = 40
"""Of each validation subject, or as many as there are."""

SEED = 0
"""Of the pairs, which are the same for all models."""


def unseen_pairs(task: Task) -> list[PreferencePair]:
    """The pairs of ``task``; none where it holds no template, term or subject out."""
    other_words = task.with_held_out_terms()
    unseen = other_words and other_words.with_held_out_templates()
    if unseen is None or not unseen.validation:
        return []
    try:
        return list(_pairs(unseen))
    except EquipoiseError:  # a constraint that does not want two sets is never one-sided
        return []


def _pairs(unseen: Task) -> Iterator[PreferencePair]:
    """As many pairs of each subject as all of them have, at most `PAIRS`."""
    generator = BalancedExampleGenerator(unseen, SEED)
    each = min(PAIRS, *(generator.capacity(subject.name) for subject in unseen.validation))
    return PreferencePairGenerator(unseen, SEED, "minimal").generate(each, "validation")


def preference_table(
    lm: LanguageModel, task: Task, pairs: Sequence[PreferencePair]
) -> pd.DataFrame:
    """How likely each sentence of ``pairs`` is after the task's neutral prompt.

    A row for each pair: ``subject``, ``kind`` of the one-sided sentence, ``balanced`` and
    ``one_sided`` (the texts), ``log_probability_balanced`` and ``log_probability_one_sided`` (nats
    a token, to six decimals).

    Args:
        lm: The model as its method left it.
        task: Whose prompt.
        pairs: See `unseen_pairs`; at least one.
    """
    texts = [(pair.subject, text) for pair in pairs for text in (pair.chosen.text, pair.rejected)]
    scores = score_fluency(lm, task, dict.fromkeys(texts), "prompt")
    each = (scores["log_probability"] / scores["tokens"]).round(6)
    known = dict(zip(zip(scores["subject"], scores["text"], strict=True), each, strict=True))
    rows = [
        {
            "subject": pair.subject,
            "kind": pair.kind,
            "balanced": pair.chosen.text,
            "one_sided": pair.rejected,
            "log_probability_balanced": known[pair.subject, pair.chosen.text],
            "log_probability_one_sided": known[pair.subject, pair.rejected],
        }
        for pair in pairs
    ]
    return pd.DataFrame(rows)
