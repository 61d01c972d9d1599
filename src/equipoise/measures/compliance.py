"""Compliance: how often completions hold the terms and the length that the task asks for.

The seed is the unit of replication: a method's rate is the mean of its per-seed rates, each seed
counting once however many completions it has, and its SD is the sample SD (n - 1) of those rates.
Frames hold full precision; ``csv_file.write_table`` rounds to six decimals. Single completions are
judged in ``judgement``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from equipoise.completions.frame import remarks
from equipoise.errors import EquipoiseError
from equipoise.measures.cell_facts import CellFacts
from equipoise.measures.column import AMOUNT, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured, Outcome
from equipoise.measures.groups import in_order
from equipoise.measures.judgement import wanted_sets
from equipoise.measures.requested import REQUESTED, certain, requested_by_split, with_requests
from equipoise.measures.unseen import SHARED, unseen_table, with_unseen
from equipoise.statistics.cells import SPLITS
from equipoise.task.task import Task
from equipoise.wording.numbers import listing

RATES = (
    rate("balanced", "balanced", "share of completions whose `all_of`, `any_of` and `none_of` "
         "clauses hold, with listed terms", "words are counted, not what is said with them: "
         "\"never bold\" is bold. 1 by construction for `ctrlg` and for a `filter` that accepts "
         "nothing else", better="higher", with_sd=True),
    rate("any", "any wanted term", "at least one wanted entry is present (the protocol's OR)",
         "rises with the length of the sentences", better="higher", with_sd=True),
    rate("<set>_only", "<set> only", "that set is present and nothing else that is wanted",
         "low where hardly any term is used at all: look at `any`", better="lower"),
    rate("neither", "neither", "nothing that is wanted is present; 1 − `any`",
         "empty texts are in it", better="lower"),
    rate("in_range", "in range", "the sentence has as many words as the constraint asks for",
         "of files that hold only continuations: without the prefix they are three words shorter "
         "(`--prefix add`)", better="higher"),
    Column("mean_words", "words", "words per completion", low=0, form=AMOUNT,
           misleads="a mean: one very long text moves it"),
    Column("mean_<set>", "<set> terms", "distinct listed terms of a set per completion", low=0,
           form=AMOUNT, misleads="a mean, as `mean_words`"),
    rate("satisfied", "balanced and in range", "balanced and in range",
         "1 by construction, as `balanced`", better="higher", with_sd=True),
    rate("balanced_held_out", "held-out terms", "balanced with the held-out terms alone",
         "0 says that other words were learnt, not that nothing was; some terms also match by "
         "accident, see the end of this page", better="higher", with_sd=True),
    rate("balanced_all", "listed or held-out terms", "balanced with listed and held-out terms "
         "together", "rises with the number of terms: not to be compared between tasks",
         better="higher", with_sd=True),
    rate("verbatim", "training sentences", "it equals a training sentence to the character; empty "
         "for methods without training data", "one changed letter is none; look at `templates`",
         better="lower"),
    rate("finished", "finished", "the sentence came to its end", "falls with `max_new_tokens`; of "
         "other people's files what their own column says", better="higher"),
    rate("well_formed", "well formed", "it is prose: words with one space between them, marks "
         "where a writer puts them, one full stop", "says how it is spelt, not whether it makes "
         "sense. 1 by construction for `ctrlg`", better="higher"),
)  # fmt: skip
"""What is said of the completions of a method, seed and split."""

BY_SEED = Table(
    "by_seed",
    "a method, seed and split",
    (Column("n", "completions", low=0), *RATES, *REQUESTED),
)
COMPLIANCE = Table(
    "compliance",
    "a method and split",
    (
        Column("n", "completions", low=0),
        Column("seeds", "seeds", low=1),
        *(
            Column(name, title=column.title, low=column.low, high=column.high, form=column.form)
            for last in (False, True)
            for column in RATES
            if (column.name == "mean_<set>") is last
            for name in (
                [column.name]
                if column.name.startswith("mean_")
                else [f"{column.name}_mean", f"{column.name}_sd"][: 1 + column.with_sd]
            )
        ),
        *REQUESTED[:2],
        Column("balanced_requested_sd", low=0, high=1),
        *REQUESTED[2:],
        *SHARED,
    ),
    keys=("method", "split"),
)

_SOURCES = {"mean_words": "word_count", "mean_<set>": "n_<set>"}
"""Columns of the judged completions that have another name there."""


class Compliance(Measure):
    """The outcome of the trial: rates of balance and length."""

    name = "compliance"
    title = "Balance and length"
    tables = (BY_SEED, COMPLIANCE)
    outcomes = (
        Outcome("balanced", "balanced", "balanced", of_balance=True),
        Outcome("satisfied", "balanced and in range", "satisfied", of_balance=True),
        Outcome("any", "any wanted term", "any term"),
        Outcome("balanced_held_out", "balanced with held-out terms", "held-out"),
    )
    headlines = (
        Headline(BY_SEED.column("balanced_requested")),
        Headline(BY_SEED.column("balanced")),
        Headline(BY_SEED.column("told"), terminal="told", beside_balance=True, main=True),
        Headline(BY_SEED.column("by_construction")),
        Headline(Column("seeds", "seeds", "seeds", low=0, whole=True)),
        Headline(Column("n", "completions", "completions of all seeds", low=0, whole=True)),
        Headline(rate("balanced_train", "train subjects", "`balanced` on train subjects")),
        Headline(
            rate("balanced_validation", "validation subjects", "`balanced` on validation subjects")
        ),
        Headline(BY_SEED.column("balanced_held_out"), terminal="held-out\nterms", main=True),
        Headline(BY_SEED.column("any"), summary=False, terminal="any\nterm"),
        Headline(BY_SEED.column("in_range"), summary=False, terminal="in\nrange"),
        Headline(BY_SEED.column("satisfied"), main=True),
        Headline(BY_SEED.column("well_formed"), terminal="well\nformed", main=True),
        Headline(
            BY_SEED.column("mean_words"),
            summary=False,
            terminal="mean\nwords",
            beside_balance=True,
            stands_in_for="tokens_per_delivered",
        ),
    )

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        task, cells = evidence.task, evidence.cells
        seeds = with_requests(by_seed(evidence.scored, task), cells, task)
        compliance = with_unseen(compliance_table(seeds), unseen_table(evidence))
        tables = {"by_seed": seeds, "compliance": compliance}
        return Measured(tables, [*remarks(evidence.scored, task), *_by_construction(cells)])

    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """See `Measure.summarise`."""
        compliance = tables.get("compliance")
        if compliance is None:
            return super().summarise(tables)
        whole = compliance[compliance["split"] == "all"].set_index("method")
        names = [column.name for column in REQUESTED[1:] if column.name in whole.columns]
        found = whole[["seeds", "n", "mean_words", *names]].copy()
        for split in SPLITS[:2]:
            own = compliance[compliance["split"] == split].set_index("method")["balanced_mean"]
            found[f"balanced_{split}"] = own.reindex(found.index)
        for name in (
            "balanced",
            "balanced_held_out",
            "any",
            "in_range",
            "satisfied",
            "well_formed",
        ):
            found[name] = whole[f"{name}_mean"]
        return found


def by_seed(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """One row per method, seed and split that has completions; its columns are `RATES`.

    Methods stand in order of first appearance, seeds ascend, splits follow ``SPLITS``. Rates are
    0-1; one that was not measured is NaN.

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
    sources: dict[str, str] = {}
    for column in RATES:
        source = _SOURCES.get(column.name, column.name)
        for name in _sets(column.name, task):
            sources[column.name.replace("<set>", name)] = source.replace("<set>", name)
    values = {column: scored[source].astype("Float64") for column, source in sources.items()}
    keys = scored[["method", "seed", "split"]]
    numbers = pd.DataFrame(values).astype("float64").assign(n=1)
    table = pd.concat([keys, numbers], axis=1)
    named = table[table["split"].isin(SPLITS[:2])]
    both = pd.concat([named, table.assign(split=SPLITS[2])])
    groups = both.groupby(["method", "seed", "split"], sort=False)
    means = groups[list(sources)].mean()
    means.insert(0, "n", groups.size())
    return in_order(means.reset_index(), scored["method"])


