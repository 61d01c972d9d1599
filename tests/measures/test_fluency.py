"""Fluency: every score equals that of the plain computation, and the table's golden rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.completions.frame import as_completions
from equipoise.errors import EquipoiseError
from equipoise.measures.fluency import fluency_table, length_matched
from equipoise.measures.judging import (
    LONGEST,
    SCORE_COLUMNS,
    log_probabilities,
    pack,
    score_fluency,
)
from equipoise.measures.model_answers import FluencyScores
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence
from equipoise.task.task import Task
from heard import Heard
from tiny_models import byte_level_tokenizer, wrap_tokenizer

SENTENCES = [
    ("nurse", "The nurse was bold and caring."),
    ("nurse", "The nurse was bold and loyal when treating patients."),
    ("doctor", "The doctor was bold and caring."),
    ("doctor", "the DOCTOR was caring"),  # the prefix in another case is the prefix
    ("nurse", "Bold, she was."),  # no prefix: all of it is scored
    ("nurse", "The nurse was"),  # nothing but the prefix
    ("nurse", ""),
    ("nurse", "The nurse wasn't bold."),
]


def plainly(lm: LanguageModel, tokens: list[int], start: int) -> float:
    """The twin: the whole sequence by itself, a log-softmax over all its logits."""
    with torch.inference_mode():
        logits = lm.model(torch.tensor([tokens])).logits[0].float()
    found = torch.log_softmax(logits, dim=-1)
    return float(sum(found[i - 1, tokens[i]] for i in range(start, len(tokens))))


@pytest.mark.parametrize("chat", [True, False])
def test_scores_equal_the_plain_computation(
    task: Task, tiny_lm: LanguageModel, tiny_plain_lm: LanguageModel, chat: bool
) -> None:
    lm = tiny_lm if chat else tiny_plain_lm
    found = score_fluency(lm, task, SENTENCES, "prompt")
    assert tuple(found.columns) == SCORE_COLUMNS
    assert list(zip(found["subject"], found["text"], strict=True)) == SENTENCES
    for (subject, text), row in zip(SENTENCES, found.itertuples(), strict=True):
        prefix = f"The {subject} was"
        shared = text[: len(prefix)] if text.casefold().startswith(prefix.casefold()) else ""
        prompt = task.prompt(subject)
        whole, before = lm.context(prompt, text), lm.context(prompt, shared)
        # The tokenizer joins "wasn" across the end of the prefix: scoring begins at the joint.
        start = len(before) - text.startswith("The nurse wasn")
        assert whole[:start] == before[:start]
        assert row.prefixed == bool(shared)
        assert row.tokens == len(whole) - start
        if row.tokens:
            expected = plainly(lm, whole, start)
            assert row.log_probability == pytest.approx(expected, rel=1e-4)
        else:
            assert row.log_probability == 0
    assert found["tokens"].eq(0).tolist() == [False] * 5 + [True, True, False]
    assert not found["truncated"].any()


@pytest.mark.parametrize("starts_with", [None, "<s>"])
def test_plain_text_is_read_without_prompt(
    task: Task, tiny_lm: LanguageModel, starts_with: str | None
) -> None:
    tokenizer = wrap_tokenizer(byte_level_tokenizer(), chat=True, starts_with=starts_with)
    lm = replace(tiny_lm, tokenizer=tokenizer)
    found = score_fluency(lm, task, SENTENCES[:5], "plain")
    for (subject, text), row in zip(SENTENCES, found.itertuples(), strict=False):
        tokens = tokenizer(text)["input_ids"]
        assert (tokens[0] == tokenizer.bos_token_id) == bool(starts_with)
        prefix = "" if text.startswith("Bold") else text[: len(f"The {subject} was")]
        start = max(1, len(tokenizer(prefix)["input_ids"]))
        assert row.tokens == len(tokens) - start
        assert row.log_probability == pytest.approx(plainly(lm, tokens, start), rel=1e-4)


def test_a_sentence_scores_the_same_whoever_it_is_scored_with(
    task: Task, tiny_lm: LanguageModel
) -> None:
    whole = score_fluency(tiny_lm, task, SENTENCES, "prompt")
    alone = [score_fluency(tiny_lm, task, [one], "prompt") for one in SENTENCES]
    again = score_fluency(tiny_lm, task, SENTENCES[::-1], "prompt")
    for values in (pd.concat(alone), again[::-1]):
        np.testing.assert_allclose(values["log_probability"], whole["log_probability"], rtol=1e-4)


def test_long_texts_are_scored_at_their_beginning(
    task: Task, tiny_lm: LanguageModel, heard: Heard
) -> None:
    long = "The nurse was " + "bold and caring " * 3333
    sentences = [("nurse", long), ("nurse", "The nurse was"), *SENTENCES[:1]]
    found = score_fluency(tiny_lm, task, sentences, "prompt")
    assert found["truncated"].tolist() == [True, False, False]
    assert found["tokens"].iloc[0] == LONGEST
    assert heard.told[-1] == (f"fluency under {tiny_lm.name}", 3, 3)
    short = score_fluency(tiny_lm, task, [("nurse", long[:5000])], "prompt")
    assert short["log_probability"].iloc[0] == pytest.approx(found["log_probability"].iloc[0])


def test_nothing_to_score(task: Task, tiny_lm: LanguageModel) -> None:
    assert score_fluency(tiny_lm, task, [], "prompt").columns.tolist() == list(SCORE_COLUMNS)


def test_texts_of_any_alphabet(task: Task, tiny_lm: LanguageModel) -> None:
    texts = ["看护士很勇敢。", "\0\0", "The nurse was \N{GRINNING FACE} bold.", "<|im_end|>"]
    found = score_fluency(tiny_lm, task, [("nurse", text) for text in texts], "prompt")
    assert (found["tokens"] > 0).all()
    assert (found["log_probability"] < 0).all()


TOKENS = st.lists(st.integers(0, 3), min_size=2, max_size=12)


@given(st.lists(TOKENS, max_size=12), st.integers(1, 30))
def test_batches_hold_every_sequence_once_and_keep_the_limit(
    drawn: list[list[int]], nodes: int
) -> None:
    sequences = [TokenSequence(tuple(tokens), 1) for tokens in drawn]
    batches = list(pack(sequences, nodes))
    assert sorted(i for batch in batches for i in batch) == list(range(len(sequences)))
    for batch in batches:
        tree = PrefixTree.build(sequences[i] for i in batch)
        assert len(tree.tokens) <= nodes or len(batch) == 1
        assert sequences == sorted(sequences) or batch == sorted(
            batch, key=lambda i: (sequences[i].tokens, i)
        )


def test_packing_does_not_change_the_values(tiny_lm: LanguageModel) -> None:
    rng = np.random.default_rng(1)
    sequences = [TokenSequence(tuple(rng.integers(0, 9, 7).tolist()), 2) for _ in range(40)]
    found = [log_probabilities(tiny_lm, sequences, "scoring", nodes) for nodes in (1, 30, 1000)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4)


def scores(*rows: tuple[str, str, int, float]) -> FluencyScores:
    frame = pd.DataFrame(rows, columns=["subject", "text", "tokens", "log_probability"])
    return FluencyScores("judge-270m", frame.assign(prefixed=True, truncated=False))


def completions(task: Task, *rows: tuple[str, int, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["method", "seed", "subject", "text"])
    return as_completions(frame, task)


def test_table_by_hand(task: Task) -> None:
    said = scores(
        ("nurse", "a", 2, -2.0),  # -1 a token
        ("nurse", "b", 4, -8.0),  # -2 a token
        ("nurse", "c", 2, -6.0),  # -3 a token
        ("nurse", "", 0, 0.0),
        ("teacher", "d", 5, -5.0),  # -1 a token
    )
    frame = completions(
        task,
        ("base", 1, "nurse", "a"), ("base", 1, "nurse", "b"), ("base", 1, "nurse", "b"),
        ("sft", 1, "nurse", "c"), ("sft", 1, "nurse", ""), ("sft", 1, "teacher", "d"),
    )  # fmt: skip
    table = fluency_table(frame, {"independent": said}).set_index(["method", "split"])
    assert table["judge"].unique().tolist() == ["independent"]
    assert table["model"].unique().tolist() == ["judge-270m"]
    base = table.loc["base", "all"]
    assert (base["n"], base["empty"], base["tokens"]) == (3, 0, 10 / 3)
    assert base["log_probability_mean"] == pytest.approx(-5 / 3)
    assert base["log_probability_median"] == -2
    assert base["perplexity_median"] == pytest.approx(math.e**2)
    assert base["perplexity_mean"] == pytest.approx((math.e + 2 * math.e**2) / 3)
    assert base["perplexity_corpus"] == pytest.approx(math.exp(18 / 10))
    assert (base["matched_difference"], base["matched_share"]) == (0, 1)
    sft = table.loc["sft", "all"]
    assert (sft["n"], sft["empty"], sft["tokens"]) == (3, 1, 7 / 3)
    assert sft["log_probability_mean"] == -2  # of -3 and -1: the empty one has no value
    # at 2 tokens: -3 against -1; at 5 tokens base has none
    assert (sft["matched_difference"], sft["matched_share"]) == (-2, 1 / 2)
    validation = table.loc["sft", "validation"]
    assert validation["log_probability_median"] == -1
    assert math.isnan(validation["matched_difference"])
    assert validation["matched_share"] == 0


def test_only_empty_texts(task: Task) -> None:
    frame = completions(task, ("m", 1, "nurse", ""))
    table = fluency_table(frame, {"base": scores(("nurse", "", 0, 0.0))})
    row = table.iloc[-1]
    assert (row["n"], row["empty"]) == (1, 1)
    assert row.filter(regex="log_prob|perplexity|matched").isna().all()


def test_a_hopeless_sentence_is_not_dropped(task: Task) -> None:
    frame = completions(task, ("m", 1, "nurse", "a"), ("m", 1, "nurse", "b"))
    said = scores(("nurse", "a", 1, -1.0), ("nurse", "b", 1, -800.0))
    row = fluency_table(frame, {"base": said}).iloc[-1]
    assert row["perplexity_mean"] == math.inf  # beyond float64, and not left out
    assert row["log_probability_mean"] == -400.5


def test_a_missing_score_is_an_error(task: Task) -> None:
    frame = completions(task, ("m", 1, "nurse", "a"), ("m", 1, "nurse", "b"))
    with pytest.raises(EquipoiseError, match="1 completions have no score of 'base'"):
        fluency_table(frame, {"base": scores(("nurse", "a", 1, -1.0))})


def test_length_matched_by_hand() -> None:
    def matched(
        one: list[tuple[float, int]], other: list[tuple[float, int]]
    ) -> tuple[float, float]:
        (a, b), (c, d) = (map(np.array, zip(*sample, strict=True)) for sample in (one, other))
        return length_matched(a, b, c, d)

    one = [(-1.0, 3), (-3.0, 3), (-9.0, 4), (-5.0, 7)]
    other = [(-4.0, 3), (-8.0, 4), (-6.0, 4), (-1.0, 9)]
    # at 3: -2 against -4, one pair; at 4: -9 against -7, one pair; 7 and 9 stand alone
    assert matched(one, other) == ((1 * 2 + 1 * -2) / 2, 2 / 4)
    assert matched(one, one) == (0, 1)
    assert matched(one[:1], [(-1.0, 8)])[1] == 0
    none = np.array([])
    assert all(map(math.isnan, length_matched(none, none, none, none)))


@given(
    st.lists(st.tuples(st.floats(-9, 0), st.integers(1, 4)), min_size=1, max_size=12),
    st.floats(-3, 3),
)
def test_a_shift_at_every_length_is_found(sample: list[tuple[float, int]], shift: float) -> None:
    values, lengths = (np.array(column) for column in zip(*sample, strict=True))
    difference, share = length_matched(values + shift, lengths, values, lengths)
    assert difference == pytest.approx(shift, abs=1e-9)
    assert share == 1


def test_fluent_sentences_score_higher_than_shuffled_ones(
    embedded_model: LanguageModel, task: Task
) -> None:
    """Against the real model, with both ways to read."""
    fluent = "The nurse was kind to all of her patients."
    shuffled = "The nurse was all patients her to kind of."
    for context in ("prompt", "plain"):
        found = score_fluency(
            embedded_model, task, [("nurse", fluent), ("nurse", shuffled)], context
        )  # type: ignore[arg-type]
        each = (found["log_probability"] / found["tokens"]).tolist()
        assert each[0] > each[1] + 1
