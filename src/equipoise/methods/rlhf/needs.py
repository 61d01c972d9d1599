"""What RLHF needs: rollouts as training examples, and the models beside the one it trains."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.methods.needs import (
    TOKENS_PER_WORD,
    Holding,
    Sequences,
    Training,
    drawing_bytes,
    expected_tokens,
)
from equipoise.methods.policy import ask
from equipoise.methods.prompt_listed import with_request
from equipoise.methods.rlhf.rlhf_settings import RLHFSettings
from equipoise.model.draws import Question, Sampling
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence
from equipoise.task.request import demands, request
from equipoise.task.task import Task


def rollout_training(
    settings: RLHFSettings, task: Task, size: ModelSize, iterations: int
) -> Training:
    """Each iteration draws the rollouts, scores them under two policies, and learns from them.

    The training of a reward model is not part of it: its pairs are few beside the rollouts.
    """
    rollouts = _rollouts(settings, task, size)
    return Training(
        rollouts,
        per_update=len(rollouts),
        per_batch=settings.rollout_batch_size,
        lora_rank=settings.lora_rank if settings.lora else None,
        usual_length=expected_tokens(task, _sampling(settings)) / _longest(settings, task),
        scorings=2 * iterations,
        drawings=iterations,
    )


def rollout_memory(settings: RLHFSettings, task: Task, size: ModelSize) -> Holding:
    """A frozen reference, which adapters spare, a copy to draw from, its cache, and a judge."""
    reference = 0 if settings.lora else 4 * size.parameters
    copy = 2 * size.parameters
    rows = settings.completions_per_prompt * len(task.train)
    names = [subject.name for subject in task.subjects]
    asked = exploring_questions(settings, task, names)
    cache = drawing_bytes(asked, size, _sampling(settings), rows)
    judge = 4 * size.parameters if settings.reward == "model" else 0
    return Holding(fitting=reference + copy + cache + judge)


def exploring_questions(
    settings: RLHFSettings, task: Task, subjects: Sequence[str]
) -> list[Question]:
    """What the first completions about each of ``subjects`` answer: all words named, if wanted."""
    plain = [ask(task, subject, settings.prompt) for subject in subjects]
    if settings.explore == "none":
        return plain
    told = request(demands(task.constraint))
    return [question._replace(prompt=with_request(question.prompt, told)) for question in plain]


def _rollouts(settings: RLHFSettings, task: Task, size: ModelSize) -> list[Sequences]:
    """Completions that share nothing but their prompts, all of them long."""
    length = _longest(settings, task)
    found: list[Sequences] = []
    for subject in task.train:
        context = size.encoder.context(
            task.prompt(subject.name, settings.prompt), task.response_prefix(subject.name)
        )
        for number in range(settings.completions_per_prompt):
            own = [1000 + number, *range(2000, 2000 + length - 1)]
            found.append((TokenSequence((*context, *own), len(context)),))
    return found


def _longest(settings: RLHFSettings, task: Task) -> int:
    """Tokens of a rollout twice as long as the task's range of words."""
    most = 2 * round(TOKENS_PER_WORD * task.constraint.words[1])
    return min(settings.max_completion_tokens, most)


def _sampling(settings: RLHFSettings) -> Sampling:
    return Sampling(max_new_tokens=settings.max_completion_tokens)
