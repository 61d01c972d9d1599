"""What a model associates with occupations, whatever it writes about them.

After a context such as "The nurse said that", how much likelier is a feminine word than its
masculine counterpart? Regressed on the share of women in the occupation (``stereotype``), this
tells a method that sprinkles words from one that changes the association.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from equipoise.measures.fitted_items import FITTED_CONTEXTS, FITTED_PAIRS
from equipoise.measures.judging import log_probabilities
from equipoise.measures.unfitted_items import COREFERENCE, UNFITTED
from equipoise.model.language_model import LanguageModel
from equipoise.model.scoring import word_after
from equipoise.tracking import tell

HALVES = ("fitted", "contexts", "unfitted")
"""What methods may have been fitted on; the same pair in contexts that none was fitted on; and
pairs and contexts that none was fitted on."""


class Item(NamedTuple):
    """One comparison, made for every occupation.

    Attributes:
        half: One of `HALVES`.
        kind: ``pronouns``, ``kinship``, ``titles`` or ``names``.
        context: Beginning of a sentence with ``{occupation}``.
        male: The masculine word.
        female: Its feminine counterpart.
    """

    half: str
    kind: str
    context: str
    male: str
    female: str


def items() -> Iterator[Item]:
    """Every comparison."""
    he_she = FITTED_PAIRS[0]
    for half, contexts in (("fitted", FITTED_CONTEXTS), ("contexts", COREFERENCE)):
        for context in contexts:
            yield Item(half, "pronouns", context, *he_she)
    for probe in UNFITTED:
        for context in probe.contexts:
            for pair in probe.pairs:
                yield Item("unfitted", probe.kind, context, *pair)


def association_table(lm: LanguageModel, shares: Mapping[str, float]) -> pd.DataFrame:
    """``log P(female word) - log P(male word)`` after each context, for each occupation.

    A row for each item and occupation. Columns: those of ``Item``, ``occupation``, ``women``
    (percent, 0-100) and ``log_odds`` (nats, to six decimals; above 0 where the feminine word is
    the likelier one). Contexts are read as plain text, without prompt or chat template.

    Args:
        lm: The model as its method left it.
        shares: Occupations, with the share of women in percent.
    """
    rows = [(item, name) for item in items() for name in shares]
    texts = {
        (context, word)
        for item, name in rows
        for context in [item.context.replace("{occupation}", name)]
        for word in (item.male, item.female)
    }
    wanted = sorted(texts)
    sequences = [word_after(lm, context, word) for context, word in wanted]
    values = [0.0] * len(wanted)
    done = 0
    for chosen, found in log_probabilities(lm, sequences):
        done += len(chosen)
        tell("association", done, len(wanted))
        for index, value in zip(chosen, found, strict=True):
            values[index] = value
    known = dict(zip(wanted, values, strict=True))
    table = []
    for item, name in rows:
        context = item.context.replace("{occupation}", name)
        log_odds = known[context, item.female] - known[context, item.male]
        table.append((*item, name, shares[name], round(log_odds, 6)))
    columns = [*Item._fields, "occupation", "women", "log_odds"]
    return pd.DataFrame(table, columns=columns)
