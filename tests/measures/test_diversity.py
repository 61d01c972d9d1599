"""The tables of diversity and of terms: golden rows, and slow twins."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import combinations, product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.completions.frame import as_completions
from equipoise.measures.diversity import Diversity, _terms, diversity_table
from equipoise.measures.judgement import score
from equipoise.measures.ngrams import Words
from equipoise.measures.terms import term_table
from equipoise.statistics.variety import distinct_n, mtld, sample_of, self_bleu
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import normal_words
from equipoise.task.task import Task
from equipoise.task.template import Template

COLUMNS = [
    "method", "seed", "split", "n", "rarefied", "unique", "verbatim", "templates",
    "held_out_templates", "entropy", "pairs", "pairs_share", "distinct_1", "distinct_2",
    "sampled", "self_bleu", "mtld",
]  # fmt: skip
TRAINING = "The nurse was bold and caring at work."
TEXTS = [
    ("nurse", TRAINING),
    ("nurse", TRAINING),
    ("doctor", "The doctor was bold, decisive and loyal."),
    ("teacher", "The teacher was warm and active at work."),
]


def frame(rows: list[tuple[str, str]], method: str = "m", seed: int = 1) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["subject", "text"]).assign(method=method, seed=seed)


def test_golden_rows(task: Task) -> None:
    scored = score(as_completions(frame(TEXTS), task), task, [TRAINING])
    table = diversity_table(scored, task)
    assert table.columns.tolist() == COLUMNS
    assert table["split"].tolist() == ["train", "validation", "all"]
    assert table["n"].tolist() == [3, 1, 4]
    assert table["unique"].tolist() == [2 / 3, 1, 3 / 4]
    assert table["verbatim"].tolist() == [2 / 3, 0, 2 / 4]
    # "The {subject} was {agentic} and {communal} at work.", held-out terms welcome, in this order
    assert table["templates"].tolist() == [2 / 3, 0, 2 / 4]
    # bold 3, caring 2, decisive 1, loyal 1 of 7
    bits = -sum(n / 7 * math.log2(n / 7) for n in (3, 2, 1, 1))
    assert table["entropy"].iloc[[0, 2]].tolist() == pytest.approx([bits, bits], abs=1e-12)
    assert math.isnan(table["entropy"].iloc[1])  # no listed term
    assert table["pairs"].tolist() == [3, 0, 3]  # bold caring, bold loyal, decisive loyal
    assert table["pairs_share"].tolist() == [3 / 4, 0, 3 / 4]  # of 2 x 2
    # train: 8 words, twice; then 7, of which doctor, decisive and loyal are new
    assert table["distinct_1"].iloc[0] == 11 / 23
    assert table["rarefied"].tolist() == table["sampled"].tolist() == [3, 1, 4]
    assert table["self_bleu"].isna().tolist() == [False, True, False]


def test_templates_of_both_kinds_count_and_held_out_ones_are_told_apart(task: Task) -> None:
    scored = score(as_completions(frame(TEXTS), task), task, [TRAINING])
    assert diversity_table(scored, task)["held_out_templates"].isna().all()  # none is held out
    unseen = Template("plain", "The {subject} was {agentic} and {agentic2} at work.", held_out=True)
    both = replace(task, templates=(*task.templates, unseen))
    texts = [*TEXTS, ("doctor", "The doctor was bold and decisive at work.")]
    table = diversity_table(score(as_completions(frame(texts), task), task), both)
    assert table["templates"].tolist() == [3 / 4, 0, 3 / 5]
    assert table["held_out_templates"].tolist() == [1 / 4, 0, 1 / 5]


SENTENCE = st.lists(
    st.sampled_from(["bold", "Bold", "caring", "loyal", "decisive", "warm", "and", "or", "-"]),
    max_size=8,
).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["nurse", "teacher", "?"]), SENTENCE), min_size=1))
def test_rows_equal_the_slow_twin(task: Task, rows: list[tuple[str, str]]) -> None:
    scored = score(as_completions(frame(rows), task), task)
    found = diversity_table(scored, task).set_index("split")
    for split, row in found.iterrows():
        part = scored if split == "all" else scored[scored["split"] == split]
        texts = part["text"].tolist()
        words = [normal_words(text) for text in texts]
        assert row["unique"] == len(set(texts)) / len(texts)
        for n in (1, 2):
            assert row[f"distinct_{n}"] == pytest.approx(distinct_n(words, n), nan_ok=True)
        hits = [task.constraint.check(text).hits for text in texts]
        pairs = {p for h in hits for p in product(h["agentic"], h["communal"])}
        assert row["pairs"] == len(pairs)
        counts = Counter(term for h in hits for terms in h.values() for term in terms)
        shares = [count / counts.total() for count in counts.values()]
        bits = -sum(p * math.log2(p) for p in shares) if shares else math.nan
        assert row["entropy"] == pytest.approx(bits, abs=1e-9, nan_ok=True)
        chosen = [texts[i] for i in sample_of(len(texts))]
        assert row["self_bleu"] == pytest.approx(self_bleu(chosen), nan_ok=True)
        varied = mtld([w for text in chosen for w in normal_words(text)])
        assert row["mtld"] == pytest.approx(varied, nan_ok=True)


def test_methods_are_compared_in_equally_many(task: Task) -> None:
    """Of 40 completions and of 20, 20 each; a method with 2 is left out, and nobody waits for it.

    The one says two things by turns: in 20 of its 40 texts, 2 (1 - C(20, 20) / C(40, 20)) of them.
    """
    both, one = "The doctor was bold and loyal.", "The doctor was decisive and caring."
    parts = [
        frame([("doctor", both), ("doctor", one)] * 20, "many"),
        frame([("doctor", both)] * 20, "fewer"),
        frame([("doctor", one)] * 2, "few"),
    ]
    scored = score(as_completions(pd.concat(parts), task), task)
    table = diversity_table(scored, task)
    rows = table[table["split"] == "all"].set_index("method")
    assert rows["n"].to_dict() == {"many": 40, "fewer": 20, "few": 2}
    assert rows["rarefied"].tolist() == [20, 20, pd.NA]
    both_seen = 2 - 2 / math.comb(40, 20)
    assert rows.loc["many", "pairs"] == pytest.approx(both_seen, abs=1e-9)
    assert rows.loc["many", "unique"] == pytest.approx(both_seen / 20, abs=1e-9)
    # "the", "doctor", "was" and "and" stand in all texts, four words in every other one.
    missed = 1 / math.comb(40, 20)
    assert rows.loc["many", "distinct_1"] == pytest.approx((4 + 4 * (1 - missed)) / 120, abs=1e-9)
    assert 1.9 < rows.loc["many", "entropy"] < 2  # four terms, of which 20 texts are drawn
    assert rows.loc["fewer", "entropy"] == 1
    assert rows.loc["fewer", "pairs"] == 1
    varied = ["unique", "entropy", "pairs", "pairs_share", "distinct_1", "self_bleu", "mtld"]
    assert rows.loc["few", varied].isna().all()
    assert rows.loc["few", "templates"] == 0, "a rate is a rate, of however many"
    [note] = Diversity().notes({"diversity": table})
    assert "is said of 20 completions a seed, as many as the smallest cell has" in note
    assert note.endswith("few delivered fewer than 20 in a seed, too few to compare.")


def test_rarefied_rows_equal_the_mean_over_all_subsamples(task: Task) -> None:
    texts = [text for _, text in TEXTS] + ["The nurse was decisive and caring."]
    parts = [
        frame([("nurse", text) for text in texts], "five"),
        frame([("nurse", text) for text in texts[:4]], "four"),
    ]
    scored = score(as_completions(pd.concat(parts), task), task)
    words = Words.of(scored["text"])
    codes, own = words.codes[:5], [normal_words(text) for text in texts]
    for size in range(1, 6):
        subsamples = list(combinations(range(5), size))
        for n in (1, 2):
            kinds = [{g for i in s for g in zip(*(own[i][k:] for k in range(n)), strict=False)}
                     for s in subsamples]  # fmt: skip
            total = sum(len(own[i]) - n + 1 for s in subsamples for i in s)
            assert words.distinct(codes, n, size) == pytest.approx(sum(map(len, kinds)) / total)
        pairs = [{p for i in s for p in product(*task.constraint.check(texts[i]).hits.values())}
                 for s in subsamples]  # fmt: skip
        found = _terms(scored[:5], task, size)
        assert found["pairs"] == pytest.approx(sum(map(len, pairs)) / len(subsamples))


def test_tasks_that_want_other_things(task: Task) -> None:
    one = replace(
        task, constraint=Constraint(task.lexicons, all_of=("{agentic}", "bold")), templates=()
    )
    scored = score(as_completions(frame(TEXTS), one), one)
    table = diversity_table(scored, one)
    assert table[["pairs", "pairs_share", "templates", "verbatim"]].isna().all(axis=None)
    assert table["entropy"].notna().tolist() == [True, False, True]


def test_a_task_without_terms(task: Task) -> None:
    bare = replace(task, lexicons={}, constraint=Constraint({}, all_of=("bold",)))
    scored = score(as_completions(frame(TEXTS), bare), bare)
    table = diversity_table(scored, bare)
    assert table[["entropy", "pairs", "pairs_share"]].isna().all(axis=None)
    assert table["unique"].tolist() == [2 / 3, 1, 3 / 4]
    assert term_table(scored, bare).empty


def test_texts_without_words(task: Task) -> None:
    scored = score(as_completions(frame([("nurse", ""), ("nurse", "")]), task), task)
    [_, row] = diversity_table(scored, task).to_dict("records")
    assert (row["n"], row["unique"], row["pairs"], row["self_bleu"]) == (2, 0.5, 0, 0)
    assert all(math.isnan(row[name]) for name in ("entropy", "distinct_1", "distinct_2", "mtld"))


def test_order_of_methods_seeds_and_splits(task: Task) -> None:
    parts = [frame(TEXTS, "z", 9), frame(TEXTS[:1], "a", 2), frame(TEXTS[3:], "z", 2)]
    scored = score(as_completions(pd.concat(parts), task), task)
    table = diversity_table(scored, task)
    assert list(zip(table["method"], table["seed"], table["split"], strict=True)) == [
        ("z", 2, "validation"), ("z", 2, "all"),
        ("z", 9, "train"), ("z", 9, "validation"), ("z", 9, "all"),
        ("a", 2, "train"), ("a", 2, "all"),
    ]  # fmt: skip


def test_every_term_has_a_row(task: Task) -> None:
    rows = [*TEXTS, ("welder", "The welder was bold, bold and warm."), ("welder", "")]
    table = term_table(as_completions(frame(rows), task), task)
    assert table.columns.tolist() == [
        "method", "seed", "subject", "split", "set", "term", "listed", "count", "n", "frequency",
    ]  # fmt: skip
    counts = table.set_index(["subject", "term"])["count"]
    assert counts["nurse"].to_dict() == {
        "bold": 2, "decisive": 0, "active": 0, "caring": 2, "loyal": 0, "warm": 0,
    }  # fmt: skip
    assert counts["teacher"].sum() == 2  # active, warm
    # of an unknown subject only what was used; a term twice in a text counts once
    assert counts["welder"].to_dict() == {"bold": 1, "warm": 1}
    assert table[table["listed"]]["term"].unique().tolist() == [
        "bold", "decisive", "caring", "loyal",
    ]  # fmt: skip
    welder = table[table["subject"] == "welder"]
    assert welder[["n", "frequency"]].values.tolist() == [[2, 0.5]] * 2
    assert welder["split"].tolist() == ["", ""]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["nurse", "teacher"]), SENTENCE, st.integers(1, 2)))
    .filter(bool)
)  # fmt: skip
def test_term_counts_equal_the_constraints(task: Task, rows: list[tuple[str, str, int]]) -> None:
    given_frame = pd.DataFrame(rows, columns=["subject", "text", "seed"])
    completions = as_completions(given_frame, task)
    counts: Counter[tuple[int, str, str]] = Counter()
    for row in completions.itertuples():
        for terms in task.constraint.check(str(row.text), "all").hits.values():
            for term in terms:
                counts[int(str(row.seed)), str(row.subject), term] += 1
    table = term_table(completions, task)
    found = {
        (row.seed, row.subject, row.term): row.count
        for row in table.itertuples(index=False)
        if table is not None
    }
    assert all(found.get(key) == count for key, count in counts.items())
    assert sum(table["count"]) == counts.total()
    groups = len({(seed, subject) for subject, _, seed in rows})
    assert len(table) == 6 * groups
