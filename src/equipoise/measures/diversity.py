"""Diversity: how many different things the completions say, and how much of it is learnt.

What rises or falls with the number of completions is that of equally many for all methods of a
table (``statistics.rarefaction``). What is said of one text is worked out once for each distinct
text, and n-grams of words are compared as integers: a million completions take seconds.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from equipoise.measures.column import COUNT, DECIMALS, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured
from equipoise.measures.groups import split_groups
from equipoise.measures.ngrams import Words
from equipoise.progress import tracked
from equipoise.statistics.cells import SPLITS
from equipoise.statistics.divergence import entropy
from equipoise.statistics.rarefaction import averaged, common_size, expected_distinct, fewest_of
from equipoise.statistics.variety import SAMPLE, distinct_pairs, mtld, self_bleu
from equipoise.task.constraint import bare, is_set
from equipoise.task.lexicon import normal_words
from equipoise.task.task import Task
from equipoise.task.template_matcher import TemplateMatcher
from equipoise.wording.numbers import counted, listing

Array = np.ndarray


DIVERSITY = Table(
    "diversity",
    "a method, seed and split",
    (
        Column("n", "completions", low=1),
        Column("rarefied", "of completions", "completions that the columns marked ‡ are of: the "
               "same number for all methods and seeds of a split", low=1, whole=True,
               form=COUNT, misleads="empty where fewer than 20 were delivered, and so are those "
               "columns"),
        rate("unique", "distinct texts", "distinct texts / completions ‡", better="higher"),
        rate("verbatim", "training sentences", "share that is a training sentence to the character",
             "0 on validation subjects by construction", better="lower"),
        rate("templates", "as in templates", "share that reads like a template of the task with "
             "its slots filled: any term of the set, listed or held out; any fill-in of that kind "
             "that the task has for some subject"
             "; templates that built training sentences and held-out ones alike",
             "a model that changes one word of a template scores 0", better="lower"),
        rate("held_out_templates", "as in held-out templates", "share that reads so like a "
             "template that built no training sentence", "untuned models come near none either; "
             "empty where no template is held out"),
        Column("entropy", "entropy of terms, bits", "Shannon entropy of the listed terms' use; at "
               "most log2 of their number, 4.32 bits for twenty ‡", "bits", low=0, form=DECIMALS,
               better="higher", misleads="says nothing of how often terms are used at all"),
        Column("pairs", "pairs of terms", "distinct pairs of an agentic and a communal term in one "
               "completion; in general, of terms of two `all_of` sets ‡", low=0, better="higher",
               misleads="few where hardly any completion is balanced"),
        rate("pairs_share", "pairs of terms used", "`pairs` as a share of all such pairs ‡",
             "as `pairs`", better="higher"),
        rate("distinct_1", "distinct-1", "different words as a share of all (Li et al. 2016) ‡",
             "falls with the length of the texts", better="higher"),
        Column("distinct_2", "distinct-2", "different pairs of neighbouring words, likewise ‡",
               low=0, high=1, form=DECIMALS, better="higher", misleads="as `distinct_1`"),
        Column("sampled", "sampled", low=1),
        Column("self_bleu", "self-BLEU", "mean BLEU of each sentence against all others (Zhu et "
               "al. 2018), sacrebleu's `sentence_bleu` / 100; **high means alike** ‡",
               low=0, high=1, form=DECIMALS, better="lower", misleads="\"The nurse was\" is in "
               "it, for all methods alike"),
        Column("mtld", "MTLD", "mean length in words of a run in which at least 72 % of the words "
               "are different (McCarthy & Jarvis 2010); of two words or more ≥ 2 ‡", "words", low=1,
               form=DECIMALS, better="higher", misleads="high for gibberish too"),
    ),
    absent="variety of the texts",
)  # fmt: skip


class Diversity(Measure):
    """How varied the texts are."""

    name = "diversity"
    title = "How varied the texts are"
    introduction = (
        "Means over seeds, all subjects. A method may be balanced by saying one thing again and "
        "again."
    )
    tables = (DIVERSITY,)
    section = (
        "rarefied", "unique", "verbatim", "templates", "held_out_templates", "entropy",
        "pairs_share", "distinct_2", "self_bleu", "mtld",
    )  # fmt: skip
    headlines = (
        Headline(DIVERSITY.column("entropy"), terminal="entropy\n(bits)"),
        Headline(DIVERSITY.column("pairs_share"), terminal="pairs"),
        Headline(DIVERSITY.column("self_bleu"), terminal="self-\nBLEU"),
        Headline(DIVERSITY.column("templates"), terminal="as in\ntemplates"),
    )

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        tables = {"diversity": diversity_table(evidence.scored, evidence.task)}
        return Measured(tables, self.notes(tables))

    def notes(self, tables: Mapping[str, pd.DataFrame]) -> list[str]:
        """See `Measure.notes`: of how many completions these numbers are, and of whom not."""
        table = tables.get("diversity")
        if table is None or "rarefied" not in table.columns:  # of an earlier version
            return []
        whole = table[table["split"] == "all"]
        if len(whole) < 2:  # nothing to be compared with
            return []
        few = list(dict.fromkeys(whole["method"][whole["rarefied"].isna()]))
        size = int(whole["rarefied"].max())
        note = (
            "How varied texts are (distinct texts, entropy, pairs, distinct-n, self-BLEU, MTLD) "
            f"is said of {counted(size, 'completion')} a seed, as many as the smallest cell has"
        )
        if few:
            least = fewest_of(whole["n"].astype(int))
            note += f"; {listing(few)} delivered fewer than {least} in a seed, too few to compare"
        return [f"{note}."]


def diversity_table(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """How varied the completions of each method, seed and split are; rows as in ``by_seed``.

    Its columns are those of `DIVERSITY`. ``verbatim`` is NaN where no training sentences are known,
    ``templates`` for a task without templates, ``held_out_templates`` for one that holds none out,
    ``pairs`` for one that does not ask for two sets.
    What depends on the number of completions is that of ``rarefied`` ones, `common_size` of all
    cells of a split: an exact expectation, or of entropy, self-BLEU and MTLD the mean over
    subsamples. It is NaN for cells that have fewer. Self-BLEU and MTLD are computed on at most
    ``sampled`` sentences.

    Args:
        scored: What ``score`` returned for completions frames.
        task: The task they were scored with.
    """
    words = Words.of(scored["text"])
    matched = _template_matches(scored, task)
    unseen = _template_matches(scored, task.with_held_out_templates())
    frame = scored.assign(_text=words.codes, _template=matched, _unseen_template=unseen)
    rows = []
    groups = list(split_groups(frame))
    common = {
        split: common_size(len(group.part) for group in groups if group.split == split)
        for split in SPLITS
    }
    for method, seed, split, part in tracked(groups, "diversity", len(groups)):
        codes, size = part["_text"].to_numpy(), common[split]
        rows.append(
            {
                "method": method,
                "seed": seed,
                "split": split,
                "n": len(part),
                "verbatim": _mean(part["verbatim"]),
                "templates": _mean(part["_template"]),
                "held_out_templates": _mean(part["_unseen_template"]),
                **(_varied(part, codes, words, task, size) if len(part) >= size else {}),
            }
        )
    return pd.DataFrame(rows, columns=DIVERSITY.order()).astype({"rarefied": "Int64"})


def _varied(
    part: pd.DataFrame, codes: Array, words: Words, task: Task, size: int
) -> dict[str, float]:
    """What is said of ``size`` of the completions of one group."""
    texts = np.unique(codes, return_counts=True)[1]
    return {
        "rarefied": size,
        "unique": expected_distinct(texts, len(part), size) / size,
        **_terms(part, task, size),
        "distinct_1": words.distinct(codes, 1, size),
        "distinct_2": words.distinct(codes, 2, size),
        **_sampled(part["text"], size),
    }


def pair_sets(task: Task) -> list[str]:
    """The term sets whose terms make pairs: those that the constraint wants all of."""
    return [bare(entry) for entry in task.constraint.all_of if is_set(entry)]


def _terms(part: pd.DataFrame, task: Task, size: int) -> dict[str, float]:
    """Entropy of the listed terms, and their pairs, of ``size`` of one group's completions."""
    if not task.lexicons:
        return dict.fromkeys(("entropy", "pairs", "pairs_share"), math.nan)
    groups = part.groupby([f"{name}_terms" for name in task.lexicons], sort=False)
    which, sizes = groups.ngroup().to_numpy(), groups.size()
    found = [
        {
            name: str(text).split("; ") if text else []
            for name, text in zip(task.lexicons, row, strict=True)
        }
        for *row, _ in sizes.reset_index().itertuples(index=False, name=None)
    ]
    terms = _incidence([[(name, t) for name in one for t in one[name]] for one in found])

    def entropy_of(chosen: Array) -> float:
        drawn = np.bincount(which[chosen], minlength=len(found))
        return entropy(list(drawn @ terms))

    sets = pair_sets(task)
    listed = [len(task.lexicons[name].listed) for name in sets]
    most = (sum(listed) ** 2 - sum(own**2 for own in listed)) // 2
    pairs = math.nan
    if len(sets) > 1:
        holding = sizes.to_numpy() @ _incidence(
            [sorted(distinct_pairs([one], sets)) for one in found]
        )
        pairs = expected_distinct(holding, len(part), size)
    return {
        "entropy": averaged(entropy_of, len(part), size),
        "pairs": pairs,
        "pairs_share": pairs / most if most else math.nan,
    }


