"""A ``transformers.Trainer`` that computes each update on prefix trees."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor
from transformers import Trainer

from equipoise.errors import EquipoiseError
from equipoise.files.manifest import seal
from equipoise.progress import say
from equipoise.training.objective import Loss, MicroBatch, Objective, TreeCollator
from equipoise.training.processes import wait_for_all

EVALUATION_FACTOR = 4
"""Examples evaluated at a time to those trained on: without gradients, more fit into memory."""


class TreeTrainer(Trainer):  # type: ignore[misc]
    """Minimises an objective on examples packed as prefix trees, one update a batch.

    The Trainer's batch is the *effective* batch of one device. ``training_step`` splits it into
    micro-batches itself and divides every loss by the counts of the whole (target tokens, pairs),
    over all devices, so that batch 4 x accumulation 4 and batch 16 are the same computation. That
    is also what lets it start an update again with smaller micro-batches when memory runs out.
    """

    data_collator: TreeCollator
    control: Any

    def __init__(
        self,
        *,
        objective: Objective[Any],
        micro_batch: int,
        **kwargs: Any,
    ) -> None:
        """Take ``kwargs`` as ``Trainer`` does.

        Args:
            objective: What is minimised.
            micro_batch: Examples computed at a time.
            kwargs: ``args.per_device_train_batch_size`` is the effective batch of a device.
        """
        collator = TreeCollator(objective, micro_batch=micro_batch)
        super().__init__(data_collator=collator, **kwargs)
        self.objective = objective
        self._metrics: dict[str, float] = {}

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """Gradients of one effective batch; its mean loss."""
        step = self.state.global_step
        examples = self.objective.prepare(inputs["update"].examples, model, step)
        model.train()
        while True:
            try:
                return self._accumulate(model, self.data_collator.pack(examples))
            except (RuntimeError, MemoryError) as error:
                self._lower_micro_batch(min(len(examples), self.data_collator.micro_batch), error)
            # Gradients may be half added up: the update starts anew.
            model.zero_grad()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log what the Trainer knows of an update, and the objective's metrics of it."""
        if "loss" in logs:
            logs = {**logs, **self._metrics}
        super().log(logs, start_time)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Mean loss over the evaluation examples, and the objective's metrics."""
        self.model.eval()
        examples: Sequence[Any] = self.objective.prepare(
            eval_dataset or self.eval_dataset, self.model, self.state.global_step
        )
        counts = self.objective.counts(examples)
        found: dict[str, float] = {}
        size = EVALUATION_FACTOR * self.data_collator.micro_batch
        while examples:
            part = examples[:size]
            try:
                batch = self.data_collator.batch(part).to(self.args.device)
                with torch.inference_mode():
                    loss = self._loss(self.model_wrapped, batch, counts)
                _add(found, {"loss": float(loss.value), **loss.metrics})
                examples = examples[len(part) :]
            except (RuntimeError, MemoryError) as error:
                self._lower_micro_batch(len(part), error)
                size = self.data_collator.micro_batch
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in found.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def save_last_state(self) -> None:
        """Write a checkpoint of where training ended, unless that is there."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if not folder.exists():
            self._save_checkpoint(self.model_wrapped, trial=None)

    def _accumulate(self, model: Any, batches: Sequence[MicroBatch[Any]]) -> Tensor:
        counts = self._over_devices(
            self.objective.counts([e for batch in batches for e in batch.examples])
        )
        total = torch.zeros((), device=self.args.device)
        self._metrics.clear()
        for index, batch in enumerate(batches):
            is_last = index == len(batches) - 1
            with contextlib.nullcontext() if is_last else self.accelerator.no_sync(model):
                loss = self._loss(model, batch.to(self.args.device), counts)
                self.accelerator.backward(loss.value)
            total += loss.value.detach()
            _add(self._metrics, loss.metrics)
        return total

    def _loss(self, model: Any, batch: MicroBatch[Any], counts: Sequence[float]) -> Loss:
        with self.compute_loss_context_manager():
            return self.objective.loss(model, batch, counts)

    def _over_devices(self, counts: tuple[int, ...]) -> list[float]:
        """Mean of each of ``counts`` over devices, which average their gradients."""
        if self.accelerator.num_processes == 1:
            return list(counts)
        row = torch.tensor([counts], device=self.args.device)
        mean: Tensor = self.accelerator.gather(row).double().mean(dim=0)
        return [float(count) for count in mean]

    def _lower_micro_batch(self, tried: int, error: RuntimeError | MemoryError) -> None:
        """Halve the micro-batch if ``error`` says that memory ran out; else raise it."""
        if not (isinstance(error, MemoryError) or should_reduce_batch_size(error)):
            raise error
        unit = self.objective.unit
        if tried == 1 or self.accelerator.num_processes > 1:
            raise EquipoiseError(
                f"out of memory with {tried} {unit} at a time",
                field="batch_size",
                hint="Set a smaller batch_size with more grad_accum_steps, use LoRA, or a smaller "
                "model.",
            ) from error
        self.data_collator.micro_batch = min(self.data_collator.micro_batch, math.ceil(tried / 2))
        say(
            f"Out of memory with {tried} {unit} at a time: going on with at most "
            f"{math.ceil(tried / 2)}; the effective batch stays the same."
        )
        if self.args.device.type == "cuda":
            torch.cuda.empty_cache()

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        wait_for_all()  # every process writes its state of random numbers
        if self.args.should_save:
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")


def _add(totals: dict[str, float], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        totals[name] = totals.get(name, 0.0) + value
