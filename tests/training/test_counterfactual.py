"""The counterfactual objective: by hand, its twin of one sequence a row, and where it is least."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.task.counterfactual import Counterfactual
from equipoise.training.counterfactual import (
    AccompaniedAnswer,
    CounterfactualObjective,
    accompany,
    counterfactual_pairs,
)
from equipoise.training.objective import TreeCollator
from training.twins import negative_log_likelihoods

CONTEXTS = (
    Counterfactual("doctor", "pronouns", "The doctor said that", (("he", "she"),)),
    Counterfactual("pilot", "names", "The pilot is", (("John", "Mary"), ("David", "Linda"))),
    Counterfactual("nurse", "pronouns", "The nurse said that", (("he", "she"),)),
    Counterfactual("chef", "nouns", "The chef is a", (("man", "woman"),)),
)


def examples(lm: LanguageModel, each: int = 2) -> list[AccompaniedAnswer]:
    """Two answers of different lengths, with ``each`` contexts."""
    answers = [
        lm.answer("Describe a doctor.", "The doctor was", "The doctor was bold and kind."),
        lm.answer("Describe a pilot.", "The pilot was", "The pilot was caring."),
    ]
    return accompany(answers, counterfactual_pairs(lm, CONTEXTS[: 2 * each]))


def test_loss_and_gradients_equal_the_plain_path(
    fresh_tiny_lm: Callable[[], LanguageModel],
) -> None:
    fast, slow = fresh_tiny_lm(), fresh_tiny_lm()
    batch = examples(fast)
    objective = CounterfactualObjective(weight=0.7)
    counts = objective.counts(batch)
    assert counts == (sum(len(e.answer.tokens) - e.answer.start for e in batch), 4)
    found = objective.loss(fast.model, TreeCollator(objective, micro_batch=2).batch(batch), counts)

    def likelihood(sequence: TokenSequence) -> torch.Tensor:
        return -negative_log_likelihoods(slow.model, sequence).sum()

    answers = -sum(likelihood(example.answer) for example in batch) / counts[0]
    words = [
        torch.stack([(likelihood(one) + likelihood(other)) / 2 for one, other in pairs]).mean()
        for example in batch
        for pairs in example.contexts
    ]
    expected = answers - 0.7 * torch.stack(words).mean()
    torch.testing.assert_close(found.value, expected, rtol=1e-5, atol=1e-6)
    found.value.backward()
    expected.backward()
    for one, other in zip(fast.model.parameters(), slow.model.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)
    assert found.metrics["answers"] == pytest.approx(answers.item(), rel=1e-5)
    assert found.metrics["counterfactual"] == pytest.approx(
        -torch.stack(words).mean().item(), rel=1e-5
    )


def test_parts_of_an_update_add_up(tiny_lm: LanguageModel) -> None:
    batch = examples(tiny_lm)
    objective = CounterfactualObjective()
    counts, collator = objective.counts(batch), TreeCollator(objective, micro_batch=1)
    with torch.no_grad():
        parts = [objective.loss(tiny_lm.model, part, counts) for part in collator.pack(batch)]
        whole = objective.loss(tiny_lm.model, collator.batch(batch), counts)
    assert len(parts) == 2
    torch.testing.assert_close(sum(part.value for part in parts), whole.value)
    for name, value in whole.metrics.items():
        assert sum(part.metrics[name] for part in parts) == pytest.approx(value, rel=1e-5)


def test_without_contexts_it_is_the_loss_of_the_answers(tiny_lm: LanguageModel) -> None:
    batch = [AccompaniedAnswer(example.answer) for example in examples(tiny_lm)]
    objective = CounterfactualObjective()
    with torch.no_grad():
        loss = objective.loss(
            tiny_lm.model,
            TreeCollator(objective, micro_batch=2).batch(batch),
            objective.counts(batch),
        )
    expected = torch.cat([negative_log_likelihoods(tiny_lm.model, e.answer) for e in batch]).mean()
    torch.testing.assert_close(loss.value, expected.detach(), rtol=1e-5, atol=1e-6)
    assert set(loss.metrics) == {"answers"}


def test_it_is_least_where_both_words_are_equally_likely(
    fresh_tiny_lm: Callable[[], LanguageModel],
) -> None:
    """With p of one word and 1 - p of the other, -(log p + log (1 - p)) / 2 >= log 2."""
    lm = fresh_tiny_lm()
    [example] = accompany([examples(lm)[0].answer], counterfactual_pairs(lm, CONTEXTS[:1]))
    objective = CounterfactualObjective(weight=1.0)
    optimizer = torch.optim.Adam(lm.model.parameters(), lr=5e-3)
    found = {}
    for _ in range(80):
        batch = TreeCollator(objective, micro_batch=1).batch([example])
        loss = objective.loss(lm.model, batch, objective.counts([example]))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        found = loss.metrics
    assert found["counterfactual"] == pytest.approx(0.6931, abs=0.05)
    assert found["log_odds"] < 0.2


def test_contexts_are_dealt_in_order(tiny_lm: LanguageModel) -> None:
    pairs = counterfactual_pairs(tiny_lm, CONTEXTS)
    answers = [example.answer for example in examples(tiny_lm)]
    first, second = accompany(answers, pairs)
    assert (*first.contexts, *second.contexts) == tuple(pairs)
    assert [len(e.contexts) for e in accompany(answers, [])] == [0, 0]
    one, other = pairs[0][0]
    assert tiny_lm.tokenizer.decode(one.tokens[one.start :]).strip() == "he"
    assert tiny_lm.tokenizer.decode(other.tokens[other.start :]).strip() == "she"
    assert one.tokens[: one.start] == other.tokens[: other.start]
