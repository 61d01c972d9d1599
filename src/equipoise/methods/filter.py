"""Generate and filter: draw from a model until enough completions pass the check."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from equipoise.completions.judged_sentence import judge
from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.asking import ASKING, default_asking
from equipoise.methods.method import (
    Delivery,
    Method,
    Policy,
    WeightlessMethod,
    Workspace,
    check_prompt,
)
from equipoise.methods.needs import Holding, Work
from equipoise.methods.prompt import Prompting, PromptSettings
from equipoise.model.draws import Draw, Question, Sampling
from equipoise.model.model_size import ModelSize
from equipoise.model.protocol import Model
from equipoise.progress import tell
from equipoise.settings import Settings
from equipoise.task.constraint import Accept
from equipoise.task.task import Task


class FilterSettings(Settings):
    """Settings of generate-and-filter.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        ask: How the model is asked, in place of ``prompt``: label of a prompting method of the same
            study, or the name of one, which then asks as it does by default.
        accept: ``all`` accepts what satisfies the task's whole constraint, word range included;
            ``any`` what has one of its wanted entries and nothing forbidden, of any length: the
            paper's filter.
        max_draws: Most draws of one subject; what is not accepted by then is not delivered.
        init_from: Label of a trained method of the same study whose model is asked; the base model
            if it is not given.
    """

    prompt: str = "neutral"
    ask: str | None = None
    accept: Accept = "all"
    max_draws: Annotated[int, Field(ge=1)] = 2000
    init_from: str | None = None


@dataclass(frozen=True)
class FilteredPolicy(Policy):
    """A model, untuned or another method's, of which only accepted completions are delivered.

    Attributes:
        asked: What is drawn from.
        settings: What is accepted, and how long it is tried.
    """

    asked: Policy = field(kw_only=True)
    settings: FilterSettings = field(kw_only=True)

    def accepts(self, question: Question, draw: Draw) -> bool:
        """Whether a draw is delivered."""
        if not draw.answered:
            return False
        judged = judge(draw.behind(question.prefix), question.prefix, question.subject)
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
        questions = self.questions(subjects)
        draws: list[list[Draw]] = [[] for _ in subjects]
        accepted: list[list[bool]] = [[] for _ in subjects]
        total = n * len(subjects)
        tell("filtering", 0, total)
        for round_ in range(self.settings.max_draws):
            counts = [self._still_to_draw(flags, n) for flags in accepted]
            if not any(counts):
                break
            found = self.asked.sample(subjects, counts, sampling, _seed_of(seed, round_))
            for index, new in enumerate(found):
                draws[index] += new
                accepted[index] += [self.accepts(questions[index], draw) for draw in new]
            tell("filtering", sum(min(n, sum(flags)) for flags in accepted), total)
        return self.delivery(label, subjects, draws, accepted, n, seed)

    def reply(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Draw]:
        """See ``Policy.reply``: the first ``n`` whose first sentence is accepted, or fewer."""
        kept: list[Draw] = []
        flags: list[bool] = []
        for round_ in range(self.settings.max_draws):
            count = self._still_to_draw(flags, n)
            if not count:
                break
            found = self.asked.reply(question, count, sampling, _seed_of(seed, round_))
            flags += [self.accepts(question, draw) for draw in found]
            kept += [draw for draw in found if self.accepts(question, draw)]
        return kept[:n]

    @property
    def longest_reply(self) -> int | None:
        """See ``Policy.longest_reply``: that of what is drawn from."""
        return self.asked.longest_reply

    def _still_to_draw(self, flags: Sequence[bool], n: int) -> int:
        """Draws of a subject in the next round: what its acceptance so far lets one expect."""
        missing, left = n - sum(flags), self.settings.max_draws - len(flags)
        if missing <= 0 or left <= 0:
            return 0
        rate = (sum(flags) + 1) / (len(flags) + 2) if flags else 1.0
        return min(left, math.ceil(missing / rate))


def _seed_of(seed: int, round_: int) -> int:
    """The seed of a round of draws."""
    return int(np.random.SeedSequence([seed, round_]).generate_state(1)[0])


class Filter(WeightlessMethod[FilterSettings]):
    """Generate-and-filter, the protocol's post-hoc control.

    Args:
        settings: Its settings.
        asking: The method that ``ask`` names, where it is one of a study.
        others: Labels of the study, among which ``ask`` is looked for.
    """

    name = "filter"
    summary = "the untuned model, of which only accepted completions are delivered"
    control = "post-hoc"
    settings_model = FilterSettings

    def __init__(
        self,
        settings: FilterSettings,
        asking: Method[Any] | None = None,
        others: Sequence[str] = (),
    ) -> None:
        super().__init__(settings)
        self._named = asking or default_asking(settings.ask or "")
        self._others = others

    def among(self, methods: Mapping[str, Method[Any]]) -> Filter:
        """See ``Method.among``: a label of the study comes before the name of a method."""
        labels = [label for label, method in methods.items() if method.control == "none"]
        return type(self)(self.settings, methods.get(self.settings.ask or ""), labels)

    @property
    def refers_to(self) -> Mapping[str, tuple[str, ...]]:
        """See ``Method.refers_to``: also the one that words the question."""
        asks = {} if self.settings.ask is None else {"ask": (self.settings.ask,)}
        return {**super().refers_to, **asks}

    @property
    def asking(self) -> Method[Any]:
        """The method that words what the model is asked."""
        return self._named or Prompting(PromptSettings(prompt=self.settings.prompt))

    @property
    def prompt(self) -> str:
        """See ``Method.prompt``."""
        return self.asking.prompt

    def check(self, task: Task) -> None:
        """See ``Method.check``: what ``ask`` names must be there, and be able to ask."""
        ask, asking = self.settings.ask, self.asking
        if ask is None:
            check_prompt(task, self.settings.prompt)
            return
        if self._named is None:
            raise EquipoiseError(
                f"there is no prompting method '{ask}'",
                field="ask",
                hint=nearest(ask, [*self._others, *ASKING]),
            )
        if asking.control != "none":
            raise EquipoiseError(
                f"'{ask}' does more than ask",
                field="ask",
                hint=f"Name a prompting method: {', '.join([*self._others, *ASKING])}.",
            )
        if self.settings.prompt != FilterSettings().prompt:
            raise EquipoiseError(
                f"'{ask}' says how the model is asked, and so does a prompt",
                field="prompt",
                hint="Leave one of the two out.",
            )
        if asking.init_from not in (None, self.init_from):
            raise EquipoiseError(
                f"'{ask}' asks the model of '{asking.init_from}'",
                field="ask",
                hint=f'Set init_from = "{asking.init_from}" here too, or ask in another way.',
            )
        asking.check(task)

    def by_construction(self, task: Task) -> bool:
        """See ``Method.by_construction``: what is accepted may be all that is balanced."""
        return task.constraint.accepting(self.settings.accept).ensures_balance(task.constraint)

    def questions(self, task: Task, subjects: Sequence[str], seed: int) -> list[Question]:
        """See ``Method.questions``."""
        return self.asking.questions(task, subjects, seed)

    def describe(self) -> dict[str, Any]:
        """See ``Method.describe``: how it asks decides too."""
        settings = super().describe()
        if self.settings.ask is None:  # cells from before there was such a setting are the same
            del settings["ask"]
        if self._named is not None:
            asked = {"use": self._named.name, **self._named.describe()}
            settings |= {f"ask.{name}": value for name, value in asked.items()}
        return settings

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: at worst, all draws are spent."""
        return Work(draws=self.settings.max_draws * self.asking.work(task, size, seed).draws_each)

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``: that of asking."""
        return self.asking.memory(task, size, sampling)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""
        asked = self.asking.start(lm, task, seed, workspace)
        return FilteredPolicy(
            lm,
            task,
            asked.prompt,
            knows_constraint=True,
            asked=asked,
            settings=self.settings,
        )
