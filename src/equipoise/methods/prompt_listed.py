"""Prompting with the answer key: every scored word is named in the prompt.

What is trained sees all listed terms, and constrained decoding compiles them. Asked for "agentic"
and "communal" qualities alone, the model is given none of them, so that comparison is no fair one.
"""

from __future__ import annotations

from equipoise.errors import EquipoiseError
from equipoise.methods.policy import Wording
from equipoise.methods.prompt import PromptMethod, PromptSettings
from equipoise.model.draws import Question
from equipoise.task.request import demands, request
from equipoise.task.task import Task


class ListedPrompting(PromptMethod[PromptSettings]):
    """The task's prompt, and in it all that its constraint demands, every listed term named."""

    name = "prompt-listed"
    summary = "the untuned model with a prompt that names every listed term"
    settings_model = PromptSettings

    def check(self, task: Task) -> None:
        """See ``Method.check``: there must be a word to name."""
        super().check(task)
        if not demands(task.constraint):
            raise EquipoiseError(
                f"the constraint of task '{task.name}' asks for no word, so there is none to list",
                file=task.path,
                field="constraint",
                hint="Use 'prompt' for it.",
            )

    def wording(self, task: Task, seed: int) -> Wording:
        """See ``PromptMethod.wording``: the request is made of the task's constraint."""
        asked = request(demands(task.constraint))

        def word(question: Question) -> Question:
            return question._replace(prompt=with_request(question.prompt, asked))

        return word


def with_request(prompt: str, asked: str) -> str:
    r"""``prompt`` with what is ``asked`` put before its last line, or before a single one.

    A prompt ends with the sentence that is to be completed. A small model heeds what stands right
    before that, in the same paragraph as the rest; docs/prompting.md says how much.

    >>> with_request("Complete this sentence:\nThe nurse was", "It must have the word kind")
    'Complete this sentence. It must have the word kind:\nThe nurse was'
    """
    before, _, last = prompt.rpartition("\n")
    start = f"{before.rstrip().rstrip(':.')}. " if before.strip() else ""
    return f"{start}{asked}:\n{last}"
