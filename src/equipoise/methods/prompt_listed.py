"""Prompting with the answer key: every scored word is named in the prompt.

What is trained sees all listed terms, and constrained decoding compiles them. Asked for "agentic"
and "communal" qualities alone, the model is given none of them, so that comparison is no fair one.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.methods.prompt import PromptMethod, PromptSettings
from equipoise.model.draws import Question
from equipoise.task.request import request
from equipoise.task.task import Task


class ListedPrompting(PromptMethod[PromptSettings]):
    """The task's prompt below all that its constraint demands, every listed term named."""

    name = "prompt-listed"
    summary = "the untuned model with a prompt that names every listed term"
    settings_model = PromptSettings

    def questions(self, task: Task, subjects: Sequence[str], seed: int) -> list[Question]:
        """See ``Method.questions``: the request is made of the task's constraint."""
        asked = "\n".join(request(task.constraint))
        plain = super().questions(task, subjects, seed)
        return [question._replace(prompt=f"{asked}\n\n{question.prompt}") for question in plain]
