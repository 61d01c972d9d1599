"""Prompting: the base model as it is, asked in different words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from equipoise.methods.method import (
    Control,
    Policy,
    WeightlessMethod,
    Workspace,
    check_prompt,
)
from equipoise.methods.policy import Wording
from equipoise.model.draws import Question
from equipoise.model.protocol import Model
from equipoise.settings import Settings
from equipoise.task.task import Task


class PromptSettings(Settings):
    """Settings of prompting.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        init_from: Label of a trained method of the same study whose model is asked; the base model
            if it is not given.
    """

    prompt: str = "neutral"
    init_from: str | None = None


PromptT = TypeVar("PromptT", bound=PromptSettings)


class PromptMethod(WeightlessMethod[PromptT]):
    """A method that does nothing but ask; what it asks, `wording` says."""

    control: ClassVar[Control] = "none"

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""
        return Policy(lm, task, self.settings.prompt, wording=self.wording(task, seed))

    def wording(self, task: Task, seed: int) -> Wording | None:
        """What it asks in place of a question, the task's or any other; by default nothing else.

        Args:
            task: What is to be controlled.
            seed: Of the cell.
        """
        return None

    def questions(self, task: Task, subjects: Sequence[str], seed: int) -> list[Question]:
        """See ``Method.questions``: the task's prompt in its `wording`."""
        plain, wording = super().questions(task, subjects, seed), self.wording(task, seed)
        return plain if wording is None else [wording(question) for question in plain]


class Prompting(PromptMethod[PromptSettings]):
    """The task's neutral prompt: what the untuned model says, the baseline of every comparison."""

    name = "prompt"
    summary = "the untuned model with the task's neutral prompt"
    settings_model = PromptSettings

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: its control is the prompt's own words, unless that is the neutral."""
        policy, kind = super().fit(lm, task, seed, workspace), self.settings.prompt
        if kind == PromptSettings().prompt:
            return policy
        why = f"it asks with the task's prompt '{kind}', and no other question has its words"
        return replace(policy, task_only=why)


class BalancedPromptSettings(PromptSettings):
    """Settings of balanced prompting: those of prompting, with another default.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
    """

    prompt: str = "balanced"


class BalancedPrompting(Prompting):
    """A prompt that asks for what the constraint demands, which a fair test of prompting must."""

    name = "prompt-balanced"
    summary = "the untuned model with a prompt that asks for both kinds of term"
    settings_model = BalancedPromptSettings
