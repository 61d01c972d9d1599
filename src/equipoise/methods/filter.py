"""Generate and filter: draw from a model until enough completions pass the check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from equipoise.completions.judged_sentence import judge
from equipoise.methods.method import (
    Delivery,
    Policy,
    WeightlessMethod,
    Workspace,
    check_prompt,
)
from equipoise.methods.needs import Work
from equipoise.model.draws import Draw, Sampling
from equipoise.model.model_size import ModelSize
from equipoise.model.protocol import Model
from equipoise.progress import tell
from equipoise.settings import Settings
from equipoise.task.task import Task


class FilterSettings(Settings):
    """Settings of generate-and-filter.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        accept: ``all`` accepts what satisfies the task's whole constraint, word range included;
            ``any`` what has one of its wanted entries and nothing forbidden, of any length: the
            paper's filter.
        max_draws: Most draws of one subject; what is not accepted by then is not delivered.
        init_from: Label of a trained method of the same study whose model is asked; the base model
            if it is not given.
    """

    prompt: str = "neutral"
    accept: Literal["all", "any"] = "all"
    max_draws: Annotated[int, Field(ge=1)] = 2000
    init_from: str | None = None


@dataclass(frozen=True)
class FilteredPolicy(Policy):
    """A model, untuned or another method's, of which only accepted completions are delivered.

    Attributes:
        settings: What is accepted, and how long it is tried.
    """

    settings: FilterSettings = field(kw_only=True)

    def accepts(self, subject: str, draw: Draw) -> bool:
        """Whether a draw is delivered."""
        if not draw.answered:
            return False
        prefix = self.task.response_prefix(subject)
        judged = judge(draw.behind(prefix), prefix, subject)
        verdict = self.task.constraint.check(judged.text)
        if self.settings.accept == "all":
            return verdict.satisfied
        return verdict.any and not verdict.forbidden

    def deliver(
        self,
        label: str,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
    ) -> Delivery:
        """See ``Policy.deliver``: the first ``n`` accepted draws, or as many as there are."""
        draws: list[list[Draw]] = [[] for _ in subjects]
        accepted: list[list[bool]] = [[] for _ in subjects]
        total = n * len(subjects)
        tell("filtering", 0, total)
        for round_ in range(self.settings.max_draws):
            counts = [self._still_to_draw(flags, n) for flags in accepted]
            if not any(counts):
                break
            of_round = int(np.random.SeedSequence([seed, round_]).generate_state(1)[0])
            found = self.sample(subjects, counts, sampling, of_round)
            for index, new in enumerate(found):
                draws[index] += new
                accepted[index] += [self.accepts(subjects[index], draw) for draw in new]
            tell("filtering", sum(min(n, sum(flags)) for flags in accepted), total)
        every = self.frame(label, subjects, draws, seed)
        flags = [np.array(of_subject, dtype=bool) for of_subject in accepted]
        every["accepted"] = np.concatenate(flags)
        every["delivered"] = np.concatenate([f & (np.cumsum(f) <= n) for f in flags])
        completions = every[every["delivered"]].drop(columns=["accepted", "delivered"])
        return Delivery(completions.reset_index(drop=True), every)

    def _still_to_draw(self, flags: Sequence[bool], n: int) -> int:
        """Draws of a subject in the next round: what its acceptance so far lets one expect."""
        missing, left = n - sum(flags), self.settings.max_draws - len(flags)
        if missing <= 0 or left <= 0:
            return 0
        rate = (sum(flags) + 1) / (len(flags) + 2) if flags else 1.0
        return min(left, math.ceil(missing / rate))


class Filter(WeightlessMethod[FilterSettings]):
    """Generate-and-filter, the protocol's post-hoc control."""

    name = "filter"
    summary = "the untuned model, of which only accepted completions are delivered"
    control = "post-hoc"
    settings_model = FilterSettings

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: at worst, all draws are spent."""
        return Work(draws=self.settings.max_draws)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""
        return FilteredPolicy(lm, task, self.settings.prompt, settings=self.settings)
