"""What a model associates with subjects along the task's axis, whatever it writes about them.

After a context such as "The nurse said that", how much likelier is a feminine word than its
masculine counterpart? Regressed on the share of women in the occupation (``stereotype``), this
tells a method that sprinkles words from one that changes the association. The words, the contexts
and the shares are those of the task's axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from equipoise.measures.judging import log_probabilities
from equipoise.model.language_model import LanguageModel
from equipoise.model.scoring import word_after
from equipoise.task.axis import SUBJECT_SLOT, Axis


class Item(NamedTuple):
    """One comparison, made for every subject.

    Attributes:
        half: ``fitted``: what methods may have been fitted on; ``contexts``: the same pairs in
            contexts that none was fitted on; ``unfitted``: pairs and contexts that none was
            fitted on.
        kind: The kind of its probe, such as ``pronouns``.
        context: Beginning of a sentence with ``{subject}``.
        first: The word of the axis's first pole.
        second: Its counterpart of the second pole.
    """

    half: str
    kind: str
    context: str
    first: str
    second: str


def items(axis: Axis) -> Iterator[Item]:
    """Every comparison that ``axis`` names; the fitted half is of its first fitted probe."""
    fitted, unfitted = axis.fitted.probes[:1], axis.unfitted
    parts = [("fitted", probe, probe.contexts) for probe in fitted]
    parts += [("contexts", probe, unfitted.contexts) for probe in fitted]
    parts += [("unfitted", probe, probe.contexts) for probe in unfitted.probes]
    for half, probe, contexts in parts:
        for context in contexts:
            for pair in probe.pairs:
                yield Item(half, probe.kind, context, *pair)


def association_table(lm: LanguageModel, axis: Axis, shares: Mapping[str, float]) -> pd.DataFrame:
    """``log P(second word) - log P(first word)`` after each context, for each subject.

    A row for each item and subject. Columns: those of ``Item``, ``occupation`` (the subject),
    ``share`` (percent, 0-100) and ``log_odds`` (nats, to six decimals; above 0 where the word of
    the second pole is the likelier one). Contexts are read as plain text, without prompt or chat
    template.

    Args:
        lm: The model as its method left it.
        axis: Names the words and contexts.
        shares: Subjects, with their share in percent.
    """
    rows = [(item, name) for item in items(axis) for name in shares]
    texts = {
        (context, word)
        for item, name in rows
        for context in [item.context.replace(SUBJECT_SLOT, name)]
        for word in (item.first, item.second)
    }
    wanted = sorted(texts)
    sequences = [word_after(lm, context, word) for context, word in wanted]
    values = log_probabilities(lm, sequences, "association")
    known = dict(zip(wanted, values, strict=True))
    table = []
    for item, name in rows:
        context = item.context.replace(SUBJECT_SLOT, name)
        log_odds = known[context, item.second] - known[context, item.first]
        table.append((*item, name, shares[name], round(log_odds, 6)))
    columns = [*Item._fields, "occupation", "share", "log_odds"]
    return pd.DataFrame(table, columns=columns)