def _incidence(held: Sequence[Sequence[Hashable]]) -> Array:
    """Which of all kinds each of ``held`` has, [len(held), kinds]; 0 or 1."""
    kinds = {
        kind: place for place, kind in enumerate(dict.fromkeys(k for own in held for k in own))
    }
    matrix = np.zeros((len(held), len(kinds)), dtype=np.int64)
    for row, own in enumerate(held):
        matrix[row, [kinds[kind] for kind in own]] = 1
    return matrix


def _sampled(texts: pd.Series[str], size: int) -> dict[str, float]:
    """What is computed on subsamples of ``size`` texts of one group, or of fewer."""
    every = [str(text) for text in texts]

    def words_of(chosen: Array) -> list[str]:
        return [word for index in chosen for word in normal_words(every[index])]

    return {
        "sampled": min(size, SAMPLE),
        "self_bleu": averaged(lambda c: self_bleu([every[i] for i in c]), len(every), size, SAMPLE),
        "mtld": averaged(lambda chosen: mtld(words_of(chosen)), len(every), size, SAMPLE),
    }


def _template_matches(scored: pd.DataFrame, task: Task | None) -> pd.Series[bool]:
    """For each completion whether it reads like a template; missing where there is none."""
    if task is None or not task.templates:
        return pd.Series(pd.NA, scored.index, dtype="boolean")
    matcher = TemplateMatcher(task)
    pairs = scored.groupby(["subject", "text"], sort=False, dropna=False)
    distinct = scored[["subject", "text"]].drop_duplicates()
    rows = tracked(distinct.to_numpy(dtype=object), "templates", len(distinct))
    flags = [matcher.matches(text, subject) for subject, text in rows]
    codes = pairs.ngroup().to_numpy()
    return pd.Series(np.array(flags, dtype=bool)[codes], scored.index, dtype="boolean")


def _mean(flags: pd.Series[bool]) -> float:
    """The rate of a column that may be missing; NaN if all of it is."""
    return float(flags.astype("Float64").mean()) if flags.notna().any() else math.nan
