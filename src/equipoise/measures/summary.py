"""Rates per seed, and their means and sample standard deviations over seeds.

The seed is the unit of replication: a method's rate is the mean of its per-seed rates, each seed
counting once however many completions it has, and its SD is the sample SD (n - 1) of those rates.
Frames hold full precision; ``csv_file.write_table`` rounds to six decimals.
"""

from __future__ import annotations

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.measures.compliance import wanted_sets
from equipoise.statistics.cells import SPLITS
from equipoise.task.task import Task


def by_seed(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """One row per method, seed and split that has completions.

    Methods stand in order of first appearance, seeds ascend, splits follow ``SPLITS``. Columns:
    ``method``, ``seed``, ``split``, ``n`` (completions), then ``balanced``, ``any``,
    ``<set>_only`` for each wanted set, ``neither``, ``in_range`` (rates), ``mean_words``,
    ``mean_<set>`` for each set (distinct listed terms per completion), then ``satisfied``,
    ``balanced_held_out``, ``balanced_all``, ``verbatim``, ``finished`` (rates). Rates are 0-1; one
    that was not measured is NaN.

    Args:
        scored: What ``score`` returned for completions frames; several may be concatenated.
        task: The task they were scored with.

    Raises:
        EquipoiseError: A term set is named ``words``, which would give ``mean_words`` two meanings.
    """
    if "words" in task.lexicons:
        raise EquipoiseError(
            "a term set named 'words' cannot be told from the word count",
            file=task.path,
            field="terms.words",
            hint="Rename it.",
        )
    sources = {
        "balanced": "balanced",
        "any": "any",
        **{f"{name}_only": f"{name}_only" for name in wanted_sets(task)},
        "neither": "neither",
        "in_range": "in_range",
        "mean_words": "word_count",
        **{f"mean_{name}": f"n_{name}" for name in task.lexicons},
        "satisfied": "satisfied",
        "balanced_held_out": "balanced_held_out",
        "balanced_all": "balanced_all",
        "verbatim": "verbatim",
        "finished": "finished",
    }
    values = {column: scored[source].astype("Float64") for column, source in sources.items()}
    keys = scored[["method", "seed", "split"]]
    numbers = pd.DataFrame(values).astype("float64").assign(n=1)
    table = pd.concat([keys, numbers], axis=1)
    named = table[table["split"].isin(SPLITS[:2])]
    both = pd.concat([named, table.assign(split=SPLITS[2])])
    groups = both.groupby(["method", "seed", "split"], sort=False)
    means = groups[list(sources)].mean()
    means.insert(0, "n", groups.size())
    return _in_order(means.reset_index(), scored["method"])


def compliance_table(seeds: pd.DataFrame) -> pd.DataFrame:
    """One row per method and split: means and sample SDs over seeds of what ``by_seed`` returned.

    Columns: ``method``, ``split``, ``n`` (completions over all seeds), ``seeds`` (how many),
    ``balanced_mean``, ``balanced_sd``, ``any_mean``, ``any_sd``, ``<set>_only_mean`` for each
    wanted set, ``neither_mean``, ``in_range_mean``, ``mean_words``, ``satisfied_mean``,
    ``satisfied_sd``, ``balanced_held_out_mean``, ``balanced_held_out_sd``, ``balanced_all_mean``,
    ``balanced_all_sd``, ``verbatim_mean``, ``finished_mean``, then ``mean_<set>`` for each set.
    Rates are 0-1. With one seed an SD is NaN; a mean is over the seeds in which the rate was
    measured.
    """
    only = [name for name in seeds.columns if name.endswith("_only")]
    terms = [name for name in seeds.columns if name.startswith("mean_") and name != "mean_words"]
    layout = [("balanced", True), ("any", True), *((name, False) for name in only)]
    layout += [("neither", False), ("in_range", False), ("mean_words", False)]
    layout += [(name, True) for name in ("satisfied", "balanced_held_out", "balanced_all")]
    layout += [(name, False) for name in ("verbatim", "finished", *terms)]
    groups = seeds.groupby(["method", "split"], sort=False)
    columns = {"n": groups["n"].sum(), "seeds": groups["seed"].nunique()}
    for name, with_sd in layout:
        target = name if name.startswith("mean_") else f"{name}_mean"
        columns[target] = groups[name].mean()
        if with_sd:
            columns[f"{name}_sd"] = groups[name].std(ddof=1)
    return _in_order(pd.DataFrame(columns).reset_index(), seeds["method"])


def _in_order(frame: pd.DataFrame, methods: pd.Series[str]) -> pd.DataFrame:
    """``frame`` sorted by first appearance in ``methods``, then seed (if there), then split."""
    position = {name: i for i, name in enumerate(dict.fromkeys(methods))}
    rank = {split: i for i, split in enumerate(SPLITS)}
    keyed = frame.assign(_method=frame["method"].map(position), _split=frame["split"].map(rank))
    keys = ["_method", *(["seed"] if "seed" in frame.columns else []), "_split"]
    return keyed.sort_values(keys, kind="stable", ignore_index=True).drop(
        columns=["_method", "_split"]
    )
