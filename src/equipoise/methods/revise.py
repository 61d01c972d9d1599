"""Revision: the model is told what its answer lacks, and answers again.

Iterative refinement (Self-Refine, Madaan et al. 2023, arXiv 2303.17651, algorithm 1) with the
checker's verdict in place of the model's own opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.completions.judged_sentence import judge
from equipoise.methods.method import Policy, Workspace
from equipoise.methods.needs import Holding, Work
from equipoise.methods.prompt import PromptMethod, PromptSettings
from equipoise.methods.prompt_listed import with_request
from equipoise.model.draws import Draw, Exchange, OnDrawn, Question, Sampling
from equipoise.model.model_size import ModelSize
from equipoise.model.protocol import Model
from equipoise.progress import counting
from equipoise.task.request import demands, lacking, request
from equipoise.task.task import Task

AT_A_TIME = 50
"""Different questions asked at a time: a model reads them in one pass, whose memory grows with the
square of their tokens."""

Place = tuple[int, int]
"""Which answer of which subject."""


class ReviseSettings(PromptSettings):
    """Settings of revision: those of prompting, and how often it is asked again.

    Attributes:
        prompt: Kind of prompt of the first answer: a key of the task file's ``[prompts]``.
        rounds: Times that an answer which fails the constraint is given back at most.
    """

    rounds: Annotated[int, Field(ge=1, le=10)] = 1


@dataclass(frozen=True)
class RevisingPolicy(Policy):
    """A model whose failing answers are given back to it.

    Attributes:
        rounds: How often, at most.
    """

    rounds: int = field(kw_only=True)

    def sample(
        self,
        subjects: Sequence[str],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """See ``Policy.sample``: each draw holds the answers that it took the place of."""
        first = self.questions(subjects)
        return self._revised(first, counts, sampling, seed, on_drawn, self.answers)

    def reply(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Draw]:
        """See ``Policy.reply``: an answer whose first sentence fails is given back."""
        first, on_drawn = [self.worded(question)], counting("answering", n)
        return self._revised(first, [n], sampling, seed, on_drawn, self.turns)[0]

    def _revised(
        self,
        first: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None,
        answers: Callable[..., list[list[Draw]]],
    ) -> list[list[Draw]]:
        """``counts[i]`` answers to each of the ``first`` questions, the failing ones revised."""
        draws = answers(first, counts, sampling, seed, on_drawn)
        asked = {(i, j): first[i] for i, found in enumerate(draws) for j in range(len(found))}
        for round_ in range(self.rounds):
            again: dict[Question, list[Place]] = {}
            for (i, j), question in asked.items():
                further = self._asked_again(first[i], question, draws[i][j])
                if further is not None:
                    again.setdefault(further, []).append((i, j))
            more = counting("revising", sum(map(len, again.values())))
            for number, part in enumerate(_portions(again)):
                own = np.random.SeedSequence([seed, round_, number]).generate_state(1)[0]
                counted = [*map(len, part.values())]
                new = answers(list(part), counted, sampling, int(own), more)
                for places, found in zip(part.values(), new, strict=True):
                    for (i, j), draw in zip(places, found, strict=True):
                        before = draws[i][j]
                        draws[i][j] = replace(draw, earlier=(*before.earlier, before))
            asked = {place: question for question, places in again.items() for place in places}
        return draws

    def _asked_again(self, first: Question, question: Question, draw: Draw) -> Question | None:
        """What is asked next, once ``question`` was answered so.

        None where nothing is lacking, or where there is no answer to give back.
        """
        if not draw.answered:
            return None
        answer = draw.behind(question.prefix)
        judged = judge(answer, question.prefix, question.subject)
        missing = lacking(self.task.constraint, judged.text)
        return revision(first, question, answer.strip(), missing) if missing else None


def revision(first: Question, question: Question, answer: str, missing: Sequence[str]) -> Question:
    """The question that gives ``answer`` back.

    Args:
        first: What was asked in the beginning, and is asked again.
        question: To which it was the answer.
        answer: As it was given.
        missing: What it was to have and has not.
    """
    prompt = with_request(first.prompt, f"Answer again. {request(missing)}")
    earlier = (*question.earlier, Exchange(question.prompt, answer))
    return question._replace(prompt=prompt, earlier=earlier)


def _portions(asked: dict[Question, list[Place]]) -> Iterator[dict[Question, list[Place]]]:
    """``asked`` in parts of at most `AT_A_TIME` questions."""
    items = iter(asked.items())
    while part := dict(islice(items, AT_A_TIME)):
        yield part


class Revise(PromptMethod[ReviseSettings]):
    """Answers that fail the task's constraint are given back, with what they fail."""

    name = "revise"
    summary = "the untuned model, told what its answer lacks and asked again"
    settings_model = ReviseSettings

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: at worst, every answer is given back in every round."""
        return Work(draws_each=1 + self.settings.rounds)

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``: keys and values of all that was said before the last answer."""
        [first] = self.questions(task, [task.subjects[0].name], seed=0)
        last = first
        for _ in range(self.settings.rounds):
            last = revision(first, last, first.prefix, demands(task.constraint))
        shortest, longest = (
            len(size.encoder.context(one.prompt, one.prefix, one.earlier)) for one in (first, last)
        )
        longer = longest - shortest + self.settings.rounds * sampling.max_new_tokens
        return Holding(drawing=2 * AT_A_TIME * longer * size.kv_bytes_per_token)

    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: nothing is fitted."""
        asked = super().fit(lm, task, seed, workspace)
        return RevisingPolicy(
            lm,
            task,
            asked.prompt,
            wording=asked.wording,
            knows_constraint=True,
            rounds=self.settings.rounds,
        )
