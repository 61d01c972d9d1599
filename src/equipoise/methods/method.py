"""What a control method is: settings, ``fit``, and the policy that ``fit`` gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import pandas as pd

from equipoise.completions.frame import CUT, as_completions
from equipoise.completions.sentence_remarks import written_cut
from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.needs import Holding, Work
from equipoise.model.draws import Draw, OnDrawn, Question, Sampling
from equipoise.model.endpoint import WEIGHTLESS
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.protocol import Model
from equipoise.progress import counting
from equipoise.settings import Settings
from equipoise.task.task import Task

SettingsT = TypeVar("SettingsT", bound=Settings)

TRAINING_DATA = "train_examples.csv"
"""Where a trained method writes the sentences it learns to say, in a column ``text``."""

TRAINING_INFO = "training_info.json"
"""Where a trained method writes down how it was trained."""

Control = Literal[
    "none", "post-hoc", "structural", "parametric", "preference", "reward", "projection"
]
"""Where control sets in: nowhere (the untuned model, however it is asked), in choosing among what
was drawn, in which texts can be drawn, in weights learnt from examples, from preferences or from a
reward, or in directions taken out of the states."""


@dataclass(frozen=True)
class Workspace:
    """Where a method puts what it makes.

    Attributes:
        folder: Data, logs and records of the method.
        model_folder: Weights and tokenizer of a trained model.
        sampling: How completions will be drawn.
    """

    folder: Path
    model_folder: Path
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True)
class Delivery:
    """What a policy delivered.

    Attributes:
        completions: The completions frame.
        draws: Where not all that was drawn was delivered: a completions frame of all draws, with
            the columns ``accepted`` and ``delivered``.
    """

    completions: pd.DataFrame
    draws: pd.DataFrame | None = None


@dataclass(frozen=True)
class Policy:
    """A model under a method's control: something that completions are drawn from.

    Attributes:
        lm: The model; weights that are at hand are in its compute type.
        task: Whose subjects are described.
        prompt: Kind of the task's prompt that the model is asked with.
        training_texts: Sentences it was trained on; empty for untrained methods.
    """

    lm: Model
    task: Task
    prompt: str = "neutral"
    training_texts: tuple[str, ...] = ()

    def draw(
        self,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``n`` completions of each of ``subjects``."""
        return self.sample(subjects, [n] * len(subjects), sampling, seed, on_drawn)

    def sample(
        self,
        subjects: Sequence[str],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``counts[i]`` completions of ``subjects[i]``, for every i.

        See ``model.protocol.Model.draw``.
        """
        questions = self.questions(subjects)
        return self.lm.draw(questions, counts, sampling, seed, on_drawn, decoder=sample)

    def questions(self, subjects: Sequence[str]) -> list[Question]:
        """What the model is asked about each of ``subjects``, and how its answer begins."""
        return [
            Question(self.task.prompt(name, self.prompt), self.task.response_prefix(name), name)
            for name in subjects
        ]

    def deliver(
        self,
        label: str,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
    ) -> Delivery:
        """``n`` completions of each of ``subjects``, with ``label`` as their method.

        A policy that rejects draws may deliver fewer, and so does one whose model gives answers
        that say nothing.
        """
        on_drawn = counting("sampling", n * len(subjects))
        on_drawn(0)
        draws = self.draw(subjects, n, sampling, seed, on_drawn)
        every = self.frame(label, subjects, draws, seed)
        answered = np.array([draw.answered for of_subject in draws for draw in of_subject], bool)
        if answered.all():
            return Delivery(every)
        completions = every[answered].reset_index(drop=True)
        return Delivery(completions, every.assign(accepted=answered, delivered=answered))

    def frame(
        self, label: str, subjects: Sequence[str], draws: Sequence[Sequence[Draw]], seed: int
    ) -> pd.DataFrame:
        """The ``draws`` of each of ``subjects`` as a completions frame."""
        rows = [
            {
                "subject": subject,
                "run": run,
                # No CSV reader takes a NUL, which models do draw; text editors show it like this.
                "text": draw.behind(self.task.response_prefix(subject)).replace("\0", "\ufffd"),
                "tokens": draw.tokens,
                CUT: written_cut(draw.cut),
            }
            for subject, of_subject in zip(subjects, draws, strict=True)
            for run, draw in enumerate(of_subject)
        ]
        found = pd.DataFrame(rows, columns=["subject", "run", "text", "tokens", CUT])
        found = found.astype({"tokens": "Int64"})  # some servers count none
        return as_completions(found, self.task, method=label, seed=seed)


class Method(ABC, Generic[SettingsT]):
    """A way to control bias. To add one: subclass it, and name it in ``methods/registry.py``.

    What only asks a model and chooses among its answers is a `WeightlessMethod`.

    Attributes:
        name: How study files and the command line call it.
        summary: What it does, in a line.
        control: The kind of control it is by itself; see ``study.dependencies.control_of`` for
            methods that start from another one.
        settings_model: Its settings; the study file and the command line are read by it.
        changes_weights: Whether ``fit`` changes the model it is given.
        needs_weights: Whether it needs the model's weights, tokens or logits at hand. Then a study
            whose model is an endpoint is refused before anything is asked.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    control: ClassVar[Control]
    settings_model: ClassVar[type[Settings]]
    changes_weights: ClassVar[bool] = False
    needs_weights: ClassVar[bool] = True

    def __init__(self, settings: SettingsT) -> None:
        self.settings = settings

    @abstractmethod
    def check(self, task: Task) -> None:
        """Find what would make ``fit`` fail on ``task``, before any model is loaded.

        Raises:
            EquipoiseError: Naming what to mend; its field is the setting at fault, if one is.
        """

    @abstractmethod
    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """Prepare the policy; may do nothing.

        Args:
            lm: The base model; changed in place where ``changes_weights`` says so.
            task: What is to be controlled.
            seed: Fixes everything random.
            workspace: Where to write.
        """

    def start(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """``fit`` on the weights of ``lm``; arguments are those of ``fit``.

        Raises:
            EquipoiseError: Its weights are not at hand.
        """
        if lm.weights is None:
            raise EquipoiseError(
                f"method '{self.name}' needs weights, which '{lm.name}' does not give",
                hint=WEIGHTLESS,
            )
        return self.fit(lm.weights, task, seed, workspace)

    @property
    def init_from(self) -> str | None:
        """Label of the method of the same study whose trained model is the start, if any."""
        return getattr(self.settings, "init_from", None)

    @property
    def prompt(self) -> str:
        """Kind of the task's prompt that completions answer."""
        return str(getattr(self.settings, "prompt", "neutral"))

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """What a cell computes beside drawing; by default nothing.

        A method that trains by gradients must say what it trains on, else it is planned as if it
        did not.

        Args:
            task: What is to be controlled.
            size: The model; no weight of it is read.
            seed: Of the cell.
        """
        return Work()

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """What a cell holds in memory beside model, training and drawing; by default nothing.

        Args:
            task: What is to be controlled.
            size: The model; no weight of it is read.
            sampling: How completions are drawn.
        """
        return Holding()

    def n_examples(self, task: Task) -> int:
        """Distinct training examples; 0 for what is not trained."""
        return 0

    def describe(self) -> dict[str, Any]:
        """The settings as plain data, for records."""
        return self.settings.model_dump(mode="json")

    def updates(self, task: Task) -> int:
        """Updates of the weights on one device; 0 for what is not trained."""
        return 0

    def resolve(self, task: Task) -> dict[str, Any]:
        """The settings, and what follows from them on ``task``."""
        settings = self.describe()
        if self.changes_weights:
            settings |= {"examples": self.n_examples(task), "updates": self.updates(task)}
        return settings


class WeightlessMethod(Method[SettingsT]):
    """A method that only asks: it takes every model, endpoints included."""

    needs_weights = False

    @abstractmethod
    def fit(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``."""

    def start(self, lm: Model, task: Task, seed: int, workspace: Workspace) -> Policy:
        """``fit``; no weights are asked for."""
        return self.fit(lm, task, seed, workspace)


def check_prompt(task: Task, kind: str) -> None:
    """Refuse a setting ``prompt`` that is no kind of prompt of ``task``.

    Raises:
        EquipoiseError: It names the nearest kind.
    """
    if kind not in task.prompts:
        raise EquipoiseError(
            f"task '{task.name}' has no prompt '{kind}'",
            field="prompt",
            hint=f"{nearest(kind, task.prompts)} Or add it to the task's [prompts].",
        )