def compliance_table(seeds: pd.DataFrame) -> pd.DataFrame:
    """One row per method and split: means and sample SDs over seeds of what ``by_seed`` returned.

    Columns: ``method``, ``split``, ``n`` (completions over all seeds), ``seeds`` (how many), then
    of each rate its ``_mean``, and its ``_sd`` where `RATES` says so. With one seed an SD is NaN; a
    mean is over the seeds in which the rate was measured. Where it is known what was asked for, the
    columns of ``requested_by_split`` follow.
    """
    apart = ("method", "seed", "split", "n", *(column.name for column in REQUESTED))
    there = [name for name in seeds.columns if name not in apart]
    with_sd = {column.name for column in RATES if column.with_sd}
    last = [name for name in there if name.startswith("mean_") and name != "mean_words"]
    groups = seeds.groupby(["method", "split"], sort=False)
    columns = {"n": groups["n"].sum(), "seeds": groups["seed"].nunique()}
    for name in [*(name for name in there if name not in last), *last]:
        target = name if name.startswith("mean_") else f"{name}_mean"
        columns[target] = groups[name].mean()
        if name in with_sd:
            columns[f"{name}_sd"] = groups[name].std(ddof=1)
    columns |= requested_by_split(seeds)
    return in_order(pd.DataFrame(columns).reset_index(), seeds["method"])


def _by_construction(cells: Sequence[CellFacts]) -> list[str]:
    """What is to be said of balance that no model can fail."""
    if not (methods := certain(cells)):
        return []
    verb = "delivers" if len(methods) == 1 else "deliver"
    return [
        f"* By construction: what {listing(methods)} {verb} is balanced whatever "
        "the model says. That is no finding, so it has no interval and enters no test of balance."
    ]


def _sets(name: str, task: Task) -> Sequence[str]:
    """The term sets that the column ``name`` is about; one empty name if it is about none."""
    if "<set>" not in name:
        return [""]
    return wanted_sets(task) if name.endswith("_only") else list(task.lexicons)
