"""Pairs of unseen words, templates and subjects, and how likely a model finds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
import torch

from equipoise.measures.held_out_preference import PAIRS, preference_table, unseen_pairs
from equipoise.model.language_model import LanguageModel
from equipoise.task.lexicon import TermMatcher, count_words
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.task.template_matcher import TemplateMatcher


@pytest.mark.parametrize("name", ["occupations", "age"])
def test_no_pair_has_anything_that_was_learnt(name: str) -> None:
    task = load_task(name)
    pairs = unseen_pairs(task)
    assert Counter(pair.subject for pair in pairs) == {s.name: PAIRS for s in task.validation}
    assert len(set(Counter(pair.kind for pair in pairs).values())) == 1  # as many of each kind
    listed = TermMatcher(t for lexicon in task.lexicons.values() for t in lexicon.listed)
    trained = TemplateMatcher(replace(task, templates=tuple(task.training_templates.values())))
    for pair in pairs:
        balanced, one_sided = pair.chosen.text, pair.rejected
        assert task.constraint.check(balanced, "held_out").satisfied
        assert task.constraint.check(one_sided, "held_out").label == pair.kind
        assert count_words(balanced) == count_words(one_sided)
        for text in (balanced, one_sided):
            assert not listed.find(text)
            assert not trained.matches(text, pair.subject)
    assert pairs == unseen_pairs(task)


def test_a_task_that_holds_nothing_out_has_no_pairs(occupations: Task) -> None:
    every = tuple(replace(one, held_out=False) for one in occupations.templates)
    assert unseen_pairs(replace(occupations, templates=every)) == []
    assert unseen_pairs(replace(occupations, subjects=occupations.train)) == []
    sets = {name: replace(one, held_out=()) for name, one in occupations.lexicons.items()}
    assert unseen_pairs(replace(occupations, lexicons=sets)) == []
    one_set = replace(occupations.constraint, all_of=("{agentic}",))
    assert unseen_pairs(replace(occupations, constraint=one_set)) == []


def test_it_is_the_log_probability_a_token_one_sentence_at_a_time(
    occupations: Task, tiny_lm: LanguageModel
) -> None:
    few = replace(occupations, subjects=(*occupations.train, occupations.subject("plumber")))
    table = preference_table(tiny_lm, few, unseen_pairs(few))
    assert table is not None
    assert len(table) == PAIRS
    for row in table.head(5).to_dict("records"):
        for side in ("balanced", "one_sided"):
            subject, text = str(row["subject"]), str(row[side])
            prefix = f"The {subject} was"
            before = tiny_lm.context(few.prompt(subject), prefix)
            whole = tiny_lm.context(few.prompt(subject), text)
            assert whole[: len(before)] == before
            with torch.inference_mode():
                logits = tiny_lm.model(input_ids=torch.tensor([whole])).logits[0].double()
            steps = range(len(before), len(whole))
            said = [float(logits[at - 1].log_softmax(-1)[whole[at]]) for at in steps]
            assert row[f"log_probability_{side}"] == pytest.approx(sum(said) / len(said), abs=1e-4)
    pd.testing.assert_frame_equal(table, preference_table(tiny_lm, few, unseen_pairs(few)))
