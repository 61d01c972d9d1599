"""Prompting: the base model as it is, asked in different words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from equipoise.methods.method import (
    Control,
    Policy,
    WeightlessMethod,
    Workspace,
    check_prompt,
)
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
    """A method that does nothing but ask; what it asks, `questions` says."""

    control: ClassVar[Control] = "none"

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""

        def wording(subjects: Sequence[str]) -> list[Question]:
            return self.questions(task, subjects, seed)

        return Policy(lm, task, self.settings.prompt, wording=wording)


class Prompting(PromptMethod[PromptSettings]):
    """The task's neutral prompt: what the untuned model says, the baseline of every comparison."""

    name = "prompt"
    summary = "the untuned model with the task's neutral prompt"
    settings_model = PromptSettings


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
