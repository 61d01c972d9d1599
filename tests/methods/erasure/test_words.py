"""The words and sentences that erasure is fitted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.sentences import (
    FIT,
    PROBE,
    STOP,
    SUBJECT,
    labelled_tree,
    split_pairs,
)
from equipoise.methods.erasure.words import (
    MIN_PAIRS,
    subject_contexts,
    subject_shares,
    word_pairs,
)
from equipoise.methods.registry import build_method
from equipoise.model.context import ContextEncoder
from equipoise.model.language_model import LanguageModel
from equipoise.task import Task, builtin_tasks, load_task
from equipoise.task.axis import WORD_SLOT
from equipoise.task.lexicon import normal_words
from tiny_models import byte_level_tokenizer, wrap_tokenizer

EIGHT = [[f"m{i}", f"f{i}"] for i in range(8)]
OCCUPATIONS = load_task("occupations")
PAIRS = word_pairs(ErasureSettings(), OCCUPATIONS)
NOUNS = subject_contexts(OCCUPATIONS)
SAID = "The {word} said that"


@pytest.mark.parametrize("name", builtin_tasks())
def test_the_pairs_are_those_of_the_axis_in_contexts_that_fit(name: str) -> None:
    task = load_task(name)
    assert task.axis is not None
    pairs = word_pairs(ErasureSettings(), task)
    assert pairs == list(task.axis.fitted.pairs)
    assert {pair.kind for pair in pairs} == set(task.axis.fitted.contexts)
    for pair in pairs:
        assert pair.contexts == task.axis.fitted.contexts[pair.kind]
        for context in pair.contexts:
            assert context.count(WORD_SLOT) == 1
            assert not context.startswith(WORD_SLOT)
            assert not context.endswith(WORD_SLOT)


@pytest.mark.parametrize("name", builtin_tasks())
def test_all_words_are_single_tokens_of_the_embedded_model(
    name: str, embedded_model: LanguageModel
) -> None:
    """And every sentence fits, with the shares of the train subjects as well."""
    task = load_task(name)
    pairs = word_pairs(ErasureSettings(), task)
    labelled = labelled_tree(
        embedded_model.encoder.plain,
        pairs,
        0.25,
        42,
        announce=pytest.fail,
        subjects=subject_shares(task),
        subject_contexts=subject_contexts(task),
    )
    assert len(set(labelled.pairs[labelled.roles != SUBJECT].tolist())) == len(pairs)


def test_the_words_of_a_task_without_an_axis_must_be_given() -> None:
    task = replace(load_task("occupations"), axis=None)
    for name in ("inlp", "leace"):
        with pytest.raises(EquipoiseError) as caught:
            build_method(name, {}).check(task)
        assert str(caught.value).startswith(
            "pairs: task 'occupations' has no axis, and erasure needs 8 pairs of words"
        )
        assert "[[axis.fitted.pairs]]" in str(caught.value.hint)
        build_method(name, {"pairs": EIGHT, "contexts": [SAID]}).check(task)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": EIGHT[:7], "contexts": [SAID]}, "pairs: 7 pairs of words are too few to fit on"),
        ({"pairs": [*EIGHT, ["m1", "x"]], "contexts": [SAID]}, "pairs: 'm1' stands twice"),
        ({"pairs": [*EIGHT, ["x", "x"]], "contexts": [SAID]}, "pairs: 'x' stands twice"),
        ({"pairs": [*EIGHT, ["x", ""]], "contexts": [SAID]}, "pairs: '' is empty or has spaces"),
        ({"pairs": [*EIGHT, ["x", " y"]], "contexts": [SAID]}, "pairs: ' y' is empty or has spac"),
        ({"pairs": EIGHT}, "contexts: pairs are given without contexts. Give some, such as"),
        ({"contexts": [SAID]}, "contexts: contexts are given without pairs. Give pairs as well."),
        ({"pairs": EIGHT, "contexts": ["The man said"]}, "contexts: 'The man said' does not have"),
        ({"pairs": EIGHT, "contexts": ["{word} said"]}, "contexts: '{word} said' does not have"),
        ({"pairs": EIGHT, "contexts": ["The {word} "]}, "contexts: 'The {word} ' does not have"),
        ({"pairs": EIGHT, "contexts": ["A {word} is a {word}."]}, "contexts: 'A {word} is a {wor"),
    ],
)
def test_wrong_words_and_contexts(settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        word_pairs(ErasureSettings.model_validate(settings), OCCUPATIONS)
    assert str(caught.value).startswith(message)
    assert caught.value.hint


@given(
    st.lists(st.sampled_from("abc"), min_size=MIN_PAIRS, max_size=40),
    st.floats(0.01, 0.34),
    st.integers(0, 2**32 - 1),
)
def test_pairs_are_split_evenly(kinds: list[str], held_out: float, seed: int) -> None:
    roles = split_pairs(kinds, held_out, seed)
    assert roles.tolist() == split_pairs(kinds, held_out, seed).tolist()
    counts = Counter(roles.tolist())
    period = min(round(1 / held_out), len(kinds) // 2)
    for role in (PROBE, STOP):
        assert counts[role] >= 2
        assert len(kinds) // period <= counts[role] <= -(-len(kinds) // period)
        for kind in set(kinds):  # of every kind as many as its number allows, up to one
            members = [r for r, k in zip(roles, kinds, strict=True) if k == kind]
            share = members.count(role) - len(members) / period
            assert abs(share) < 1
    assert counts[FIT] >= 2


def test_another_seed_holds_out_other_pairs() -> None:
    splits = {tuple(split_pairs(["a"] * 23, 0.25, seed)) for seed in range(10)}
    assert len(splits) > 5


def test_every_labelled_node_is_the_word_or_after_it(
    make_planted: Callable[[], LanguageModel],
) -> None:
    lm: LanguageModel = make_planted()
    pairs = PAIRS
    labelled = labelled_tree(lm.encoder.plain, pairs, 0.25, 3)
    tree = labelled.tree
    assert len(set(labelled.nodes.tolist())) == len(labelled.nodes)
    texts = {
        context.replace(WORD_SLOT, word): (number, label)
        for number, pair in enumerate(pairs)
        for context in pair.contexts
        for label, word in enumerate(pair.words)
    }
    seen = set()
    rows = zip(labelled.nodes, labelled.labels, labelled.parts, labelled.pairs, strict=True)
    for node, label, part, pair in rows:
        path = tree.tokens[tree.visible[node]]
        text = lm.tokenizer.decode(path, skip_special_tokens=True)
        word = pairs[pair].words[label]
        assert text.endswith(" " + word) == (part == 0)
        assert word.lower() in normal_words(text)
        whole = [t for t in texts if t.startswith(text) and texts[t] == (pair, label)]
        assert whole
        seen |= {t for t in whole if t == text}
    assert seen == set(texts)  # every sentence to its end


def test_labels_are_balanced_in_every_role_and_part(
    make_planted: Callable[[], LanguageModel],
) -> None:
    labelled = labelled_tree(
        make_planted().encoder.plain,
        PAIRS,
        0.25,
        3,
        announce=pytest.fail,
    )
    for role in (FIT, STOP, PROBE):
        for part in (0, 1):
            chosen = (labelled.roles == role) & (labelled.parts == part)
            assert chosen.any()
            assert labelled.labels[chosen].mean() == 0.5
    for pair in set(labelled.pairs.tolist()):
        assert len(set(labelled.roles[labelled.pairs == pair].tolist())) == 1
    assert len(labelled.some_sentences(16)) in range(16, 20)
    assert np.all(np.diff(labelled.nodes) != 0)


def test_pairs_that_the_tokenizer_splits(make_planted: Callable[[], LanguageModel]) -> None:
    words = [
        ["xylophonist", "flautist"],
        *(list(pair.words) for pair in PAIRS[2:11]),
    ]
    settings = ErasureSettings.model_validate({"pairs": words, "contexts": [SAID]})
    said: list[str] = []
    labelled = labelled_tree(
        make_planted().encoder.plain, word_pairs(settings, OCCUPATIONS), 0.25, 1, said.append
    )
    assert said == ["Left out of 10 pairs of words: the tokenizer splits xylophonist/flautist."]
    assert len(set(labelled.pairs.tolist())) == 9
    small = wrap_tokenizer(byte_level_tokenizer(), chat=True)  # knows hardly a word
    with pytest.raises(EquipoiseError) as caught:
        labelled_tree(
            ContextEncoder(small, "small", 999).plain,
            PAIRS,
            0.25,
            1,
        )
    assert caught.value.field == "pairs"
    assert "pairs of words are left, as the tokenizer splits " in caught.value.problem
    assert "man/woman" in caught.value.problem


def test_subjects_are_labelled_by_their_share_of_women(
    make_planted: Callable[[], LanguageModel],
) -> None:
    subjects = [("nurse", 90.0), ("pilot", 10.0), ("hair stylist", 80.0), ("chef", 20.0)]
    lm, pairs = make_planted(), PAIRS
    without = labelled_tree(lm.encoder.plain, pairs, 0.25, 3)
    labelled = labelled_tree(
        lm.encoder.plain, pairs, 0.25, 3, subjects=subjects, subject_contexts=NOUNS
    )
    about = labelled.roles == SUBJECT
    assert about.sum() > 0
    assert (without.roles != SUBJECT).all()
    # The mean is 0.5.
    values = dict(zip(labelled.pairs[about].tolist(), labelled.values[about].tolist(), strict=True))
    assert list(values) == [23, 24, 25, 26]
    assert np.allclose(list(values.values()), [0.4, -0.4, 0.3, -0.3])
    assert set(labelled.labels[about]) == {-1}
    assert set(labelled.parts[about]) == {2, 3}
    for node, part, number in zip(
        labelled.nodes[about], labelled.parts[about], labelled.pairs[about], strict=True
    ):
        tokens = labelled.tree.tokens[labelled.tree.visible[node]]
        text = lm.tokenizer.decode(tokens, skip_special_tokens=True)
        assert text.endswith(subjects[number - 23][0]) == (part == 2)
        assert subjects[number - 23][0] in text
    words = ~about
    assert np.array_equal(labelled.roles[words], without.roles)
    assert np.array_equal(labelled.values[words], labelled.labels[words] - 0.5)


@pytest.mark.parametrize("word", ["nurse", "active"])
def test_words_that_are_kept_for_measuring(word: str, make_task: Callable[..., Task]) -> None:
    pairs = [*EIGHT, [word, "x"]]
    method = build_method("leace", {"pairs": pairs, "contexts": [SAID]})
    with pytest.raises(EquipoiseError, match=f"'{word}' is a validation subject or a held-out"):
        method.check(make_task())
    build_method("leace", {"pairs": EIGHT, "contexts": [SAID]}).check(make_task())


def test_subjects_that_say_nothing_about_a_share() -> None:
    task = OCCUPATIONS
    assert task.axis is not None
    axis, shares = task.axis, subject_shares(task)
    assert [name for name, _ in shares] == [subject.name for subject in task.train]
    few = replace(task, subjects=(*task.train[:3], *task.validation))
    same = replace(task, axis=replace(axis, shares=dict.fromkeys(axis.shares, 50.0)))
    mute = replace(task, axis=replace(axis, fitted=replace(axis.fitted, contexts={})))
    for useless in (few, same, mute, replace(task, axis=None)):
        with pytest.raises(EquipoiseError) as caught:
            subject_shares(useless)
        assert caught.value.field == "subjects"


def test_too_many_sentences(
    make_planted: Callable[[], LanguageModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.methods.erasure.sentences.MAX_TOKENS", 100)
    with pytest.raises(EquipoiseError, match="tokens, and 100 are the most"):
        labelled_tree(make_planted().encoder.plain, PAIRS, 0.25, 1)
