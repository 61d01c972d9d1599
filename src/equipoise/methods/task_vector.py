"""Task vectors (Ilharco et al. 2023, arXiv 2212.04089): what training changed, any number of times.

A task vector is the difference of a tuned model's weights and the base model's. With the scaling
coefficient λ and a weight wᵢ for each tuned model θᵢ, the model is

    θ = θ₀ + Σᵢ λ wᵢ (θᵢ − θ₀)

so that λ = 1 is the tuned model, λ = 0 the base, λ < 0 its opposite, and several are a sum.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Holding
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.model_size import ModelSize
from equipoise.progress import tracked
from equipoise.settings import Settings
from equipoise.task.task import Task

Finite = Annotated[float, Field(allow_inf_nan=False)]


class TaskVectorSettings(Settings):
    """Settings of task vectors.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        of: Label of a trained method of the same study; or several, each with its weight, such as
            ``{sft = 1.0, dpo = 0.5}``.
        scale: The coefficient λ of all of them: 1 is the tuned model, 0 the base model.
    """

    prompt: str = "neutral"
    of: str | dict[str, Finite] = "sft"
    scale: Finite = 1.0

    @property
    def coefficients(self) -> dict[str, float]:
        """By label, how many times what its training changed is added."""
        weights = {self.of: 1.0} if isinstance(self.of, str) else self.of
        return {label: self.scale * weight for label, weight in weights.items()}


class TaskVector(Method[TaskVectorSettings]):
    """Arithmetic with the weights of other methods' models."""

    name = "task-vector"
    summary = "what another method's training changed in the weights, added any number of times"
    control = "parametric"
    settings_model = TaskVectorSettings
    changes_weights = True

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """See ``Method.needs``: all whose vectors are added."""
        return {"of": tuple(self.settings.coefficients)}

    def check(self, task: Task) -> None:
        """See ``Method.check``: at least one model is named."""
        check_prompt(task, self.settings.prompt)
        if not self.settings.coefficients:
            raise EquipoiseError(
                "no method is named", field="of", hint='Name one, such as of = "sft".'
            )

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``: the base model once more, and one tuned model at a time."""
        return Holding(fitting=2 * 4 * size.parameters)

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``. Writes ``task_vector.json`` and the model.

        Raises:
            EquipoiseError: A tuned model is of another architecture, or the result is not finite.
        """
        started, coefficients = time.perf_counter(), self.settings.coefficients
        base = {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}
        vectors = []
        for label, coefficient in tracked(coefficients.items(), "adding", len(coefficients)):
            tuned = _weights_of(workspace.models[label], label, lm)
            vectors.append({"of": label, "coefficient": coefficient, **_lengths(base, tuned)})
            if coefficient:
                add_vector(lm, base, tuned, coefficient)
        _check_finite(lm, task, self.settings)
        record = {
            "model": lm.name,
            "seed": seed,
            "settings": self.describe(),
            "vectors": vectors,
            "seconds": round(time.perf_counter() - started, 3),
        }
        write_json(make_folder(workspace.folder) / "task_vector.json", record)
        lm.save(workspace.model_folder)
        lm.use_compute_type()
        return Policy(lm, task, self.settings.prompt)


@torch.no_grad()
def add_vector(
    lm: LanguageModel, base: Mapping[str, Tensor], tuned: Mapping[str, Tensor], coefficient: float
) -> None:
    """Add ``coefficient`` times (``tuned`` − ``base``) to the weights of ``lm`` in place.

    Where these are ``base``'s, a coefficient of 1 gives ``tuned`` bit for bit: interpolation is
    computed from the nearer end.
    """
    for name, weight in lm.model.named_parameters():
        before = weight - base[name]
        times = torch.tensor(coefficient, dtype=weight.dtype, device=weight.device)  # may be inf
        weight.copy_(torch.lerp(base[name], tuned[name], times) + before)


def _weights_of(folder: Path, label: str, lm: LanguageModel) -> dict[str, Tensor]:
    """The weights of a tuned model.

    Raises:
        EquipoiseError: They are not the same ones as the base model's, in number or shape.
    """
    tuned = load_model(folder, device=lm.device, dtype=lm.dtype, progress=False)
    found = {name: weight.detach() for name, weight in tuned.model.named_parameters()}
    shapes = {name: weight.shape for name, weight in lm.model.named_parameters()}
    differing = sorted(
        name
        for name in {*shapes, *found}
        if name not in found or shapes.get(name) != found[name].shape
    )
    hooks = [(len(one.projections), len(one.shifts)) for one in (tuned, lm)]
    if differing or hooks[0] != hooks[1]:
        what = f"weights '{differing[0]}'" if differing else "hooks"
        raise EquipoiseError(
            f"the model of '{label}' has other {what} than the base model",
            field="of",
            hint="Name a method that tunes the weights there are, such as sft, dpo or rlhf.",
        )
    return {name: weight.to(lm.model.dtype) for name, weight in found.items()}


def _lengths(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor]) -> dict[str, Any]:
    """How long a task vector is, and that as a share of the base model's length."""

    def length(tensors: list[Tensor]) -> float:
        squares = sum(float(tensor.float().square().sum().double()) for tensor in tensors)
        return math.sqrt(squares)

    own = length([tuned[name] - weight for name, weight in base.items()])
    return {"length": own, "share": own / length(list(base.values()))}


def _check_finite(lm: LanguageModel, task: Task, settings: TaskVectorSettings) -> None:
    """Refuse weights beyond the compute type's range, and ones that make states so.

    Raises:
        EquipoiseError: It names λ.
    """
    most = torch.finfo(lm.dtype).max
    kept = all(bool((weight.abs() <= most).all()) for weight in lm.model.parameters())
    if kept:
        subject = task.subjects[0].name
        context = lm.context(task.prompt(subject, settings.prompt), task.response_prefix(subject))
        with torch.inference_mode(), lm.autocast():
            logits = lm.model(torch.tensor([context], device=lm.device), use_cache=False).logits
        # Norms make zeros of states whose squares overflow: then all tokens are equally likely.
        kept = bool(logits.isfinite().all()) and bool((logits != logits[..., :1]).any())
    if not kept:
        raise EquipoiseError(
            f"with scale = {settings.scale:g} the model overflows, and says nothing",
            field="scale",
            hint="Choose a scale nearer to 1.",
        )
