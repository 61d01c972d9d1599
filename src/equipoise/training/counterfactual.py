"""Supervised fine-tuning beside counterfactual contexts, as an objective."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence, sequence_log_probabilities
from equipoise.model.scoring import word_after
from equipoise.task.counterfactual import Counterfactual
from equipoise.training.objective import Loss, MicroBatch, Objective

Pairs = tuple[tuple[TokenSequence, TokenSequence], ...]
"""Both words of each pair after one context."""


@dataclass(frozen=True)
class AccompaniedAnswer:
    """An answer to learn, and the counterfactual contexts that are learnt in the same update.

    Attributes:
        answer: Context and answer.
        contexts: Of each counterfactual context, its pairs.
    """

    answer: TokenSequence
    contexts: tuple[Pairs, ...] = ()


@dataclass
class CounterfactualObjective(Objective[AccompaniedAnswer]):
    """Cross-entropy of answers, and of both words of each pair after counterfactual contexts.

    The loss is the mean over target tokens of the answers, in nats, plus ``weight`` times the mean
    over contexts of ``-(log p(word) + log p(counterpart)) / 2``, itself a mean over the context's
    pairs. The latter is least where the two are equally likely and nothing else is. Metrics:
    ``answers`` and ``counterfactual``, the two means; ``log_odds``, the mean over contexts of the
    pairs' mean ``|log p(word) - log p(counterpart)|``, in nats.

    Attributes:
        weight: Of the counterfactual part.
    """

    unit: ClassVar[str] = "accompanied answers"

    weight: float = 1.0

    def sequences(self, example: AccompaniedAnswer) -> tuple[TokenSequence, ...]:
        """See ``Objective``: the answer, then word and counterpart of each pair."""
        words = (word for pairs in example.contexts for pair in pairs for word in pair)
        return (example.answer, *words)

    def counts(self, examples: Sequence[AccompaniedAnswer]) -> tuple[int, ...]:
        """See ``Objective``: target tokens of the answers, and contexts."""
        tokens = sum(len(e.answer.tokens) - e.answer.start for e in examples)
        return tokens, sum(len(e.contexts) for e in examples)

    def loss(
        self, model: Any, batch: MicroBatch[AccompaniedAnswer], counts: Sequence[float]
    ) -> Loss:
        """See ``Objective``."""
        n_tokens, n_contexts = counts
        found = sequence_log_probabilities(model, batch.tree)
        answers, words, odds = found.new_zeros(()), found.new_zeros(()), 0.0
        position = 0
        for example in batch.examples:
            answers = answers - found[position]
            position += 1
            for pairs in example.contexts:
                both = found[position : position + 2 * len(pairs)].view(-1, 2)
                position += 2 * len(pairs)
                words = words - both.mean()
                odds += float((both[:, 0] - both[:, 1]).detach().abs().mean())
        value = answers / n_tokens
        metrics = {"answers": float(value.detach())}
        if n_contexts:
            value = value + self.weight * words / n_contexts
            metrics["counterfactual"] = float(words.detach()) / n_contexts
            metrics["log_odds"] = odds / n_contexts
        return Loss(value, metrics)


def accompany(
    answers: Sequence[TokenSequence], contexts: Sequence[Pairs]
) -> list[AccompaniedAnswer]:
    """``answers``, each with as many of the ``contexts`` as the others, in order."""
    each = len(contexts) // len(answers)
    return [
        AccompaniedAnswer(answer, tuple(contexts[i * each : (i + 1) * each]))
        for i, answer in enumerate(answers)
    ]


def counterfactual_pairs(lm: LanguageModel, contexts: Iterable[Counterfactual]) -> list[Pairs]:
    """The pairs of each context as tokens of ``lm``: plain text, the words to be learnt."""
    return [
        tuple(
            (word_after(lm, c.context, one), word_after(lm, c.context, other))
            for one, other in c.pairs
        )
        for c in contexts
    ]
