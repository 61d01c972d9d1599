"""What a control method is: settings, and ``fit``, which gives back a policy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.needs import Holding, Work
from equipoise.methods.policy import Delivery, Policy, ask
from equipoise.model.draws import Question, Sampling
from equipoise.model.endpoint import WEIGHTLESS
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.protocol import Model
from equipoise.settings import Settings
from equipoise.task.task import Task

__all__ = [
    "Control",
    "Delivery",
    "Method",
    "Policy",
    "WeightlessMethod",
    "Workspace",
    "check_prompt",
]

SettingsT = TypeVar("SettingsT", bound=Settings)

TRAINING_DATA = "train_examples.csv"
"""Where a trained method writes the sentences it learns to say, in a column ``text``."""

TRAINING_INFO = "training_info.json"
"""Where a trained method writes down how it was trained."""

Control = Literal[
    "none",
    "post-hoc",
    "structural",
    "parametric",
    "preference",
    "reward",
    "projection",
    "steering",
    "logits",
]
"""Where control sets in: nowhere (the untuned model, however it is asked), in choosing among what
was drawn, in which texts can be drawn, in weights learnt from examples, from preferences or from a
reward, in directions taken out of the states or added to them, or in logits that other models
shift."""


@dataclass(frozen=True)
class Workspace:
    """Where a method puts what it makes.

    Attributes:
        folder: Data, logs and records of the method.
        model_folder: Weights and tokenizer of a trained model.
        sampling: How completions will be drawn.
        models: Folders of the other methods' models that the method ``needs``, by their labels.
        completions: Files of what the methods delivered that it ``learns_from``, by their labels.
    """

    folder: Path
    model_folder: Path
    sampling: Sampling = field(default_factory=Sampling)
    models: Mapping[str, Path] = field(default_factory=dict)
    completions: Mapping[str, Path] = field(default_factory=dict)


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
        guides_drawing: Whether more than its model decides about the next token: an automaton of
            the listed terms, or other models. Its model alone says nothing of the method.
        needs_weights: Whether it needs the model's weights, tokens or logits at hand. Then a study
            whose model is an endpoint is refused before anything is asked.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    control: ClassVar[Control]
    settings_model: ClassVar[type[Settings]]
    changes_weights: ClassVar[bool] = False
    guides_drawing: ClassVar[bool] = False
    needs_weights: ClassVar[bool] = True

    def __init__(self, settings: SettingsT) -> None:
        self.settings = settings

    @abstractmethod
    def check(self, task: Task) -> None:
        """Find what would make ``fit`` fail on ``task``, before any model is loaded.

        Raises:
            EquipoiseError: Naming what to mend; its field is the setting at fault, if one is.
        """

    def check_model(self, size: ModelSize) -> None:
        """Find what would make ``fit`` fail on a model; by default nothing.

        A study asks before it loads weights, where the model's configuration is on this machine;
        ``fit`` must find the same.

        Raises:
            EquipoiseError: As ``check`` does.
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

    def among(self, methods: Mapping[str, Method[Any]]) -> Method[Any]:
        """The method as it is in a study with these ``methods`` by label; by default itself.

        For one whose settings name another one of them.
        """
        return self

    def by_construction(self, task: Task) -> bool:
        """Whether whatever it delivers is balanced, whatever the model says; by default not.

        Its balance is then no finding: it enters no test, and tables mark it.
        """
        return False

    @property
    def init_from(self) -> str | None:
        """Label of the method of the same study whose trained model is the start, if any."""
        return getattr(self.settings, "init_from", None)

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Labels of methods of the same study whose trained models it needs; by default its start.

        By the setting that names them. They are computed first, with the same seed, and what they
        learnt and were told counts as this method's too.
        """
        return {} if self.init_from is None else {"init_from": (self.init_from,)}

    @property
    def learns_from(self) -> Mapping[str, tuple[str, ...]]:
        """Labels of methods of the same study whose completions it learns from; by default none.

        By the setting that names them, as in ``needs``; these need not be trained.
        """
        return {}

    @property
    def refers_to(self) -> Mapping[str, tuple[str, ...]]:
        """Names in its settings that may be labels of the same study, by setting, as in ``needs``.

        By default those whose models or completions it needs.
        """
        return {**self.learns_from, **self.needs}

    @property
    def prompt(self) -> str:
        """Kind of the task's prompt that completions answer."""
        return str(getattr(self.settings, "prompt", "neutral"))

    def questions(self, task: Task, subjects: Sequence[str], seed: int) -> list[Question]:
        """What the model is asked about each of ``subjects``; by default the task's prompt.

        Args:
            task: Whose subjects.
            subjects: Their names.
            seed: Of the cell.
        """
        return [ask(task, subject, self.prompt) for subject in subjects]

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
