"""A study planned: cells, tokens, memory and time of each method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import torch

from equipoise.measures.held_out_preference import PAIRS
from equipoise.methods.needs import Training, expected_tokens
from equipoise.model.model_size import ModelSize, model_size
from equipoise.model.precision import pick_device
from equipoise.study.planning.memory import Memory, memory_of
from equipoise.study.planning.rates import Rates
from equipoise.study.planning.training_work import TrainedTokens, trained_tokens
from equipoise.study.specification import Specification

TRAINING_SHARE, DRAWING_SHARE = 0.75, 0.6
"""Of the speed of single matrix products, what those of training and of drawing reach."""

TRAINED_BYTES, DRAWN_BYTES = 2100, 640
"""Memory traffic of a token that is trained on or drawn, for each layer and unit of its states:
what is done element by element, and keys and values. These four were set by the quickstart's cells
on two cores of an Intel Xeon with AMX; they were not checked again on one without bfloat16."""

UPDATE_BYTES = 40
"""Memory traffic of an update for each weight: casts, gradients, their norm, AdamW."""

JUDGING_SPEED = 1.5
"""How many sentences are judged while one is drawn."""

EXAMINATION_TOKENS = 10_000
"""Tokens that a model draws, or is judged on, when it is asked what else changed."""

ASSOCIATION_TOKENS = 150
"""Tokens that are judged of each occupation whose association is measured."""


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
        cell_seconds: Of each cell.
        once_seconds: Of what is done once for all of them, before the first.
        remark: What stands in its way; empty if nothing does.
    """

    label: str
    cells: int
    parameters: int
    updates: int
    trained_tokens: int
    drawn_tokens: int
    memory: Memory
    cell_seconds: float
    once_seconds: float = 0.0
    remark: str = ""

    @property
    def seconds(self) -> float:
        """Of all cells one after the other."""
        return self.once_seconds + self.cells * self.cell_seconds


@dataclass(frozen=True)
class StudyPlan:
    """What a study will need.

    Attributes:
        size: The model.
        device: Where it runs.
        memory_bytes: Memory that is there.
        weights: Type in which weights are kept where that is free to choose.
        rates: What it does in a second.
        methods: By label, in the file's order.
        tables_seconds: Of judging all completions and of examining the models that are made.
    """

    size: ModelSize
    device: str
    memory_bytes: float
    weights: str
    rates: Rates
    methods: Mapping[str, MethodPlan]
    tables_seconds: float

    @property
    def operations(self) -> float:
        """Of all cells in products of matrices, at least; the same on every machine.

        Two a weight and token, six in training (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
        """
        tokens = sum(
            one.cells * (3 * one.trained_tokens + one.drawn_tokens) for one in self.methods.values()
        )
        return 2.0 * tokens * self.size.parameters

    @property
    def seconds(self) -> float:
        """Of all cells one after the other, and the tables."""
        return sum(one.seconds for one in self.methods.values()) + self.tables_seconds


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
    rates = Rates.said(tflops) if tflops else Rates.measured(pick_device(study.device), study.dtype)
    methods = {
        label: plan_method(specification, label, size, device, weights, memory, rates)
        for label in specification.methods
    }
    return StudyPlan(
        size,
        device.type,
        memory,
        str(weights).removeprefix("torch."),
        rates,
        methods,
        _tables_seconds(specification, size, rates),
    )


