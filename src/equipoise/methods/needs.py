"""What a method needs, said by itself before anything is loaded: work, and memory.

A plan (``equipoise plan``) adds what every cell needs: the model, gradients and moments of what is
trained, activations, keys and values. A method only says what nobody else can know: what it trains
on, and what it holds beside the model. Both follow from task, settings, and a model's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.model.draws import Question, Sampling
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence
from equipoise.task.task import Task
from equipoise.training.training_settings import TrainingSettings

TOKENS_PER_WORD = 1.3
"""Of English, in vocabularies of 50,000 and more; what ends the sentence included."""

CACHE_ROOM = 24
"""Tokens by which a row of the key-value cache grows."""

Sequences = tuple[TokenSequence, ...]
"""What one training example consists of: one sequence, or a pair of them."""


@dataclass(frozen=True)
class Training:
    """What one cell learns from by gradients.

    Attributes:
        examples: All examples, in any order.
        per_update: Examples to an update of the weights.
        per_batch: Examples computed at a time; the largest batch decides about memory.
        lora_rank: Rank of the adapters, if these are trained and not all weights.
        usual_length: Length of the usual example, relative to those given (0-1): memory must do for
            long ones, time is spent on usual ones.
        scorings: Times that all examples are computed without gradients, such as 1 for the
            log-probabilities of a frozen reference.
        drawings: Times that the targets of all examples are drawn from the model.
    """

    examples: Sequence[Sequences]
    per_update: int
    per_batch: int
    lora_rank: int | None = None
    usual_length: float = 1.0
    scorings: float = 0.0
    drawings: float = 0.0

    @classmethod
    def of(
        cls, settings: TrainingSettings, examples: Sequence[Sequences], *, scorings: float = 0.0
    ) -> Training:
        """Training on ``examples`` as ``settings`` say."""
        rank = settings.lora_rank if settings.lora else None
        return cls(examples, settings.effective_batch, settings.batch_size, rank, scorings=scorings)


@dataclass(frozen=True)
class Work:
    """What one cell of a method computes, beside drawing what is wanted once.

    Attributes:
        training: What it learns from by gradients; None for what is not trained, or by other means.
        draws_each: Completions drawn for each one that is wanted.
        draws: Most completions drawn of a subject, where that does not depend on how many are
            wanted; it then takes the place of ``draws_each``.
        drawn_once: Completions drawn to learn from, once for all seeds.
        scored_each: Completions whose log-probability the model computes, at most, for each one
            that is wanted.
        passes: Passes of a model for each token drawn: 3 where two more of its size read along.
    """

    training: Training | None = None
    draws_each: int = 1
    draws: int | None = None
    drawn_once: int = 0
    scored_each: int = 0
    passes: int = 1


@dataclass(frozen=True)
class Holding:
    """Bytes that a method holds beside the model, what trains it, and what draws from it.

    Attributes:
        fitting: While it is fitted: further models, tables, a cache to draw from.
        drawing: While completions are drawn.
    """

    fitting: int = 0
    drawing: int = 0


def expected_tokens(task: Task, sampling: Sampling) -> int:
    """Tokens of a completion in the middle of the task's range of words."""
    fewest, most = task.constraint.words
    return min(sampling.max_new_tokens, round(TOKENS_PER_WORD * (fewest + most) / 2))


def drawing_bytes(
    questions: Sequence[Question], size: ModelSize, sampling: Sampling, rows: int | None = None
) -> int:
    """Bytes that drawing takes beside weights: keys and values of all rows, and logits.

    One row that reaches ``max_new_tokens`` decides how wide all are.

    Args:
        questions: All that is asked.
        size: The model.
        sampling: How completions are drawn.
        rows: Completions drawn at a time; by default those of a batch of ``sampling``.
    """
    rows = sampling.batch_size if rows is None else rows
    prompts = [size.encoder.context(one.prompt, one.prefix, one.earlier) for one in questions]
    longest = max(map(len, prompts))
    new = CACHE_ROOM * -(-sampling.max_new_tokens // CACHE_ROOM)
    cache = (rows * (longest + new) + len(prompts) * longest) * size.kv_bytes_per_token
    return int(cache + rows * size.vocabulary * (2 + 4 + 4))
