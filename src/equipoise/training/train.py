"""Training of a language model towards an objective, from settings to weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DistributedType
from torch.utils.tensorboard import SummaryWriter
from transformers import PrinterCallback, TrainerCallback, TrainingArguments, set_seed
from transformers.integrations import TensorBoardCallback

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import pickle_refused
from equipoise.progress import tell
from equipoise.training.checkpoint import CheckpointClock, last_valid_checkpoint, stop_on_signal
from equipoise.training.lora import add_adapters, merge_adapters
from equipoise.training.objective import NextToken, Objective
from equipoise.training.processes import is_first_process
from equipoise.training.sharded import whole
from equipoise.training.tied_embedding import rows_added
from equipoise.training.trainer import TreeTrainer
from equipoise.training.training_settings import TrainingSettings


@dataclass(frozen=True)
class TrainingRecord:
    """What came of a training run.

    Attributes:
        steps: Updates made.
        epochs: Passes over the data that they amount to.
        train_loss: Mean over all updates; of SFT in nats a target token.
        final_train_loss: Of the last update.
        eval_loss: On the validation examples after training; None without any.
        seconds: Wall-clock time of training since it was last resumed.
        trainable_parameters: Number of weights that were trained.
        history: Every logged value with its step.
    """

    steps: int
    epochs: float
    train_loss: float
    final_train_loss: float
    eval_loss: float | None
    seconds: float
    trainable_parameters: int
    history: list[dict[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """The record as plain data, for JSON."""
        return asdict(self)


def train(
    lm: LanguageModel,
    train_examples: Sequence[Any],
    eval_examples: Sequence[Any],
    settings: TrainingSettings,
    seed: int,
    *,
    objective: Objective[Any] | None = None,
    update_size: int | None = None,
    clock: CheckpointClock | None = None,
    checkpoints: Path,
    logs: Path,
    stage: str = "training",
) -> TrainingRecord:
    """Train ``lm`` in place; adapters are merged into its weights at the end.

    A run that was stopped goes on from the last valid checkpoint in ``checkpoints`` and ends with
    the same weights as one that was not. On Ctrl-C or SIGTERM a checkpoint is written first.

    Args:
        lm: The model to train.
        train_examples: What to learn from: examples of the objective.
        eval_examples: What the evaluation loss is measured on, after each epoch; may be empty.
        settings: How.
        seed: Of the order of examples, adapters and dropout.
        objective: What is minimised; next-token cross-entropy on token sequences by default.
        update_size: Examples to an update; ``settings.effective_batch`` by default.
        clock: Decides when checkpoints are written; by the settings' minutes by default.
        checkpoints: Folder for checkpoints.
        logs: Folder for TensorBoard's event files.
        stage: What the work is called while it goes on.

    Raises:
        EquipoiseError: A loss or a weight is not a finite number, memory does not suffice, or all
            weights are to be trained in 16 bits.
        KeyboardInterrupt: Training was stopped; it can be resumed.
    """
    started = time.perf_counter()
    _check_precision(lm, settings)
    if lm.device.type == "cuda":
        torch.cuda.set_device(lm.device)  # where the Trainer will train
    set_seed(seed)
    model = add_adapters(lm.model, settings) if settings.lora else lm.model
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    clock = clock or CheckpointClock(settings.checkpoint_minutes)
    size = update_size or settings.effective_batch
    trainer = TreeTrainer(
        objective=objective or NextToken(),
        model=model,
        args=_arguments(
            lm, settings, seed, checkpoints, size, len(train_examples), bool(eval_examples)
        ),
        train_dataset=list(train_examples),
        eval_dataset=list(eval_examples) or None,
        micro_batch=settings.batch_size,
        callbacks=[
            clock,
            watch := _Watch(stage),
            *([TensorBoardCallback(SummaryWriter(str(logs)))] if is_first_process() else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    if settings.lora and trainer.is_fsdp_enabled:
        raise EquipoiseError(
            "adapters are not split by FSDP", field="lora", hint="Leave FSDP out, or lora."
        )
    resume = last_valid_checkpoint(checkpoints)
    alone = trainer.accelerator.distributed_type == DistributedType.NO
    with (
        stop_on_signal(clock),
        _clear_resume_errors(resume, watch),
        rows_added(model) if alone else nullcontext(),
    ):
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        if clock.stop_requested:
            trainer.save_last_state()
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    # Else accelerate would not prepare the model again, and train it without autocast.
    vars(model).pop("_is_accelerate_prepared", None)
    model = whole(model)
    lm.model = (merge_adapters(model) if settings.lora else model).eval()
    _check_weights(lm.model)
    return _record(trainer.state, time.perf_counter() - started, trainable)


def _check_precision(lm: LanguageModel, settings: TrainingSettings) -> None:
    if lm.model.dtype != torch.float32 and not settings.lora:
        raise EquipoiseError(
            f"the weights of '{lm.name}' are {lm.model.dtype} to fit into memory, and small "
            "updates of such weights are rounded away",
            field="lora",
            hint="Set lora = true, or use a device with more memory.",
        )


def _record(state: Any, seconds: float, trainable: int) -> TrainingRecord:
    """What the Trainer's final ``state`` says; its history is complete also after resuming.

    The Trainer's own summary is left out: it is of the updates since training was last resumed.
    Names are sorted, as they are in rows that come from a checkpoint.
    """
    rows = [row for row in state.log_history if "train_runtime" not in row]
    history = [{name: float(row[name]) for name in sorted(row)} for row in rows]
    losses = [row["loss"] for row in history if "loss" in row]
    return TrainingRecord(
        steps=state.global_step,
        epochs=float(state.epoch or 0),
        train_loss=sum(losses) / len(losses),
        final_train_loss=losses[-1],
        eval_loss=next((row["eval_loss"] for row in history[::-1] if "eval_loss" in row), None),
        seconds=seconds,
        trainable_parameters=trainable,
        history=history,
    )


def _arguments(
    lm: LanguageModel,
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    size: int,
    n_examples: int,
    has_eval: bool,
) -> TrainingArguments:
    """The Trainer's arguments: one batch of it is one update, see ``TreeTrainer``."""
    mixed = lm.model.dtype == torch.float32
    arguments = TrainingArguments(
        output_dir=str(folder),
        seed=seed,
        data_seed=seed,
        per_device_train_batch_size=size,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=_warmup_steps(settings, size, n_examples),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim=settings.optimizer,
        bf16=mixed and lm.dtype == torch.bfloat16,
        fp16=mixed and lm.dtype == torch.float16,
        use_cpu=lm.device.type == "cpu",
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="epoch" if has_eval else "no",
        save_strategy="no",  # `CheckpointClock` decides
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several devices: one process each, no DataParallel
    return arguments


def _warmup_steps(settings: TrainingSettings, size: int, n_examples: int) -> float:
    """The Trainer reads a number below 1 as a share of all updates.

    The first update of a warm-up has the learning rate 0: with a single one there is none.
    """
    single = math.ceil(n_examples / size) * settings.epochs <= 1
    if settings.max_steps == 1 or (settings.max_steps is None and single):
        return 0
    return min(settings.warmup_ratio, 0.999999)


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Reports progress, and stops a run whose loss is no number any more."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self.begun = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the starting point, which is not 0 after resuming."""
        self.begun = True
        tell(self._stage, state.global_step, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report an update."""
        tell(self._stage, state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Check the loss."""
        for name, what in (("loss", "training"), ("eval_loss", "evaluation")):
            loss = (logs or {}).get(name, 0.0)
            if not math.isfinite(loss):
                raise _diverged(f"the {what} loss became {loss} at update {state.global_step}")


@contextmanager
def _clear_resume_errors(checkpoint: Path | None, watch: _Watch) -> Iterator[None]:
    """Within it, a ``checkpoint`` that cannot be resumed from is named.

    Its manifest may be in order all the same, if somebody else has made both. torch refuses to
    unpickle anything but tensors and plain data, which is found out before or at the first update.
    """
    try:
        yield
    except (AttributeError, EOFError, KeyError, TypeError, ValueError) as error:
        if checkpoint is None or watch.begun:
            raise
        raise _unusable(checkpoint, error) from error
    except Exception as error:
        if checkpoint is None or not pickle_refused(error):
            raise
        raise _unusable(checkpoint, error) from error


def _unusable(checkpoint: Path, error: Exception) -> EquipoiseError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EquipoiseError(
        f"training cannot go on from it ({reason[:200].rstrip('.')})",
        file=checkpoint,
        hint="Delete this folder unless you know who made it, and run the same command again.",
    )


def _check_weights(model: Any) -> None:
    """After the last update no loss would show it."""
    if not all(bool(parameter.isfinite().all()) for parameter in model.parameters()):
        raise _diverged("weights became infinite or no numbers")


def _diverged(problem: str) -> EquipoiseError:
    return EquipoiseError(
        problem, field="learning_rate", hint="Set a smaller learning_rate or a longer warm-up."
    )
