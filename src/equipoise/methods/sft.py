"""Supervised fine-tuning (SFT) on generated balanced sentences.

The protocol's method (arXiv 2510.22084): sentences that satisfy the task's constraint are built
from templates for the training subjects, and the model learns to give them as its answer. Unlike
the paper's code, training and sampling share prompt and format, and every sentence ends with the
end of the turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.method import TRAINING_DATA, Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Training, Work
from equipoise.methods.tuning import tune
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import TokenSequence
from equipoise.task.axis import FittedItems
from equipoise.task.counterfactual import Counterfactual, counterfactuals, write_counterfactuals
from equipoise.task.dataset import dataset_statistics, write_examples
from equipoise.task.examples import BalancedExampleGenerator, Example
from equipoise.task.task import Split, Task
from equipoise.training.counterfactual import (
    CounterfactualObjective,
    accompany,
    counterfactual_pairs,
)
from equipoise.training.processes import is_first_process
from equipoise.training.training_settings import TrainingSettings

SPLITS: tuple[Split, ...] = ("train", "validation")


class SFTSettings(TrainingSettings):
    """Settings of SFT: those of training, and its data.

    Attributes:
        n_per_subject: Sentences generated for each training and each validation subject.
        prompt: Kind of prompt the sentences answer: a key of the task file's ``[prompts]``.
        counterfactual: Counterfactual contexts that accompany each training sentence: "The dancer
            said that", to be continued by "he" and "she" alike. They are the fitted probes of the
            task's axis, about the train subjects and those of ``[axis.fitted]``, whom no measure
            asks for.
        counterfactual_weight: Their weight in the loss; that of the sentences is 1.
    """

    n_per_subject: Annotated[int, Field(ge=1)] = 20
    prompt: str = "neutral"
    counterfactual: Annotated[int, Field(ge=0, le=1000)] = 0
    counterfactual_weight: Annotated[float, Field(gt=0)] = 1.0


class SFT(Method[SFTSettings]):
    """Fine-tuning of all weights, or of low-rank adapters, on balanced sentences."""

    name = "sft"
    summary = "supervised fine-tuning on generated balanced sentences"
    control = "parametric"
    settings_model = SFTSettings
    changes_weights = True

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have the prompt, and yield enough sentences."""
        check_prompt(task, self.settings.prompt)
        check_sentences(task, self.settings.n_per_subject)
        if self.settings.counterfactual:
            fitted_items(task)

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``."""
        return self.settings.n_per_subject * len(task.train)

    def updates(self, task: Task) -> int:
        """See ``Method.updates``."""
        return self.settings.updates(self.n_examples(task))

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: the sentences, without counterfactual contexts."""
        sentences = BalancedExampleGenerator(task, seed).generate(
            self.settings.n_per_subject, "train"
        )
        examples = [(one,) for one in self._sequences(size, task, sentences)]
        return Work(Training.of(self.settings, examples))

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: writes data, statistics, logs and the tuned model."""
        folder = make_folder(workspace.folder)
        generator = BalancedExampleGenerator(task, seed)
        n = self.settings.n_per_subject
        train_set, val_set = (list(generator.generate(n, split)) for split in SPLITS)
        contexts = self.contexts(task, seed, len(train_set))
        if is_first_process():
            write_examples(folder / TRAINING_DATA, train_set)
            write_examples(folder / "val_examples.csv", val_set)
            write_json(folder / "dataset_stats.json", dataset_statistics(train_set, val_set, task))
            if contexts:
                write_counterfactuals(folder / "counterfactuals.csv", contexts)
        learnt, measured = (self._sequences(lm, task, part) for part in (train_set, val_set))
        if contexts:
            objective = CounterfactualObjective(self.settings.counterfactual_weight)
            pairs = counterfactual_pairs(lm, contexts)
            parts = accompany(learnt, pairs), accompany(measured, ())
            about = {"n_counterfactual": len(contexts)}
            tune(self, lm, task, seed, workspace, *parts, objective=objective, about=about)
        else:
            tune(self, lm, task, seed, workspace, learnt, measured)
        texts = tuple(example.text for example in train_set)
        return Policy(lm, task, self.settings.prompt, texts)

    def contexts(self, task: Task, seed: int, n_sentences: int) -> list[Counterfactual]:
        """The counterfactual contexts of so many sentences; none about a validation subject."""
        n = self.settings.counterfactual * n_sentences
        if not n:
            return []
        fitted = fitted_items(task)
        about = [*(subject.name for subject in task.train), *fitted.subjects]
        return counterfactuals(about, fitted.probes, n, seed)

    def _sequences(
        self, lm: LanguageModel | ModelSize, task: Task, examples: Iterable[Example]
    ) -> list[TokenSequence]:
        """Each example as the tokens of prompt and answer; the answer's are what is learnt."""
        return [
            lm.answer(
                task.prompt(example.subject, self.settings.prompt),
                task.response_prefix(example.subject),
                example.text,
            )
            for example in examples
        ]


def fitted_items(task: Task) -> FittedItems:
    """What counterfactual training is fitted on.

    Raises:
        EquipoiseError: ``task`` has no axis, or its axis no fitted probes; the field is
            ``counterfactual``.
    """
    if task.axis is None or not task.axis.fitted.probes:
        lacks = "has no axis" if task.axis is None else "has no fitted probes on its axis"
        raise EquipoiseError(
            f"task '{task.name}' {lacks}, so there is nothing to be counterfactual about",
            field="counterfactual",
            hint="Add [[axis.fitted.probes]] to the task file, or leave the setting out.",
        )
    return task.axis.fitted


def check_sentences(task: Task, n_per_subject: int) -> None:
    """Make sure that ``task`` yields so many sentences about every subject; none is made.

    Raises:
        EquipoiseError: It does not; the field is ``n_per_subject``.
    """
    generator = BalancedExampleGenerator(task, seed=0)
    try:
        for split in SPLITS:  # checks at the call
            generator.generate(n_per_subject, split)
    except EquipoiseError as error:
        raise EquipoiseError(error.problem, field="n_per_subject", hint=error.hint) from None
