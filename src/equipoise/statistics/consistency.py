"""Do the seeds of a method use the same terms?

How far they agree on the generalisation gap says ``intervals``: ``sd`` of the split ``gap``.
"""

from __future__ import annotations

import pandas as pd

from equipoise.statistics.divergence import chance_divergence, mean_divergence

COLUMNS = ("method", "terms", "seeds", "divergence", "chance")
"""Columns of the table, in order."""


def consistency_table(scored: pd.DataFrame, sets: list[str]) -> pd.DataFrame:
    """One row per method and term set, and one for all sets together (``all``).

    Columns: ``method``, ``terms`` (the set's name), ``seeds``, ``divergence`` (mean Jensen-Shannon
    divergence over pairs of seeds, in bits, 0 the same to 1 nothing in common), ``chance`` (about
    what it comes to if all seeds draw from one distribution). Missing with one seed.

    Args:
        scored: What ``measures.score`` returned: its columns ``<set>_terms`` list the terms of
            each completion.
        sets: Names of the term sets, in their order.
    """
    rows = []
    for method, part in scored.groupby("method", sort=False):
        tables = {name: _counts(part, name) for name in sets}
        if len(tables) > 1:
            tables["all"] = pd.concat(tables, axis=1).fillna(0)
        for name, counts in tables.items():
            divergence = mean_divergence(counts.to_numpy())
            chance = chance_divergence(counts.to_numpy())
            rows.append((str(method), name, part["seed"].nunique(), divergence, chance))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _counts(part: pd.DataFrame, name: str) -> pd.DataFrame:
    """How many completions of each seed have each term, shape (seeds, terms)."""
    # Lists of terms repeat: each is taken apart once a seed, not once a completion.
    lists = part.groupby(["seed", f"{name}_terms"]).size().reset_index(name="n")
    terms = lists[f"{name}_terms"].astype("str").str.split("; ")
    found = lists.assign(term=terms).explode("term")
    found = found[found["term"] != ""]
    counts = found.groupby(["seed", "term"])["n"].sum().unstack("term", fill_value=0)
    seeds = sorted(set(part["seed"].tolist()))
    return counts.reindex(seeds, fill_value=0)
