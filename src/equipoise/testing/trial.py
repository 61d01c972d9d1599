"""A method tried on a tiny model: fitted three times, with two seeds, and drawn from."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from equipoise.files.csv_file import write_table
from equipoise.methods.method import Delivery, Method, Policy, Workspace
from equipoise.model.draws import Sampling
from equipoise.model.embedded import cache_folder
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.task import Split, Task
from equipoise.testing.models import tiny_gendered_model
from equipoise.testing.tasks import small_task
from equipoise.testing.writes import left_outside, watch_writes

LABEL, SEED, OTHER_SEED = "tried", 7, 8


@dataclass(frozen=True)
class Weights:
    """What a model is at one moment, as digests.

    Attributes:
        tensors: Of each parameter and buffer.
        logits: Of what it says to a fixed text, hooks included.
    """

    tensors: Mapping[str, str]
    logits: str

    @classmethod
    def of(cls, lm: LanguageModel) -> Weights:
        """Those of ``lm`` as it is now."""
        tensors = {name: _digest(tensor) for name, tensor in lm.model.state_dict().items()}
        ids = torch.tensor([lm.encoder.plain("The doctor was")], device=lm.device)
        with torch.inference_mode(), lm.autocast():
            logits = lm.model(input_ids=ids, use_cache=False).logits
        return cls(tensors, _digest(logits))

    def differences(self, other: Weights) -> list[str]:
        """Names of what is not the same bit for bit."""
        names = [*self.tensors, *(name for name in other.tensors if name not in self.tensors)]
        found = [name for name in names if self.tensors.get(name) != other.tensors.get(name)]
        return found or (["its logits"] if self.logits != other.logits else [])


@dataclass(frozen=True)
class Outcome:
    """What came of one fit and of drawing from it.

    Attributes:
        seed: Of both.
        workspace: Where the method wrote.
        policy: What ``fit`` gave back.
        delivery: What was drawn.
        before: The model before.
        fitted: The policy's model when it was fitted.
        after: The policy's model after drawing.
        base_after: The given model after all.
        elsewhere: Files that were written outside of the workspace, and are still there.
    """

    seed: int
    workspace: Workspace
    policy: Policy
    delivery: Delivery
    before: Weights
    fitted: Weights
    after: Weights
    base_after: Weights
    elsewhere: list[Path]


COMPLETIONS_EACH = 6
"""Sentences about a subject that another method is made to have delivered."""


@dataclass(frozen=True)
class MethodTrial:
    """A method, and what it is tried on.

    Attributes:
        method: The method, with settings that keep it quick.
        folder: An empty folder to work in.
        make_model: Makes the model, a new one with the same weights at each call.
        task: The task; by default `small_task`.
        sampling: How completions are drawn.
        n: Completions of each subject.
    """

    method: Method[Any]
    folder: Path
    make_model: Callable[[], LanguageModel] = tiny_gendered_model
    task: Task | None = None
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=12))
    n: int = 2

    @cached_property
    def the_task(self) -> Task:
        """The task, read if none was given."""
        return self.task or small_task(self.folder)

    @cached_property
    def size(self) -> ModelSize:
        """The model as a plan sees it: no weights."""
        lm = self.make_model()
        return ModelSize(lm.name, lm.model.config, lm.encoder, has_tokenizer=True)

    @cached_property
    def first(self) -> Outcome:
        """Fitted and drawn with one seed."""
        return self._outcome("first", SEED, chance=1)

    @cached_property
    def again(self) -> Outcome:
        """The same, while everything random but the seed is something else."""
        return self._outcome("again", SEED, chance=2)

    @cached_property
    def other(self) -> Outcome:
        """With another seed."""
        return self._outcome("other", OTHER_SEED, chance=1)

    def workspace(self, name: str) -> Workspace:
        """A workspace that nobody has used."""
        folder = self.folder / name
        return Workspace(folder, folder / "model", self.sampling, self.models, self.completions)

    @cached_property
    def models(self) -> Mapping[str, Path]:
        """What the method needs of other methods of a study: models with slightly other weights."""
        labels = {label for labels in self.method.needs.values() for label in labels}
        folders = {label: self.folder / "models" / label for label in sorted(labels)}
        for number, folder in enumerate(folders.values()):
            lm, generator = self.make_model(), torch.Generator().manual_seed(number)
            with torch.no_grad():
                for weight in lm.model.parameters():
                    weight += 0.02 * torch.randn(weight.shape, generator=generator)
            lm.save(folder)
        return folders

    @cached_property
    def completions(self) -> Mapping[str, Path]:
        """What the method learns from: some balanced sentences about each subject."""
        labels = {label for labels in self.method.learns_from.values() for label in labels}
        files = {label: self.folder / "completions" / f"{label}.csv" for label in sorted(labels)}
        for seed, path in enumerate(files.values()):
            generator = BalancedExampleGenerator(self.the_task, seed)
            splits: tuple[Split, ...] = ("train", "validation")
            examples = [e for one in splits for e in generator.generate(COMPLETIONS_EACH, one)]
            rows = {"subject": [e.subject for e in examples], "text": [e.text for e in examples]}
            path.parent.mkdir(parents=True, exist_ok=True)
            write_table(path, pd.DataFrame(rows))
        return files

    def prepared_model(self) -> LanguageModel:
        """A new model as a study gives it to the method."""
        lm = self.make_model()
        if not self.method.changes_weights:
            lm.use_compute_type()
        return lm

    def _outcome(self, name: str, seed: int, chance: int) -> Outcome:
        method, task = self.method, self.the_task
        workspace, lm = self.workspace(name), self.prepared_model()
        before = Weights.of(lm)
        with randomness(chance), watch_writes() as written:
            policy = method.fit(lm, task, seed, workspace)
            fitted = _weights_of(policy, before)
            subjects = [subject.name for subject in task.subjects]
            delivery = policy.deliver(LABEL, subjects, self.n, self.sampling, seed)
        allowed = [workspace.folder, workspace.model_folder, cache_folder()]
        return Outcome(
            seed,
            workspace,
            policy,
            delivery,
            before,
            fitted,
            _weights_of(policy, before),
            Weights.of(lm),
            left_outside(written, allowed),
        )


@contextlib.contextmanager
def randomness(seed: int) -> Iterator[None]:
    """Within it, the random numbers that belong to nobody are those of ``seed``."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _weights_of(policy: Policy, otherwise: Weights) -> Weights:
    lm = policy.lm.weights
    return otherwise if lm is None else Weights.of(lm)


def _digest(tensor: torch.Tensor) -> str:
    data = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8)
    about = f"{tuple(tensor.shape)} {tensor.dtype}".encode()
    return hashlib.sha256(about + data.numpy().tobytes()).hexdigest()
