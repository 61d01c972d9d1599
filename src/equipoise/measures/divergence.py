"""How far a method has moved its model: the KL divergence from the untuned one, from its own texts.

Both models score each judged sentence after the same prompt and prefix; the mean of the difference
of their log-probabilities over the method's own completions estimates KL(tuned || untuned), in nats
a sentence. The completions are those of the study, so that with a nucleus (``top_p`` below 1) it is
the divergence on what is drawn, without the tails.
"""

from __future__ import annotations

import math

import pandas as pd

from equipoise.measures.groups import split_groups
from equipoise.measures.model_answers import FluencyScores

KEY = ["subject", "text"]


def divergence_table(
    completions: pd.DataFrame, own: pd.DataFrame, base: FluencyScores
) -> pd.DataFrame:
    """A row for each method, seed and split: ``divergence``, nats a sentence.

    0 where the model is the untuned one; an estimate may fall below. NaN for methods of which
    ``own`` knows nothing.

    Args:
        completions: A completions frame.
        own: ``subject``, ``text`` and ``log_probability`` under the model that made it, with
            ``method`` and ``seed``.
        base: What the untuned model says of all sentences.
    """
    cells = completions[["method", "seed", "split", *KEY]]
    mine = own[["method", "seed", *KEY, "log_probability"]]
    both = cells.merge(mine, on=["method", "seed", *KEY], how="left").merge(
        base.scores[[*KEY, "log_probability"]], on=KEY, how="left", suffixes=("", "_base")
    )
    both["difference"] = both["log_probability"] - both["log_probability_base"]
    rows = []
    for method, seed, split, part in split_groups(both):
        known = bool(part["difference"].notna().all())
        value = float(part["difference"].mean()) if known else math.nan
        rows.append({"method": method, "seed": seed, "split": split, "divergence": value})
    return pd.DataFrame(rows, columns=["method", "seed", "split", "divergence"])
