"""Completions of the policy in training, with rewards, KL penalty and advantages."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.rlhf.rewards import Reward
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import log_probabilities
from equipoise.task.sentence import first_sentence
from equipoise.task.task import Task
from equipoise.training.checkpoint import CheckpointClock
from equipoise.training.drawing_copy import DrawingCopy
from equipoise.training.losses import leave_one_out_advantages
from equipoise.training.policy_gradient import Rollout


@dataclass
class Rollouts:
    """Draws what an iteration of policy optimisation learns from.

    Completions are drawn from the policy itself: temperature 1 and no nucleus, whatever the study
    samples with, since the gradient is an expectation over the policy's own distribution.

    Attributes:
        lm: The model before training; it becomes the reference unless adapters are trained, which
            are switched off for the reference.
        task: Whose constraint tells what is balanced.
        subjects: What the prompts are about.
        prompts: What completions continue, a prompt a subject.
        reward: Judges them.
        per_prompt: Completions of each prompt, at least 2.
        max_new_tokens: Length at which a completion is cut.
        kl_coefficient: The penalty on log p - log p_ref, in rewards a nat.
        max_kl: Mean of that in nats a completion beyond which training stops.
        seed: Of the draws.
        batch_size: Completions scored at a time: as many as are trained on at a time, so that both
            computations round alike and ratios start at exactly 1.
        clock: Asked for a checkpoint before the KL gets out of hand.
        adapters: Whether the model is trained through adapters.
        advantages: Of rewards [P, K], see ``training.losses``.
        exploring: Other prompts about the same subjects, from which completions are drawn first.
        explore_iterations: How many iterations draw from those.
    """

    lm: LanguageModel
    task: Task
    subjects: Sequence[str]
    prompts: Sequence[Prompt]
    reward: Reward
    per_prompt: int
    max_new_tokens: int
    kl_coefficient: float
    max_kl: float
    seed: int
    batch_size: int
    clock: CheckpointClock
    adapters: bool = False
    advantages: Callable[[torch.Tensor], torch.Tensor] = leave_one_out_advantages
    exploring: Sequence[Prompt] = ()
    explore_iterations: int = 0
    _drawing: DrawingCopy = field(init=False)
    _reference: LanguageModel | None = field(default=None, init=False)
    _warned: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._drawing = DrawingCopy(self.lm, adapters=self.adapters)
        if not self.adapters:
            self._reference = replace(self.lm, model=copy.deepcopy(self.lm.model))
            self._reference.model.requires_grad_(False)

    def __call__(self, model: Any, iteration: int) -> list[Rollout]:
        """The rollouts of one iteration, prompt by prompt.

        Raises:
            EquipoiseError: A reward is no number, or the policy has left the reference too far.
        """
        was_training = model.training
        model.eval()
        sequences, sentences = self._draw(model, iteration)
        now = replace(self.lm, model=model)
        old = log_probabilities(now, sequences, self.batch_size)
        with self._reference_of(now) as reference:
            references = log_probabilities(reference, sequences, self.batch_size)
        model.train(was_training)
        owners = [subject for subject in self.subjects for _ in range(self.per_prompt)]
        rewards = self._rewards(owners, sentences)
        self._watch(float((old - references).mean()), iteration)
        advantages = self._advantages(rewards, old - references, iteration)
        return [
            Rollout(
                sequences[i],
                float(old[i]),
                float(references[i]),
                float(rewards[i]),
                float(advantages[i]),
                self.task.constraint.check(sentences[i]).balanced,
            )
            for i in range(len(sequences))
        ]

    def _draw(self, model: Any, iteration: int) -> tuple[list[TokenSequence], list[str]]:
        """Completions of all prompts in turn, as tokens and as the sentences to be judged.

        Whatever prompt they were drawn from, the tokens stand behind the one they are trained for.
        """
        sampling = Sampling(top_p=1.0, max_new_tokens=self.max_new_tokens)
        counts = [self.per_prompt] * len(self.prompts)
        policy = self._drawing.of(model)
        asked = self.exploring if iteration < self.explore_iterations else self.prompts
        with policy.autocast():
            draws = sample(policy, asked, counts, sampling, self._seed(iteration))
        sequences, sentences = [], []
        for prompt, drawn in zip(self.prompts, draws, strict=True):
            for draw in drawn:
                tokens = (*prompt.context, *draw.ids)
                sequences.append(TokenSequence(tokens, len(prompt.context)))
                sentences.append(first_sentence(prompt.prefix + draw.text).text)
        return sequences, sentences

    def _advantages(
        self, rewards: torch.Tensor, log_ratios: torch.Tensor, iteration: int
    ) -> torch.Tensor:
        """Of the rewards, and of the KL penalty by leaving one out: [P * K].

        What another prompt made the policy say is imitated where it was better, and never pushed
        away: it is not what the policy says, and its likelihood has no lower bound to stop at.
        """
        penalties = -self.kl_coefficient * log_ratios.view(-1, self.per_prompt)
        of_rewards = self.advantages(rewards.view(-1, self.per_prompt))
        advantages = (of_rewards + leave_one_out_advantages(penalties)).flatten()
        return advantages.clamp(min=0) if iteration < self.explore_iterations else advantages

    def _seed(self, iteration: int) -> int:
        """Another one each iteration; the same after resuming."""
        return (self.seed * 1_000_003 + iteration + 1) % 2**63

    @contextlib.contextmanager
    def _reference_of(self, now: LanguageModel) -> Iterator[LanguageModel]:
        if self._reference is not None:
            yield self._reference
        else:
            with now.model.disable_adapter():
                yield now

    def _rewards(self, subjects: Sequence[str], sentences: Sequence[str]) -> torch.Tensor:
        rewards = self.reward(subjects, sentences)
        for sentence, reward in zip(sentences, rewards, strict=True):
            if not math.isfinite(reward):
                raise EquipoiseError(
                    f"the reward of {sentence[:80]!r} is {reward}",
                    field="reward",
                    hint="Train the reward model with a smaller reward_learning_rate.",
                )
        return torch.tensor(rewards)

    def _watch(self, kl: float, iteration: int) -> None:
        """Ask for a checkpoint while the policy is still near, and stop when it is not."""
        if not kl <= self.max_kl:
            raise EquipoiseError(
                f"the KL to the starting policy became {kl:.1f} nats a completion at iteration "
                f"{iteration}, more than max_kl = {self.max_kl:g}; the last checkpoint is kept",
                field="max_kl",
                hint="Set a larger kl_coefficient or a smaller learning_rate.",
            )
        if kl > self.max_kl / 2 and not self._warned:
            self._warned = self.clock.wanted = True
