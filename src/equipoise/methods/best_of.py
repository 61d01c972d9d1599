"""Best of n: draw several completions for each that is wanted, deliver the one a score likes best.

The score looks at the constraint first, and at the model's own log-probability where that leaves
several equally good. As it chooses among n draws, the policy's divergence from the model is at most
log n − (n − 1) / n nats (Beirami et al. 2024, arXiv 2401.01879, theorem 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

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
from equipoise.model.draws import Draw, Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.protocol import Model
from equipoise.model.scoring import log_probabilities
from equipoise.progress import counting
from equipoise.settings import Settings
from equipoise.task.task import Task

NOTHING = -1.0
"""Score of a draw that says nothing: below that of a text which satisfies no clause."""


class BestOfSettings(Settings):
    """Settings of best-of.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        draws: Completions drawn for each one that is delivered; with 1 it is ``prompt``.
        init_from: Label of a trained method of the same study whose model is asked; the base model
            if it is not given.
    """

    prompt: str = "neutral"
    draws: Annotated[int, Field(ge=1, le=10_000)] = 8
    init_from: str | None = None


@dataclass(frozen=True)
class BestPolicy(Policy):
    """A model of whose completions the best of each group is delivered.

    Attributes:
        group: Completions in a group.
    """

    group: int = field(kw_only=True)

    def deliver(
        self,
        label: str,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
    ) -> Delivery:
        """See ``Policy.deliver``: of each group of draws the best, if any says something."""
        if self.group == 1:
            return super().deliver(label, subjects, n, sampling, seed)
        more = n * self.group
        on_drawn = counting("sampling", more * len(subjects))
        on_drawn(0)
        draws = self.draw(subjects, more, sampling, seed, on_drawn)
        accepted = [
            self.best(question, found)
            for question, found in zip(self.questions(subjects), draws, strict=True)
        ]
        return self.delivery(label, subjects, draws, accepted, n, seed)

    def reply(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Draw]:
        """See ``Policy.reply``: of each group of answers the best."""
        draws = super().reply(question, n * self.group, sampling, seed)
        chosen = self.best(self.worded(question), draws)
        return [draw for draw, taken in zip(draws, chosen, strict=True) if taken]

    def best(self, question: Question, draws: Sequence[Draw]) -> list[bool]:
        """Which of the ``draws`` that answer ``question`` are the best of their group.

        Of equally good ones it is the first, where the model gives no log-probabilities.
        """
        shares = [self.satisfied(question, draw) for draw in draws]
        starts = range(0, len(draws), self.group)
        groups = [range(start, min(start + self.group, len(draws))) for start in starts]
        leading = [[i for i in g if shares[i] == max(shares[j] for j in g)] for g in groups]
        tied = [i for leaders in leading if len(leaders) > 1 for i in leaders if shares[i] >= 0]
        weights = self.lm.weights
        likely = {} if weights is None else self._likelihoods(weights, question, draws, tied)
        chosen = {max(leaders, key=lambda i: likely.get(i, 0.0)) for leaders in leading}
        return [i in chosen and shares[i] >= 0 for i in range(len(draws))]

    def satisfied(self, question: Question, draw: Draw) -> float:
        """The share (0-1) of the constraint's clauses that the judged sentence of a draw meets."""
        if not draw.answered:
            return NOTHING
        judged = judge(draw.behind(question.prefix), question.prefix, question.subject)
        return self.task.constraint.share_satisfied(judged.text)

    def _likelihoods(
        self, lm: LanguageModel, question: Question, draws: Sequence[Draw], wanted: Sequence[int]
    ) -> dict[int, float]:
        """Mean log-probability a token, in nats, of each of the ``wanted`` draws.

        It is the model's own, at temperature 1 and without a nucleus, whatever was drawn with.
        """
        [prompt] = lm.prompts([question])
        context = prompt.context
        sequences = [TokenSequence((*context, *draws[i].ids), len(context)) for i in wanted]
        totals = log_probabilities(lm, sequences).tolist()
        return {i: total / len(draws[i].ids) for i, total in zip(wanted, totals, strict=True)}


class BestOf(WeightlessMethod[BestOfSettings]):
    """Best-of-n sampling (Nakano et al. 2021, arXiv 2112.09332, section 3.2)."""

    name = "best-of"
    summary = "of several completions, the one that satisfies most of the constraint"
    control = "post-hoc"
    settings_model = BestOfSettings

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: every candidate is drawn, and at worst every one is scored."""
        draws = self.settings.draws
        return Work(draws_each=draws, scored_each=draws if draws > 1 else 0)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""
        draws = self.settings.draws
        return BestPolicy(lm, task, self.settings.prompt, knows_constraint=draws > 1, group=draws)
