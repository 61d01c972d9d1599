"""Reinforcement learning from human feedback (RLHF), its feedback being the task's constraint.

Either a reward model learns preference pairs and judges (Christiano et al. 2017, arXiv 1706.03741;
Ouyang et al. 2022, arXiv 2203.02155), or the constraint itself does. The policy is optimised by
RLOO (Ahmadian et al. 2024, arXiv 2402.14740): REINFORCE with the mean of the other completions of
the same prompt as baseline, a KL penalty to the starting policy, and PPO's clipping; or by GRPO's
advantages (Shao et al. 2024, arXiv 2402.03300).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Holding, Work
from equipoise.methods.rlhf.judge import trained_judge
from equipoise.methods.rlhf.needs import exploring_questions, rollout_memory, rollout_training
from equipoise.methods.rlhf.rewards import ConstraintReward, Reward
from equipoise.methods.rlhf.rlhf_settings import RLHFSettings
from equipoise.methods.rlhf.rollouts import Rollouts
from equipoise.methods.tuning import tune
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.task.request import demands
from equipoise.task.task import Task
from equipoise.training.checkpoint import CheckpointClock
from equipoise.training.losses import group_relative_advantages, leave_one_out_advantages
from equipoise.training.policy_gradient import PolicyObjective
from equipoise.training.processes import several_processes
from equipoise.training.reward_model import check_reward_folder

ADVANTAGES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "rloo": leave_one_out_advantages,
    "grpo": group_relative_advantages,
}
"""What makes advantages [P, K] of rewards [P, K]."""


class RLHF(Method[RLHFSettings]):
    """Learning from rewards of the model's own completions."""

    name = "rlhf"
    summary = "policy optimisation (RLOO, GRPO) on rewards by the constraint or by a reward model"
    control = "reward"
    settings_model = RLHFSettings
    changes_weights = True

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task yields the judge's pairs, and a stored one is one."""
        check_prompt(task, self.settings.prompt)
        self._check_exploring(task)
        folder = self.settings.reward_model
        if self.settings.reward == "model":
            self.settings.check_pairs(task)
            if folder is not None:
                check_reward_folder(Path(folder))
        elif folder is not None:
            raise EquipoiseError(
                "a reward model is named, but the reward is the constraint's",
                field="reward_model",
                hint="Set reward = 'model', or leave it out.",
            )

    def _check_exploring(self, task: Task) -> None:
        if self.settings.explore == "listed" and not demands(task.constraint):
            raise EquipoiseError(
                f"the constraint of task '{task.name}' asks for no word, so none can be told",
                field="explore",
                hint="Leave it out.",
            )
        if (self.settings.explore_iterations or 0) > self.iterations(task):
            raise EquipoiseError(
                f"there are only {self.iterations(task)} iterations",
                field="explore_iterations",
                hint="Set fewer, or more iterations.",
            )

    def explore_iterations(self, task: Task) -> int:
        """Iterations whose completions are drawn from the prompt that names the terms."""
        if self.settings.explore == "none":
            return 0
        return self.settings.explore_iterations or math.ceil(self.iterations(task) / 2)

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``: the pairs of the reward model, if one is trained."""
        return len(task.train) * self.settings.n_per_subject if self._trains_a_judge else 0

    @property
    def _trains_a_judge(self) -> bool:
        return self.settings.reward == "model" and self.settings.reward_model is None

    def iterations(self, task: Task) -> int:
        """Times that completions are drawn."""
        of_sft = self.settings.updates(self.settings.n_per_subject * len(task.train))
        return self.settings.iterations or of_sft

    def updates(self, task: Task) -> int:
        """See ``Method.updates``."""
        return self.iterations(task) * self.settings.updates_per_iteration

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``."""
        return Work(rollout_training(self.settings, task, size, self.iterations(task)))

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``."""
        return rollout_memory(self.settings, task, size)

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: writes the reward model, logs and the tuned model."""
        if several_processes():
            raise EquipoiseError("rlhf trains in one process", hint="Run it without a launcher.")
        settings, every = self.settings, self.settings.updates_per_iteration
        make_folder(workspace.folder)
        reward: Reward = ConstraintReward(task)
        if settings.reward == "model":
            reward = trained_judge(lm, task, settings, seed, workspace)
        clock = CheckpointClock(settings.checkpoint_minutes, every)
        rollouts = self._rollouts(lm, task, reward, seed, clock)
        changed = {"max_steps": self.updates(task), "batch_size": settings.rollout_batch_size}
        tune(
            self,
            lm,
            task,
            seed,
            workspace,
            range(len(task.train)),
            (),
            about={"completions": self.iterations(task) * len(task.train) * rollouts.per_prompt},
            settings=settings.model_copy(update=changed),
            objective=PolicyObjective(rollouts, every, settings.clip),
            update_size=len(task.train),
            clock=clock,
        )
        return Policy(lm, task, settings.prompt, knows_constraint=True)

    def _rollouts(
        self, lm: LanguageModel, task: Task, reward: Reward, seed: int, clock: CheckpointClock
    ) -> Rollouts:
        settings: Any = self.settings
        subjects = [subject.name for subject in task.train]
        exploring = lm.prompts(exploring_questions(settings, task, subjects))
        return Rollouts(
            lm,
            task,
            subjects,
            lm.prompts(Policy(lm, task, settings.prompt).questions(subjects)),
            reward,
            settings.completions_per_prompt,
            settings.max_completion_tokens,
            settings.kl_coefficient,
            settings.max_kl,
            seed,
            settings.rollout_batch_size,
            clock,
            adapters=settings.lora,
            advantages=ADVANTAGES[settings.advantage],
            exploring=exploring,
            explore_iterations=self.explore_iterations(task),
        )
