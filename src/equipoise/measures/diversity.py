"""Diversity: how many different things the completions say, and how much of it is learnt.

What is said of one text is worked out once for each distinct text, and n-grams of words are
compared as integers: a million completions take seconds.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.measures.declaration import (
    DECIMALS,
    Column,
    Evidence,
    Headline,
    Measure,
    Measured,
    Table,
    rate,
)
from equipoise.measures.groups import split_groups
from equipoise.statistics.divergence import entropy
from equipoise.statistics.variety import distinct_pairs, mtld, sample_of, self_bleu
from equipoise.task.constraint import bare, is_set
from equipoise.task.lexicon import normal_words
from equipoise.task.task import Task
from equipoise.task.template_matcher import TemplateMatcher
from equipoise.tracking import tracked

Array = np.ndarray


DIVERSITY = Table(
    "diversity",
    "a method, seed and split",
    (
        Column("n", "completions", low=1),
        rate("unique", "distinct texts", "distinct texts / completions",
             "falls as more are drawn; compare equal numbers", better="higher"),
        rate("verbatim", "training sentences", "share that is a training sentence to the character",
             "0 on validation subjects by construction", better="lower"),
        rate("templates", "as in templates", "share that reads like a template of the task with "
             "its slots filled: any term of the set, listed or held out; any fill-in of that kind "
             "that the task has for some subject "
             "", "a model that changes one word of a template scores 0",
             better="lower"),
        Column("entropy", "entropy of terms, bits", "Shannon entropy of the listed terms' use; at "
               "most log2 of their number, 4.32 bits for twenty", "bits", low=0, form=DECIMALS,
               better="higher", misleads="says nothing of how often terms are used at all"),
        Column("pairs", "pairs of terms", "distinct pairs of an agentic and a communal term in one "
               "completion; in general, of terms of two `all_of` sets", low=0, better="higher",
               misleads="rises with the number of completions"),
        rate("pairs_share", "pairs of terms used", "`pairs` as a share of all such pairs",
             "rises with the number of completions", better="higher"),
        rate("distinct_1", "distinct-1", "different words as a share of all (Li et al. 2016)",
             "falls as texts are added: compare equal numbers", better="higher"),
        Column("distinct_2", "distinct-2", "different pairs of neighbouring words, likewise",
               low=0, high=1, form=DECIMALS, better="higher",
               misleads="falls as texts are added: compare equal numbers"),
        Column("sampled", "sampled", low=1),
        Column("self_bleu", "self-BLEU", "mean BLEU of each sentence against all others (Zhu et "
               "al. 2018), sacrebleu's `sentence_bleu` / 100; **high means alike**", low=0, high=1,
               form=DECIMALS, better="lower", misleads="rises with the number of sentences; \"The "
               "nurse was\" is in it, for all methods alike"),
        Column("mtld", "MTLD", "mean length in words of a run in which at least 72 % of the words "
               "are different (McCarthy & Jarvis 2010); of two words or more ≥ 2", "words", low=1,
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
        "unique", "verbatim", "templates", "entropy", "pairs_share", "distinct_2", "self_bleu",
        "mtld",
    )  # fmt: skip
    headlines = (
        Headline(DIVERSITY.column("entropy"), terminal="entropy\n(bits)"),
        Headline(DIVERSITY.column("pairs_share"), terminal="pairs"),
        Headline(DIVERSITY.column("self_bleu"), terminal="self-\nBLEU"),
        Headline(DIVERSITY.column("templates"), terminal="as in\ntemplates"),
    )

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        return Measured({"diversity": diversity_table(evidence.scored, evidence.task)})


def diversity_table(scored: pd.DataFrame, task: Task) -> pd.DataFrame:
    """How varied the completions of each method, seed and split are; rows as in ``by_seed``.

    Its columns are those of `DIVERSITY`. ``verbatim`` is NaN where no training sentences are known,
    ``templates`` for a task without templates, ``pairs`` for one that does not ask for two sets.
    ``sampled`` sentences, drawn with a fixed seed, are what self-BLEU and MTLD are computed on.

    Args:
        scored: What ``score`` returned for completions frames.
        task: The task they were scored with.
    """
    words = _Words.of(scored["text"])
    matched = _template_matches(scored, task)
    frame = scored.assign(_text=words.codes, _template=matched)
    rows = []
    groups = list(split_groups(frame))
    for method, seed, split, part in tracked(groups, "diversity", len(groups)):
        codes = part["_text"].to_numpy()
        rows.append(
            {
                "method": method,
                "seed": seed,
                "split": split,
                "n": len(part),
                "unique": len(np.unique(codes)) / len(part),
                "verbatim": _mean(part["verbatim"]),
                "templates": _mean(part["_template"]),
                **_terms(part, task),
                "distinct_1": words.distinct(codes, 1),
                "distinct_2": words.distinct(codes, 2),
                **_sampled(part["text"]),
            }
        )
    return pd.DataFrame(rows)


def pair_sets(task: Task) -> list[str]:
    """The term sets whose terms make pairs: those that the constraint wants all of."""
    return [bare(entry) for entry in task.constraint.all_of if is_set(entry)]


def _terms(part: pd.DataFrame, task: Task) -> dict[str, float]:
    """Entropy of the listed terms, and their pairs, of one group."""
    if not task.lexicons:
        return dict.fromkeys(("entropy", "pairs", "pairs_share"), math.nan)
    columns = [f"{name}_terms" for name in task.lexicons]
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    combinations = part.groupby(columns, sort=False).size().reset_index(name="times")
    for *row, times in combinations.itertuples(index=False, name=None):
        terms = {
            name: str(text).split("; ") if text else []
            for name, text in zip(task.lexicons, row, strict=True)
        }
        found.append(terms)
        for name, listed in terms.items():
            for term in listed:
                counts[name, term] += int(times)
    sets = pair_sets(task)
    sizes = [len(task.lexicons[name].listed) for name in sets]
    most = (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2
    pairs = float(len(distinct_pairs(found, sets))) if len(sets) > 1 else math.nan
    return {
        "entropy": entropy(list(counts.values())),
        "pairs": pairs,
        "pairs_share": pairs / most if most else math.nan,
    }


def _sampled(texts: pd.Series[str]) -> dict[str, float]:
    """What is computed on a sample of the texts of one group."""
    chosen = [str(texts.iloc[index]) for index in sample_of(len(texts))]
    return {
        "sampled": len(chosen),
        "self_bleu": self_bleu(chosen),
        "mtld": mtld([word for text in chosen for word in normal_words(text)]),
    }


def _template_matches(scored: pd.DataFrame, task: Task) -> pd.Series[bool]:
    """For each completion whether it reads like a template; missing where there is none."""
    if not task.templates:
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


@dataclass(frozen=True)
class _Words:
    """The words of D distinct texts, as integers, one text after the other.

    Attributes:
        codes: [rows] for each completion, which of the distinct texts it is.
        flat: [W] the words of all distinct texts.
        owner: [W] the text each word stands in.
        lengths: [D] words of each text.
    """

    codes: Array
    flat: Array
    owner: Array
    lengths: Array

    @classmethod
    def of(cls, texts: pd.Series[str]) -> _Words:
        """The words of ``texts``, compared as terms are."""
        codes, distinct = pd.factorize(texts)
        vocabulary: dict[str, int] = {}
        flat, lengths = array("q"), array("q")
        for text in distinct:
            words = normal_words(str(text))
            flat.extend([vocabulary.setdefault(word, len(vocabulary)) for word in words])
            lengths.append(len(words))
        counts = np.frombuffer(lengths, dtype=np.int64)
        owner = np.repeat(np.arange(len(counts)), counts)
        return cls(np.asarray(codes), np.frombuffer(flat, dtype=np.int64), owner, counts)

    def distinct(self, rows: Array, n: int) -> float:
        """``diversity.distinct_n`` of the texts with these codes, repeated ones counted each time.

        Args:
            rows: Codes of the completions of a group.
            n: 1 or 2.
        """
        there = np.zeros(len(self.lengths), dtype=bool)
        there[rows] = True
        if n == 1:
            grams = self.flat[there[self.owner]]
        else:
            inside = there[self.owner[:-1]] & (self.owner[:-1] == self.owner[1:])
            grams = (self.flat[:-1] * (self.flat.max(initial=0) + 1) + self.flat[1:])[inside]
        total = int(np.maximum(self.lengths[rows] - (n - 1), 0).sum())
        return len(np.unique(grams)) / total if total else math.nan
