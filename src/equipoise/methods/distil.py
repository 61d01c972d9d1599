"""Distillation: supervised fine-tuning on what another method of the study delivered.

Constrained decoding and rejection sampling pay for each completion; what they delivered can be
learnt once: rejection-sampling fine-tuning (RAFT, Dong et al. 2023, arXiv 2304.06767), or
sequence-level distillation (Kim and Rush 2016, arXiv 1606.07947). The sentences are a model's own,
not a template's. Those that the model finds likelier come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder
from equipoise.files.csv_file import read_rows, write_table
from equipoise.methods.method import TRAINING_DATA, Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import TOKENS_PER_WORD, Sequences, Training, Work
from equipoise.methods.tuning import tune
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import log_probabilities
from equipoise.task.sentence import first_sentence
from equipoise.task.task import Task
from equipoise.training.processes import is_first_process
from equipoise.training.training_settings import TrainingSettings


class DistilSettings(TrainingSettings):
    """Settings of distillation: those of training, and whose completions are learnt.

    Attributes:
        learn_from: Label of a method of the same study, trained or not. The completions about train
            subjects that it delivered with the same seed are learnt, as far as they satisfy the
            task's constraint.
        n_per_subject: Different sentences learnt about each train subject, at most: those to which
            the model, before it is trained, gives most log-probability a token.
        prompt: Kind of prompt that they are learnt as answers to, however they were asked for: a
            key of the task file's ``[prompts]``.
    """

    learn_from: str = "ctrlg"
    n_per_subject: Annotated[int, Field(ge=1)] = 20
    prompt: str = "neutral"


class Distil(Method[DistilSettings]):
    """Fine-tuning on the accepted completions of another method."""

    name = "distil"
    summary = "supervised fine-tuning on another method's accepted completions"
    control = "parametric"
    settings_model = DistilSettings
    changes_weights = True

    @property
    def learns_from(self) -> Mapping[str, tuple[str, ...]]:
        """See ``Method.learns_from``."""
        return {"learn_from": (self.settings.learn_from,)}

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``: as many as there may be."""
        return self.settings.n_per_subject * len(task.train)

    def updates(self, task: Task) -> int:
        """See ``Method.updates``: of as many examples as there may be."""
        return self.settings.updates(self.n_examples(task))

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: sentences as long as the constraint lets them be, each ranked."""
        length = round(TOKENS_PER_WORD * task.constraint.words[1])
        examples: list[Sequences] = []
        for subject in task.train:
            context = size.encoder.context(
                task.prompt(subject.name, self.prompt), task.response_prefix(subject.name)
            )
            for number in range(self.settings.n_per_subject):
                own = [1000 + number, *range(2000, 2000 + length - 1)]
                examples.append((TokenSequence((*context, *own), len(context)),))
        return Work(Training.of(self.settings, examples, scorings=1))

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: writes what is learnt and where it comes from, logs and the model.

        Raises:
            EquipoiseError: No completion can be learnt from.
        """
        settings = self.settings
        accepted = accepted_sentences(workspace.completions[settings.learn_from], task)
        if accepted.empty:
            raise EquipoiseError(
                f"'{settings.learn_from}' delivered nothing about a train subject that satisfies "
                "the constraint, so there is nothing to learn",
                field="learn_from",
                hint="Learn from another method, such as ctrlg or filter, or draw more of it.",
            )
        examples = [
            _as_answer(lm, task, settings.prompt, subject, text)
            for subject, text in zip(accepted["subject"], accepted["text"], strict=True)
        ]
        lengths = [len(example.tokens) - example.start for example in examples]
        accepted["log_probability"] = log_probabilities(lm, examples).numpy() / lengths
        learnt = likeliest(accepted, settings.n_per_subject).assign(origin=settings.learn_from)
        if is_first_process():
            write_table(make_folder(workspace.folder) / TRAINING_DATA, learnt)
        about = {"learn_from": settings.learn_from, "n_accepted": len(accepted)}
        chosen = [examples[index] for index in learnt.index]
        tune(self, lm, task, seed, workspace, chosen, (), about=about)
        return Policy(lm, task, settings.prompt, tuple(learnt["text"]))


def accepted_sentences(path: Path, task: Task) -> pd.DataFrame:
    """The different sentences (``subject``, ``text``) of completions that may be learnt.

    They are about train subjects, finished, and satisfy the task's constraint.

    Args:
        path: A file of completions.
        task: Whose subjects and constraint.
    """
    columns = read_rows(path).columns
    train = {subject.name for subject in task.train}
    found = []
    for subject, text in zip(columns["subject"], columns["text"], strict=True):
        sentence = first_sentence(text)
        satisfied = sentence.finished and task.constraint.check(sentence.text).satisfied
        if subject in train and satisfied:
            found.append((subject, sentence.text))
    return pd.DataFrame(list(dict.fromkeys(found)), columns=["subject", "text"])


def likeliest(sentences: pd.DataFrame, n: int) -> pd.DataFrame:
    """The ``n`` rows of each ``subject`` with the highest ``log_probability``, in their order.

    Of equal ones the first.
    """
    ranked = sentences.sort_values("log_probability", ascending=False, kind="stable")
    return sentences.loc[sorted(ranked.groupby("subject", sort=False).head(n).index)]


def _as_answer(
    lm: LanguageModel, task: Task, prompt: str, subject: str, text: str
) -> TokenSequence:
    """The tokens of a sentence as the answer about ``subject``; begun as asked, if it begins so."""
    prefix = task.response_prefix(subject)
    return lm.answer(task.prompt(subject, prompt), prefix if text.startswith(prefix) else "", text)
