"""Supervised fine-tuning (SFT) on generated balanced sentences.

The protocol's method (arXiv 2510.22084): sentences that satisfy the task's constraint are built
from templates for the training subjects, and the model learns to give them as its answer. Unlike
the paper's code, training and sampling share prompt and format, and every sentence ends with the
end of the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from equipoise.artifacts import make_folder, write_json
from equipoise.errors import EquipoiseError
from equipoise.evaluation.fitted_items import FITTED_CONTEXTS, FITTED_PAIRS
from equipoise.methods.method import TRAINING_DATA, Method, Policy, Workspace, check_prompt
from equipoise.methods.tuning import tune
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.processes import is_first_process
from equipoise.task.counterfactual import Counterfactual, counterfactuals, write_counterfactuals
from equipoise.task.dataset import dataset_statistics, write_examples
from equipoise.task.examples import BalancedExampleGenerator, Example
from equipoise.task.task import Split, Task
from equipoise.training.settings import TrainingSettings

SPLITS: tuple[Split, ...] = ("train", "validation")


class SFTSettings(TrainingSettings):
    """Settings of SFT: those of training, and its data.

    Attributes:
        n_per_subject: Sentences generated for each training and each validation subject.
        prompt: Kind of prompt the sentences answer: a key of the task file's ``[prompts]``.
        counterfactual: Share (0-1) of the training sentences that are counterfactual: beside the
            balanced ones, neutral sentences about the train subjects, each once with "he" and once
            with "she".
    """

    n_per_subject: Annotated[int, Field(ge=1)] = 20
    prompt: str = "neutral"
    counterfactual: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @property
    def counterfactual_pairs(self) -> int:
        """Pairs of counterfactual sentences for each train subject, rounded to whole ones."""
        share = self.counterfactual
        return round(self.n_per_subject * share / (1 - share) / 2)


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
        self._counterfactuals(task, seed=0)

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``."""
        settings = self.settings
        return (settings.n_per_subject + 2 * settings.counterfactual_pairs) * len(task.train)

    def updates(self, task: Task) -> int:
        """See ``Method.updates``."""
        return self.settings.updates(self.n_examples(task))

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: writes data, statistics, logs and the tuned model."""
        folder = make_folder(workspace.folder)
        generator = BalancedExampleGenerator(task, seed)
        n = self.settings.n_per_subject
        train_set, val_set = (list(generator.generate(n, split)) for split in SPLITS)
        neutral = self._counterfactuals(task, seed)
        if is_first_process():
            if neutral:
                write_counterfactuals(folder / "counterfactuals.csv", neutral)
            write_examples(folder / TRAINING_DATA, train_set)
            write_examples(folder / "val_examples.csv", val_set)
            write_json(folder / "dataset_stats.json", dataset_statistics(train_set, val_set, task))
        learnt, measured = (self._sequences(lm, task, part) for part in (train_set, val_set))
        learnt += _neutral_sequences(lm, neutral)
        about = {"n_counterfactual": 2 * len(neutral)} if neutral else {}
        tune(self, lm, task, seed, workspace, learnt, measured, about=about)
        texts = tuple(example.text for example in train_set)
        return Policy(lm, task, self.settings.prompt, texts)

    def _counterfactuals(self, task: Task, seed: int) -> list[Counterfactual]:
        n = self.settings.counterfactual_pairs
        return counterfactuals(task, n, seed, FITTED_CONTEXTS, FITTED_PAIRS[0])

    def _sequences(
        self, lm: LanguageModel, task: Task, examples: Sequence[Example]
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
        raise EquipoiseError(error.problem, field="n_per_subject", mend=error.mend) from None


def _neutral_sequences(lm: LanguageModel, neutral: Sequence[Counterfactual]) -> list[TokenSequence]:
    """Both sentences of each pair as plain text, from the gendered word on to be learnt."""
    sequences = []
    for pair in neutral:
        context = lm.encoder.plain(pair.context)
        for text in pair.texts:
            tokens = lm.encoder.plain(text)
            if tokens[: len(context)] != context:
                raise EquipoiseError(
                    f"the tokenizer of '{lm.name}' joins {pair.context!r} with what follows",
                    field="counterfactual",
                    mend="Set counterfactual = 0.0, or choose another model.",
                )
            sequences.append(TokenSequence(tuple(tokens), len(context)))
    return sequences
