"""Training of the tiny model as `train` does it, and how to end a training before its time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.training.train import TrainingRecord, train
from equipoise.training.training_settings import TrainingSettings

Weights = dict[str, Tensor]


class Run:
    """Trains fresh copies of the tiny model; keeps what it said and what came of it."""

    def __init__(self, fresh: Callable[[], LanguageModel], folder: Path) -> None:
        self._fresh, self._folder, self._n = fresh, folder, 0
        self.said: list[str] = []
        self.steps: list[tuple[int, int]] = []
        self.record: TrainingRecord | None = None
        self.lm = fresh()

    def __call__(
        self,
        examples: Sequence[TokenSequence],
        *,
        lm: LanguageModel | None = None,
        eval_examples: Sequence[TokenSequence] = (),
        folder: Path | None = None,
        seed: int = 1,
        on_step: Callable[[int, int], None] = lambda step, total: None,
        **settings: Any,
    ) -> Weights:
        """The weights after training. Without ``folder`` each call has a new one."""
        self._n += 1
        folder = folder or self._folder / f"run{self._n}"
        self.lm = lm or self._fresh()
        self.said, self.steps = [], []

        def note(step: int, total: int) -> None:
            self.steps.append((step, total))
            on_step(step, total)

        self.record = train(
            self.lm,
            examples,
            eval_examples,
            TrainingSettings(**{"learning_rate": 1e-3, **settings}),
            seed,
            checkpoints=folder / "checkpoints",
            logs=folder / "logs",
            on_step=note,
            announce=self.said.append,
        )
        return {name: value.clone() for name, value in self.lm.model.state_dict().items()}


def interrupt_at(step: int, number: int = signal.SIGINT) -> Callable[[int, int], None]:
    """For ``on_step``: sends this process a real signal just before that update begins."""

    def on_step(done: int, total: int) -> None:
        if done == step - 1:
            os.kill(os.getpid(), number)

    return on_step
