"""Settings of RLHF: its reward, its rollouts, and policy optimisation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from equipoise.methods.rlhf.judge import JudgeSettings


class RLHFSettings(JudgeSettings):
    """Settings of RLHF: those of its reward, and of policy optimisation.

    Attributes:
        learning_rate: Highest one, reached after the warm-up; it then falls linearly to 0.
        batch_size: Together with ``grad_accum_steps`` and ``epochs`` it says how many updates SFT
            would make; see ``iterations``.
        reward: ``constraint``: the share of its clauses that a completion satisfies; ``model``: a
            reward model.
        advantage: ``rloo``: a reward less the mean of its siblings'; ``grpo``: that in standard
            deviations of the prompt's rewards.
        explore: ``listed``: in the first iterations completions are drawn from a prompt that names
            every listed term, and trained for the one that does not; ``none``: never.
        explore_iterations: How many iterations that are; by default half of all.
        iterations: Times that completions are drawn; by default as many as SFT with these epochs
            and batches would make updates.
        completions_per_prompt: Completions drawn of each training subject an iteration.
        updates_per_iteration: Updates made on them.
        clip: How far the probability ratio of a completion may move from 1 in one iteration.
        kl_coefficient: Penalty on the KL to the starting policy, in rewards a nat.
        max_kl: Nats a completion at which training is given up.
        rollout_batch_size: Completions computed at a time. Bounds memory; the result does not
            depend on it.
        max_completion_tokens: Length at which a completion is cut while learning.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 2e-5
    reward: Literal["constraint", "model"] = "constraint"
    advantage: Literal["rloo", "grpo"] = "rloo"
    explore: Literal["none", "listed"] = "none"
    explore_iterations: Annotated[int, Field(ge=1)] | None = None
    iterations: Annotated[int, Field(ge=1)] | None = None
    completions_per_prompt: Annotated[int, Field(ge=2)] = 8
    updates_per_iteration: Annotated[int, Field(ge=1)] = 1
    clip: Annotated[float, Field(gt=0, lt=1)] = 0.2
    kl_coefficient: Annotated[float, Field(ge=0)] = 0.05
    max_kl: Annotated[float, Field(gt=0)] = 100.0
    rollout_batch_size: Annotated[int, Field(ge=1)] = 40
    max_completion_tokens: Annotated[int, Field(ge=1, le=1000)] = 40

    @model_validator(mode="after")
    def _exploring_has_a_length(self) -> RLHFSettings:
        if self.explore_iterations is not None and self.explore == "none":
            raise ValueError("explore_iterations has no meaning with explore = 'none'")
        return self
