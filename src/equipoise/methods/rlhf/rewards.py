"""What a completion is worth: by the constraint itself, or by a model of preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from equipoise.training.reward_model import rewards_of


class Reward(Protocol):
    """Judges first sentences."""

    def __call__(self, subjects: Sequence[str], sentences: Sequence[str]) -> list[float]:
        """The reward of each of ``sentences``, which is about the subject beside it."""


@dataclass(frozen=True)
class ConstraintReward:
    """The share (0-1) of the constraint's clauses that a sentence satisfies: verifiable."""

    task: Task

    def __call__(self, subjects: Sequence[str], sentences: Sequence[str]) -> list[float]:
        """See ``Reward``."""
        return [self.task.constraint.share_satisfied(sentence) for sentence in sentences]


@dataclass(frozen=True)
class ModelReward:
    """What a reward model says, in standard deviations of its rewards on the training pairs.

    Attributes:
        lm: The reward model.
        task: Its prompts and prefixes.
        prompt: The kind of prompt.
        mean: Of the rewards of all training answers, chosen and rejected.
        deviation: Their standard deviation, above 0.
    """

    lm: LanguageModel
    task: Task
    prompt: str
    mean: float
    deviation: float

    def __call__(self, subjects: Sequence[str], sentences: Sequence[str]) -> list[float]:
        """See ``Reward``; what does not begin as asked is judged as a whole answer."""
        answers = []
        for subject, sentence in zip(subjects, sentences, strict=True):
            prefix = self.task.response_prefix(subject)
            start = prefix if sentence.startswith(prefix) else ""
            answers.append(self.lm.answer(self.task.prompt(subject, self.prompt), start, sentence))
        rewards = rewards_of(self.lm, answers)
        return [float(reward) for reward in (rewards - self.mean) / self.deviation]