def plan_method(
    specification: Specification,
    label: str,
    size: ModelSize,
    device: torch.device,
    weights: torch.dtype,
    memory: float,
    rates: Rates,
) -> MethodPlan:
    """Plan one method of a study.

    Args:
        specification: The study.
        label: The method's.
        size: The model.
        device: Where it runs.
        weights: Type in which weights are kept where that is free to choose.
        memory: Memory that is there, in bytes.
        rates: What it does in a second.
    """
    task, method = specification.task, specification.methods[label]
    sampling, seeds = specification.sampling, specification.study.seeds
    work = method.work(task, size, seeds[0])
    training, updates = work.training, 0
    tokens, lora_rank, seconds = None, None, 0.0
    if training is not None:
        tokens, lora_rank = trained_tokens(training, seeds[0]), training.lora_rank
        updates = method.updates(task)
        seconds = _training_seconds(size, training, tokens, updates, rates)
    needed = memory_of(method, task, size, sampling, lora_rank, tokens, device, weights)
    wanted = specification.study.samples_per_subject
    each = wanted * work.draws_each if work.draws is None else work.draws
    tokens_each = expected_tokens(task, sampling)
    drawn = each * len(task.subjects) * tokens_each
    seconds += drawing_seconds(size, work.passes * drawn, rates)
    judged = wanted * work.scored_each * len(task.subjects) * tokens_each
    seconds += drawing_seconds(size, judged / JUDGING_SPEED, rates)
    return MethodPlan(
        label,
        len(seeds),
        needed.gradients // 4,
        updates,
        round(updates * tokens.nodes_per_update) if tokens else 0,
        drawn,
        needed,
        seconds,
        drawing_seconds(size, work.drawn_once * tokens_each, rates),
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


def _states(size: ModelSize) -> int:
    """Units of a token's hidden states, over all layers."""
    config = size.config.get_text_config()
    return int(config.num_hidden_layers * config.hidden_size)


def drawing_seconds(size: ModelSize, tokens: float, rates: Rates) -> float:
    """Seconds of drawing ``tokens``, some rows at a time: two operations a weight and token."""
    products = 2 * _read(size, 1) / (DRAWING_SHARE * rates.drawing_flops)
    return tokens * (products + DRAWN_BYTES * _states(size) / rates.bandwidth)


def _training_seconds(
    size: ModelSize, training: Training, tokens: TrainedTokens, updates: int, rates: Rates
) -> float:
    """Seconds of a cell's training.

    Two operations a weight and token forward, two for the gradients of states, two for those of
    weights (Kaplan et al. 2020, arXiv 2001.08361, section 2.1); and what each update moves. Then
    what is scored without gradients, and what is drawn.
    """
    nodes = tokens.nodes_per_update
    share = tokens.rows_per_update / nodes
    forward = 2 * nodes * _read(size, share) / (TRAINING_SHARE * rates.flops)
    forward += nodes * TRAINED_BYTES * _states(size) / rates.bandwidth / 3
    moving = UPDATE_BYTES * size.parameters / rates.bandwidth
    drawing = drawing_seconds(size, tokens.rows_per_update, rates)
    beside = training.scorings * forward + training.drawings * drawing
    return updates * (3 * forward + moving) + tokens.updates_to_see_all * beside


def _tables_seconds(specification: Specification, size: ModelSize, rates: Rates) -> float:
    """Seconds of what models say when all cells are done."""
    task, study, measures = specification.task, specification.study, specification.measures
    tokens = 0.0
    if measures.fluency:
        of_a_cell = len(task.subjects) * study.samples_per_subject
        drawn = of_a_cell * expected_tokens(task, specification.sampling)
        tokens += len(specification.cells()) * drawn / JUDGING_SPEED
    makers = len(study.seeds) * sum(m.changes_weights for m in specification.methods.values())
    tokens += (1 + makers) * _tokens_of_itself(specification)
    if measures.side_effects and makers:
        tokens += (1 + makers) * EXAMINATION_TOKENS
    return drawing_seconds(size, tokens, rates)


def _tokens_of_itself(specification: Specification) -> float:
    """Tokens drawn, or as good as drawn, for what each model is asked beside its completions.

    One question each without the listed terms: what several methods ask of the same model in other
    words is not counted.
    """
    task, measures = specification.task, specification.measures
    each = expected_tokens(task, specification.sampling)
    drawn = len(task.subjects) * measures.without_listed * each
    judged = 2 * PAIRS * len(task.validation) * each if task.with_held_out_templates() else 0
    if task.axis and task.axis.unfitted.probes:
        judged += ASSOCIATION_TOKENS * len(task.axis.shares)
    return drawn + judged / JUDGING_SPEED


def _memory_of(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    return float(psutil.virtual_memory().total)
