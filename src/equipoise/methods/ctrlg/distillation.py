"""What an HMM is distilled from, and where its prompts begin to be text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.methods.ctrlg.guide import Beginning
from equipoise.methods.ctrlg.hmm import HMM
from equipoise.methods.ctrlg.hmm_fit import DistillRecord, DistillSettings, distill
from equipoise.methods.ctrlg.hmm_store import model_identity, remembered
from equipoise.methods.method import OnProgress, Policy, no_progress
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task


@dataclass(frozen=True)
class Distillation:
    """All that decides what a distilled HMM will be.

    Attributes:
        lm: The model, with weights in its compute type.
        prompts: What it continues.
        beginnings: For each prompt, the text at its end that the HMM reads too.
        sampling: How completions are drawn.
        settings: How to learn from them.
    """

    lm: LanguageModel
    prompts: Sequence[Prompt]
    beginnings: Sequence[Beginning]
    sampling: Sampling
    settings: DistillSettings

    @classmethod
    def of_task(
        cls,
        lm: LanguageModel,
        task: Task,
        kind: str,
        sampling: Sampling,
        settings: DistillSettings,
    ) -> Distillation:
        """The distillation for the prompts of a task's subjects, all of them."""
        subjects = [subject.name for subject in task.subjects]
        prompts = Policy(lm, task, kind).prompts(subjects)
        starts = beginnings(lm, task, kind, subjects, prompts)
        only_distilling = {name: getattr(settings, name) for name in DistillSettings.model_fields}
        return cls(lm, prompts, starts, sampling, DistillSettings(**only_distilling))

    def about(self) -> dict[str, Any]:
        """It as plain data, for records and to be remembered by."""
        return {
            "model": self.lm.name,
            "weights_sha256": model_identity(self.lm),
            "contexts": [list(prompt.context) for prompt in self.prompts],
            "sampling": self.sampling.model_dump(mode="json"),
            "distilling": self.settings.model_dump(mode="json"),
        }

    def run(self, on_progress: OnProgress = no_progress) -> tuple[HMM, DistillRecord]:
        """Distil; see `distill`."""
        starts = [beginning.tokens for beginning in self.beginnings]
        return distill(self.lm, self.prompts, starts, self.sampling, self.settings, on_progress)

    def remembered(self, on_progress: OnProgress = no_progress) -> tuple[HMM, DistillRecord]:
        """The HMM of the user's cache, distilled now if it is not there."""
        return remembered(self.about(), lambda: self.run(on_progress))


def beginnings(
    lm: LanguageModel, task: Task, kind: str, subjects: Sequence[str], prompts: Sequence[Prompt]
) -> list[Beginning]:
    """For each prompt, the response prefix and its tokens."""
    questions = [task.prompt(subject, kind) for subject in subjects]
    return [beginning(lm, q, prompt) for q, prompt in zip(questions, prompts, strict=True)]


def beginning(lm: LanguageModel, question: str, prompt: Prompt) -> Beginning:
    """The prefix of ``prompt`` and its tokens: those beyond what the bare ``question`` has."""
    shared = 0
    for one, other in zip(lm.context(question, ""), prompt.context, strict=False):
        if one != other:
            break
        shared += 1
    return Beginning(prompt.prefix, tuple(prompt.context[shared:]))
