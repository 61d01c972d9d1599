"""Few-shot prompting: balanced sentences about other subjects stand in the prompt.

In-context learning (Brown et al. 2020, arXiv 2005.14165, section 2): the model is shown what
answers look like, and nothing is trained. The sentences are such as fine-tuning is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.methods.policy import Wording
from equipoise.methods.prompt import PromptMethod, PromptSettings
from equipoise.model.draws import Question
from equipoise.task.examples import BalancedExampleGenerator, seeded, shuffle
from equipoise.task.task import Task


class FewShotSettings(PromptSettings):
    """Settings of few-shot prompting: those of prompting, and how many sentences are shown.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        shots: Sentences shown in the prompt.
    """

    shots: Annotated[int, Field(ge=1, le=100)] = 4


class FewShot(PromptMethod[FewShotSettings]):
    """Sentences about train subjects in the prompt, none about who is asked for."""

    name = "few-shot"
    summary = "the untuned model, shown balanced sentences about other subjects"
    settings_model = FewShotSettings

    def check(self, task: Task) -> None:
        """See ``Method.check``: each subject must have enough sentences about others."""
        super().check(task)
        about = [subject.name for subject in task.train]
        if len(about) < 2:
            raise EquipoiseError(
                f"task '{task.name}' has fewer than two train subjects, so that none is left to "
                "show sentences about",
                file=task.path,
                field="shots",
                hint="Add train subjects, or leave the method out.",
            )
        generator = BalancedExampleGenerator(task, seed=0)
        for name in about:
            try:
                generator.generate_about(name, self._each(len(about) - 1))  # checks at the call
            except EquipoiseError as error:
                raise EquipoiseError(error.problem, field="shots", hint=error.hint) from None

    def wording(self, task: Task, seed: int) -> Wording:
        """See ``PromptMethod.wording``: other sentences, in another order, for each subject."""
        about = [subject.name for subject in task.train]
        generator = BalancedExampleGenerator(task, seed)
        made = {
            name: [one.text for one in generator.generate_about(name, self._each(len(about) - 1))]
            for name in about
        }

        def word(question: Question) -> Question:
            others = [number for number, name in enumerate(about) if name != question.subject]
            shuffle(others, seeded(seed, f"shots for {question.subject}"))
            shown = [
                made[about[others[shot % len(others)]]][shot // len(others)]
                for shot in range(self.settings.shots)
            ]
            return question._replace(prompt=with_examples(question.prompt, shown))

        return word

    def _each(self, subjects: int) -> int:
        """Sentences that each of so many subjects gives at most."""
        return -(-self.settings.shots // subjects)


def with_examples(prompt: str, sentences: Sequence[str]) -> str:
    r"""``prompt`` below ``sentences``, a line each.

    >>> with_examples("Complete: The cook was", ["The nurse was kind."])
    'Examples:\nThe nurse was kind.\n\nComplete: The cook was'
    """
    return "\n".join(["Examples:", *sentences, "", prompt])
