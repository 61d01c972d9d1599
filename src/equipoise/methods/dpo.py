"""Direct preference optimisation (DPO) on pairs of a balanced and an unbalanced sentence.

Rafailov et al. 2023, arXiv 2305.18290, and its relatives (``loss``). The chosen sentences are those
of supervised fine-tuning, with the same prompt, format, subjects, split and number of updates, so
that the two differ in what is learnt from them and in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, model_validator

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.files.csv_file import write_table
from equipoise.files.manifest import sha256
from equipoise.methods.method import TRAINING_DATA, Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Training, Work
from equipoise.methods.sft import SPLITS, check_sentences
from equipoise.methods.tuning import tune
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.task.dataset import write_examples
from equipoise.task.preference import PreferencePair, PreferencePairGenerator, Style
from equipoise.task.preference_file import (
    TextPair,
    preference_statistics,
    read_pairs,
    text_pairs,
    write_pairs,
)
from equipoise.task.task import Task
from equipoise.training.losses import PreferenceLoss
from equipoise.training.processes import is_first_process
from equipoise.training.training_settings import TrainingSettings


class PairSettings(TrainingSettings):
    """Settings of the pairs that DPO and reward models learn from.

    Attributes:
        n_per_subject: Pairs generated for each training and each validation subject.
        prompt: Kind of prompt the sentences answer: a key of the task file's ``[prompts]``.
        pairs: ``minimal``: both sides differ in as few terms as possible; ``free``: the rejected
            side is another sentence.
        neither: Share of rejected sentences without any term; with ``free`` pairs only.
    """

    n_per_subject: Annotated[int, Field(ge=1)] = 20
    prompt: str = "neutral"
    pairs: Style = "minimal"
    neither: Annotated[float, Field(ge=0, le=1)] = 0.0

    def generator(self, task: Task, seed: int) -> PreferencePairGenerator:
        """What makes the pairs."""
        return PreferencePairGenerator(task, seed, self.pairs, self.neither)

    def check_pairs(self, task: Task) -> None:
        """Make sure that ``task`` yields the pairs.

        Raises:
            EquipoiseError: It does not; the field is the setting at fault.
        """
        check_prompt(task, self.prompt)
        generator = self.generator(task, seed=0)
        check_sentences(task, self.n_per_subject)
        try:
            for split in SPLITS:
                list(generator.generate(self.n_per_subject, split))
        except EquipoiseError as error:
            raise EquipoiseError(error.problem, field="pairs", hint=error.hint) from None


LOSS_SETTINGS: Mapping[str, Mapping[str, float]] = {
    "sigmoid": {"beta": 0.1, "label_smoothing": 0.0, "sft_weight": 0.0},
    "ipo": {"beta": 0.1, "sft_weight": 0.0},
    "hinge": {"beta": 0.1, "sft_weight": 0.0},
    "simpo": {"beta": 2.0, "gamma": 1.0, "sft_weight": 0.0},
    "orpo": {"odds_weight": 0.1, "sft_weight": 1.0},
    "kto": {"beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0, "sft_weight": 0.0},
}
"""Which settings each loss has, and what they are by default: about what its paper takes."""


class DPOSettings(PairSettings):
    """Settings of DPO: those of training and of its pairs, and the loss.

    What is left out is as the loss's paper has it; what the loss does not have must be left out.

    Attributes:
        learning_rate: Highest one, reached after the warm-up; it then falls linearly to 0.
        loss: ``sigmoid`` (DPO), ``ipo``, ``hinge`` (SLiC), ``simpo``, ``orpo`` or ``kto``.
        beta: Strength of the pull towards the reference policy, the model that training starts
            from: 0.1 by default. For ``simpo`` the scale of the rewards, 2 by default; not for
            ``orpo``.
        label_smoothing: Probability that a pair's sides are swapped (conservative DPO), 0 by
            default; for ``sigmoid``.
        gamma: Margin that the chosen sentence's reward is to have, 1 by default; for ``simpo``.
        odds_weight: Weight of the odds ratio, lambda in the paper, 0.1 by default; for ``orpo``.
        desirable_weight: Weight of the chosen sentences, 1 by default; for ``kto``.
        undesirable_weight: Weight of the rejected sentences, 1 by default; for ``kto``.
        sft_weight: Weight of the chosen sentences' cross-entropy a token, added to the loss (RPO):
            0 by default, and 1 for ``orpo``, of which it is a part.
        pairs_file: Train on the pairs of this file (JSON lines in TRL's format) instead.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 5e-5
    loss: PreferenceLoss = "sigmoid"
    beta: Annotated[float, Field(gt=0)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    gamma: Annotated[float, Field(ge=0)] | None = None
    odds_weight: Annotated[float, Field(gt=0)] | None = None
    desirable_weight: Annotated[float, Field(gt=0)] | None = None
    undesirable_weight: Annotated[float, Field(gt=0)] | None = None
    sft_weight: Annotated[float, Field(ge=0)] | None = None
    pairs_file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        """``data`` with what the loss's paper has for settings that are not given."""
        if not isinstance(data, Mapping):
            return data
        loss = data.get("loss", "sigmoid")
        usual = LOSS_SETTINGS.get(loss, {}) if isinstance(loss, str) else {}
        given = {name: value for name, value in data.items() if value is not None}
        return {**data, **usual, **given}

    @model_validator(mode="after")
    def _loss_has_them(self) -> DPOSettings:
        has = LOSS_SETTINGS[self.loss]
        for name in dict.fromkeys(name for of_loss in LOSS_SETTINGS.values() for name in of_loss):
            if name not in has and getattr(self, name) is not None:
                raise ValueError(f"{name} has no meaning with loss = '{self.loss}'")
        return self

    def of_loss(self) -> dict[str, float]:
        """The settings that the loss has, by name."""
        return {name: getattr(self, name) for name in LOSS_SETTINGS[self.loss]}


class DPO(Method[DPOSettings]):
    """Preference learning without a reward model."""

    name = "dpo"
    summary = "direct preference optimisation on balanced against unbalanced sentences"
    control = "preference"
    settings_model = DPOSettings
    changes_weights = True

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task yields the pairs, or the file holds them."""
        if self.settings.pairs_file is None:
            self.settings.check_pairs(task)
        else:
            check_prompt(task, self.settings.prompt)
            read_pairs(Path(self.settings.pairs_file), task)

    def describe(self) -> dict[str, Any]:
        """See ``Method.describe``; a file of pairs counts by its content."""
        settings = super().describe()
        if self.settings.pairs_file is not None:
            settings["pairs_file_sha256"] = sha256(Path(self.settings.pairs_file))
        return settings

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``."""
        if self.settings.pairs_file is not None:
            return len(read_pairs(Path(self.settings.pairs_file), task))
        return self.settings.n_per_subject * len(task.train)

    def updates(self, task: Task) -> int:
        """See ``Method.updates``."""
        return self.settings.updates(self.n_examples(task))

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: both sides of the pairs, which a reference reads once, if at all.

        KTO reads mismatched pairs besides, once as the reference and once in every update.
        """
        from equipoise.training.preference import pair_examples
        from equipoise.training.preference_objectives import OBJECTIVES

        settings = self.settings
        if settings.pairs_file is not None:
            pairs = read_pairs(Path(settings.pairs_file), task)
        else:
            made = settings.generator(task, seed).generate(settings.n_per_subject, "train")
            pairs = text_pairs(made, task, settings.prompt)
        examples = [(pair.chosen, pair.rejected) for pair in pair_examples(size, pairs)]
        passes = self.updates(task) * settings.effective_batch / len(examples)
        scorings = OBJECTIVES[settings.loss].scorings(passes)
        return Work(Training.of(settings, examples, scorings=scorings))

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: writes pairs, statistics, logs and the tuned model."""
        from equipoise.training.preference import pair_examples
        from equipoise.training.preference_objectives import preference_objective

        settings = self.settings
        train_pairs, val_pairs = self._pairs(task, seed, make_folder(workspace.folder))
        objective = preference_objective(settings.loss, settings.of_loss(), lm)
        train_set, val_set = (
            objective.refer(lm, pair_examples(lm, pairs)) for pairs in (train_pairs, val_pairs)
        )
        tune(self, lm, task, seed, workspace, train_set, val_set, objective=objective)
        chosen, rejected = (
            tuple(getattr(pair, side) for pair in train_pairs) for side in ("chosen", "rejected")
        )
        return Policy(lm, task, settings.prompt, chosen, given=rejected)

    def _pairs(self, task: Task, seed: int, folder: Path) -> tuple[list[TextPair], list[TextPair]]:
        """Pairs to train and to validate on, of a file none of these; data goes to ``folder``."""
        settings = self.settings
        if settings.pairs_file is not None:
            pairs = read_pairs(Path(settings.pairs_file), task)
            if is_first_process():
                texts = pd.DataFrame({"text": [pair.chosen for pair in pairs]})
                write_table(folder / TRAINING_DATA, texts)
            return pairs, []
        train, validation = generated_pairs(settings, task, seed, folder)
        kind = settings.prompt
        return text_pairs(train, task, kind), text_pairs(validation, task, kind)


def generated_pairs(
    settings: PairSettings, task: Task, seed: int, folder: Path
) -> tuple[list[PreferencePair], list[PreferencePair]]:
    """Training and validation pairs, written to ``folder`` with their statistics."""
    generator = settings.generator(task, seed)
    n = settings.n_per_subject
    train, validation = (list(generator.generate(n, split)) for split in SPLITS)
    if is_first_process():
        write_examples(folder / TRAINING_DATA, [pair.chosen for pair in train])
        write_pairs(folder / "train_pairs.jsonl", train, task, settings.prompt)
        write_pairs(folder / "val_pairs.jsonl", validation, task, settings.prompt)
        statistics: dict[str, Any] = preference_statistics(train, validation, task)
        write_json(folder / "pair_stats.json", statistics)
    return train, validation
