"""A study planned: cells, tokens, memory and time of each method."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import torch

from equipoise.methods.needs import Training, expected_tokens
from equipoise.model.model_size import ModelSize, model_size
from equipoise.model.precision import pick_compute_dtype, pick_device
from equipoise.study.planning.memory import Memory, memory_of
from equipoise.study.planning.training_work import TrainedTokens, trained_tokens
from equipoise.study.specification import Specification

TRAINING_SHARE, DRAWING_SHARE = 0.32, 0.085
"""Of the speed of large matrix products, what those of training and of drawing reach."""

UPDATE_BYTES = 70
"""Memory traffic of an update for each weight: casts, gradients, their norm, AdamW."""

OPERATIONS_PER_BYTE = 150
"""Products that a device computes while it moves a byte; about that of CPUs and GPUs alike.

These four are fitted to cells of SmolLM2-135M on one core, where adapters take as long as all
weights."""


@dataclass(frozen=True)
class MethodPlan:
    """What one method of a study will need.

    Attributes:
        label: The method.
        cells: Seeds.
        parameters: Weights that are trained.
        updates: Of them, in each cell.
        trained_tokens: Tokens that a cell's training computes; shared ones are computed once.
        drawn_tokens: Tokens that a cell draws, if completions are in the middle of the range.
        memory: At the peak of a cell.
        seconds: Of all cells one after the other.
        remark: What stands in its way; empty if nothing does.
    """

    label: str
    cells: int
    parameters: int
    updates: int
    trained_tokens: int
    drawn_tokens: int
    memory: Memory
    seconds: float
    remark: str = ""


@dataclass(frozen=True)
class StudyPlan:
    """What a study will need.

    Attributes:
        model: Name of the model.
        parameters: Its weights.
        own_tokenizer: Whether tokens were counted by the model's own tokenizer.
        device: Where it runs.
        memory_bytes: Memory that is there.
        weights: Type in which weights are kept where that is free to choose.
        flops: Operations a second that large matrix products reach there.
        methods: By label, in the file's order.
    """

    model: str
    parameters: int
    own_tokenizer: bool
    device: str
    memory_bytes: float
    weights: str
    flops: float
    methods: Mapping[str, MethodPlan]


def plan_study(
    specification: Specification,
    *,
    memory_gb: float | None = None,
    tflops: float | None = None,
    on_gpu: bool = False,
) -> StudyPlan:
    """Plan a study; no weight is read and nothing is fetched.

    Args:
        specification: The study.
        memory_gb: Memory of the device it will run on, in 10⁹ bytes; by default this machine's.
        tflops: 10¹² operations a second that it reaches; by default this machine is timed.
        on_gpu: Whether that device is a GPU; by default it is what this machine has.

    Raises:
        EquipoiseError: The model's configuration is not on this machine.
    """
    study = specification.study
    device = torch.device("cuda") if on_gpu else pick_device(study.device)
    size = model_size(study.model)
    memory = (memory_gb or 0) * 1e9 or _memory_of(device)
    # As `load_model` decides.
    weights = torch.float32 if 4 * size.parameters <= memory / 2 else torch.bfloat16
    flops = (tflops or 0) * 1e12 or _speed(pick_device(study.device), study.dtype)
    methods = {
        label: plan_method(specification, label, size, device, weights, memory, flops)
        for label in specification.methods
    }
    return StudyPlan(
        size.name,
        size.parameters,
        size.has_tokenizer,
        device.type,
        memory,
        str(weights).removeprefix("torch."),
        flops,
        methods,
    )


def plan_method(
    specification: Specification,
    label: str,
    size: ModelSize,
    device: torch.device,
    weights: torch.dtype,
    memory: float,
    flops: float,
) -> MethodPlan:
    """Plan one method of a study.

    Args:
        specification: The study.
        label: The method's.
        size: The model.
        device: Where it runs.
        weights: Type in which weights are kept where that is free to choose.
        memory: Memory that is there, in bytes.
        flops: Operations a second that large matrix products reach there.
    """
    task, method = specification.task, specification.methods[label]
    sampling, seeds = specification.sampling, specification.study.seeds
    work = method.work(task, size, seeds[0])
    training, updates = work.training, 0
    tokens, lora_rank, seconds = None, None, 0.0
    if training is not None:
        tokens, lora_rank = trained_tokens(training, seeds[0]), training.lora_rank
        updates = method.updates(task)
        seconds = _training_seconds(size, training, tokens, updates, flops)
    needed = memory_of(method, task, size, sampling, lora_rank, tokens, device, weights)
    wanted = specification.study.samples_per_subject
    each = wanted * work.draws_each if work.draws is None else work.draws
    tokens_of_one = len(task.subjects) * expected_tokens(task, sampling)
    drawn, scored = each * tokens_of_one, wanted * work.scored_each * tokens_of_one
    drawing, scoring = work.passes * drawn / DRAWING_SHARE, scored / TRAINING_SHARE
    seconds += 2 * (drawing + scoring) * _read(size, 1) / flops
    return MethodPlan(
        label,
        len(seeds),
        needed.gradients // 4,
        updates,
        round(updates * tokens.nodes_per_update) if tokens else 0,
        drawn,
        needed,
        len(seeds) * seconds,
        _remark(needed, memory),
    )


def _remark(needed: Memory, memory: float) -> str:
    """What stands in the way of a cell."""
    if needed.peak <= memory:
        return ""
    ways = (
        "shard it (FSDP), or set lora = true"
        if needed.optimizer > needed.weights
        else ("use a larger device")
    )
    return f"more than the {memory / 1e9:.0f} GB there: {ways}"


def _read(size: ModelSize, rows: float) -> float:
    """Weights that a token is multiplied with, the output layer for a share of tokens ``rows``."""
    hidden = int(size.config.get_text_config().hidden_size)
    return size.matrix_parameters + rows * size.vocabulary * hidden


def _training_seconds(
    size: ModelSize, training: Training, tokens: TrainedTokens, updates: int, flops: float
) -> float:
    """Seconds of a cell's training.

    Two operations a weight and token forward, two for the gradients of states, two for those of
    weights (Kaplan et al. 2020, arXiv 2001.08361, section 2.1); and what each update moves. Then
    what is scored without gradients, and what is drawn.
    """
    share = tokens.rows_per_update / tokens.nodes_per_update
    forward = 2 * tokens.nodes_per_update * _read(size, share) / (TRAINING_SHARE * flops)
    moving = UPDATE_BYTES * size.parameters * OPERATIONS_PER_BYTE / flops
    drawing = 2 * tokens.rows_per_update * _read(size, 1) / (DRAWING_SHARE * flops)
    beside = training.scorings * forward + training.drawings * drawing
    return updates * (3 * forward + moving) + tokens.updates_to_see_all * beside


def _memory_of(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    return float(psutil.virtual_memory().total)


def _speed(device: torch.device, dtype: str | None, size: int = 1024, repeats: int = 5) -> float:
    """Operations a second of this machine in products of large matrices."""
    matrix = torch.ones(size, size, dtype=pick_compute_dtype(device, dtype), device=device)
    seconds = []
    for _ in range(repeats + 1):  # the first one sets the library up
        started = time.perf_counter()
        float((matrix @ matrix)[0, 0])
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds[1:])
