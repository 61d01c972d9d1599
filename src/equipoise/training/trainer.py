"""A ``transformers.Trainer`` that computes each update on prefix trees."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor
from transformers import Trainer

from equipoise.errors import EquipoiseError
from equipoise.manifest import seal
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, target_log_probabilities
from equipoise.processes import wait_for_all
from equipoise.training.collator import TreeCollator
from equipoise.training.losses import cross_entropy_sum

EVALUATION_FACTOR = 4
"""Sequences evaluated at a time to those trained on: without gradients, more fit into memory."""


class TreeTrainer(Trainer):  # type: ignore[misc]
    """Trains on token sequences packed as prefix trees, one update a batch.

    The Trainer's batch is the *effective* batch of one device. ``training_step`` splits it into
    micro-batches itself and divides every loss by the number of target tokens of the whole, over
    all devices, so that batch 4 x accumulation 4 and batch 16 are the same computation. That is
    also what lets it start an update again with smaller micro-batches when memory runs out.
    """

    data_collator: TreeCollator
    control: Any

    def __init__(
        self, *, micro_batch: int, announce: Callable[[str], None] = print, **kwargs: Any
    ) -> None:
        """Take ``kwargs`` as ``Trainer`` does.

        Args:
            micro_batch: Sequences computed at a time.
            announce: Receives what the user should know, such as a lowered micro-batch.
            kwargs: ``args.per_device_train_batch_size`` is the effective batch of a device.
        """
        super().__init__(data_collator=TreeCollator(micro_batch), **kwargs)
        self._announce = announce

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """Gradients of one effective batch; its mean loss in nats a target token."""
        model.train()
        trees: list[PrefixTree] = inputs["trees"]
        if len(trees[0].sequences) > self.data_collator.micro_batch:
            trees = self._pack_again(trees)  # it was packed before memory ran out
        while True:
            try:
                return self._accumulate(model, trees)
            except (RuntimeError, MemoryError) as error:
                self._lower_micro_batch(len(trees[0].sequences), error)
            # Gradients may be half added up: the update starts anew.
            model.zero_grad()
            trees = self._pack_again(trees)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Mean loss in nats over all target tokens of the evaluation examples."""
        examples: Sequence[TokenSequence] = eval_dataset or self.eval_dataset
        self.model.eval()
        trees = TreeCollator(EVALUATION_FACTOR * self.data_collator.micro_batch).pack(examples)
        total, count = 0.0, sum(tree.n_targets for tree in trees)
        while trees:
            try:
                with torch.inference_mode():
                    loss = self._loss_sum(self.model_wrapped, trees[0].to(self.args.device))
                total += float(loss)
                trees = trees[1:]
            except (RuntimeError, MemoryError) as error:
                self._lower_micro_batch(len(trees[0].sequences), error)
                trees = self._pack_again(trees)
        metrics = {f"{metric_key_prefix}_loss": total / count}
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

    def _accumulate(self, model: Any, trees: Sequence[PrefixTree]) -> Tensor:
        n_targets = self._sum_over_devices(sum(tree.n_targets for tree in trees))
        # Devices average their gradients; each has divided by the targets of all of them.
        scale = self.accelerator.num_processes / n_targets
        total = torch.zeros((), device=self.args.device)
        for index, tree in enumerate(trees):
            is_last = index == len(trees) - 1
            with contextlib.nullcontext() if is_last else self.accelerator.no_sync(model):
                loss = self._loss_sum(model, tree.to(self.args.device)) * scale
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _loss_sum(self, model: Any, tree: PrefixTree) -> Tensor:
        with self.compute_loss_context_manager():
            return cross_entropy_sum(target_log_probabilities(model, tree))

    def _sum_over_devices(self, count: int) -> int:
        if self.accelerator.num_processes == 1:
            return count
        counts = self.accelerator.gather(torch.tensor([count], device=self.args.device))
        return int(counts.sum())

    def _pack_again(self, trees: Sequence[PrefixTree]) -> list[PrefixTree]:
        """The same sequences in trees of the current micro-batch."""
        return self.data_collator.pack([s for tree in trees for s in tree.sequences])

    def _lower_micro_batch(self, tried: int, error: RuntimeError | MemoryError) -> None:
        """Halve the micro-batch if ``error`` says that memory ran out; else raise it."""
        if not (isinstance(error, MemoryError) or should_reduce_batch_size(error)):
            raise error
        if tried == 1 or self.accelerator.num_processes > 1:
            raise EquipoiseError(
                f"out of memory with {tried} sequences at a time",
                field="batch_size",
                mend="Set a smaller batch_size with more grad_accum_steps, use LoRA, or a smaller "
                "model.",
            ) from error
        self.data_collator.micro_batch = min(self.data_collator.micro_batch, math.ceil(tried / 2))
        self._announce(
            f"Out of memory with {tried} sequences at a time: going on with at most "
            f"{math.ceil(tried / 2)}; the effective batch stays the same."
        )
        if self.args.device.type == "cuda":
            torch.cuda.empty_cache()

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        wait_for_all()  # every process writes its state of random numbers
        if self.args.should_save:
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
