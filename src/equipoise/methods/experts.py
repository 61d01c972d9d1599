"""Experts at decoding time: logits shifted towards one model and away from another while drawing.

With the base model's logits z, an expert's z⁺ and an anti-expert's z⁻, the next token is drawn from

    softmax(z + α (z⁺ − z⁻))

DExperts (Liu et al. 2021, arXiv 2105.03023, equation 1). Where a small tuned model and the small
model that it was tuned from steer a large one, it is proxy tuning (Liu et al. 2024, arXiv
2401.08565). Without an anti-expert the base model is its own: α = 1 then is the expert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from equipoise.decoding.experts import Companion, Experts
from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Holding, Work, drawing_bytes
from equipoise.model.context import ContextEncoder
from equipoise.model.draws import Draw, Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.model_size import ModelSize, model_size
from equipoise.model.registry import EMBEDDED, check_model_name, model_digest, model_label
from equipoise.settings import Settings
from equipoise.task.task import Task


class ExpertsSettings(Settings):
    """Settings of experts.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        expert: Whose logits are added: label of a trained method of the same study, or any model of
            the same vocabulary: an embedded one, a Hub id, or a folder, written with a slash.
        anti_expert: Whose logits are subtracted, named likewise; the base model's if not given.
        alpha: The weight α of their difference; 0 is the base model.
        init_from: Label of a trained method of the same study whose model is steered; the base
            model if it is not given.
    """

    prompt: str = "neutral"
    expert: str = "sft"
    anti_expert: str | None = None
    alpha: float = 1.0
    init_from: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """The models that are asked beside the base model, by setting; none where α is 0."""
        both = {"expert": self.expert, "anti_expert": self.anti_expert}
        return {name: model for name, model in both.items() if model and self.alpha}


@dataclass(frozen=True)
class ExpertPolicy(Policy):
    """A model whose logits others shift.

    Attributes:
        lm: The model that is steered.
        alpha: The weight of the others' difference; 0 asks none of them.
        experts: The expert, and the anti-expert if there is one.
    """

    lm: LanguageModel
    alpha: float = field(kw_only=True)
    experts: tuple[LanguageModel, ...] = field(kw_only=True)

    def answers(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: Callable[[int], None] | None = None,
    ) -> list[list[Draw]]:
        """See ``Policy.answers``; all models read the same tokens, those of the steered one."""
        prompts, control = self.lm.prompts(questions), None
        if self.experts:
            beside = [Companion(lm, prompts) for lm in self.experts]
            control = Experts(self.alpha, beside[0], beside[1] if len(beside) > 1 else None)
        return sample(self.lm, prompts, counts, sampling, seed, control=control, on_drawn=on_drawn)


class ExpertSteering(Method[ExpertsSettings]):
    """A model steered by the difference of two others, in its logits."""

    name = "experts"
    summary = "logits shifted towards another method's model, and away from the base, while drawing"
    control = "logits"
    guides_drawing = True
    settings_model = ExpertsSettings

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """See ``Method.needs``: also the experts that are methods of the study."""
        named = {s: (one,) for s, one in self.settings.named.items() if not _is_model(one)}
        return {**super().needs, **named}

    def check(self, task: Task) -> None:
        """See ``Method.check``: what is no method of the study must be a model's name."""
        check_prompt(task, self.settings.prompt)
        for setting, named in self.settings.named.items():
            if _is_model(named):
                check_model_name(named, field=setting)

    def check_model(self, size: ModelSize) -> None:
        """See ``Method.check_model``: experts that are models must have the same vocabulary."""
        for setting, named in self.settings.named.items():
            theirs = _encoder_of(named) if _is_model(named) else None
            if theirs is not None and isinstance(size.encoder, ContextEncoder):
                check_vocabulary(size.encoder, theirs, setting)

    def describe(self) -> dict[str, Any]:
        """See ``Method.describe``: a folder counts by its own name and its content."""
        settings = super().describe()
        for setting, named in self.settings.named.items():
            if _is_model(named):
                settings[setting] = model_label(named)
                if (digest := self._digest(named)) is not None:
                    settings[f"{setting}_sha256"] = digest
        return settings

    @staticmethod
    @cache
    def _digest(name: str) -> str | None:
        """SHA-256 of a local model's files, read once."""
        return model_digest(name)

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: one pass of each model for each token."""
        return Work(passes=1 + len(self.settings.named))

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``: the experts, taken to be of the base model's size."""
        asked = self.questions(task, [subject.name for subject in task.subjects], seed=0)
        weights = 2 * size.parameters * len(self.settings.named)
        caches = drawing_bytes(asked, size, sampling) * len(self.settings.named)
        return Holding(fitting=weights, drawing=weights + caches)

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: loads the experts.

        Raises:
            EquipoiseError: One cannot be loaded, or has another vocabulary.
        """
        settings, experts = self.settings, []
        for setting, named in settings.named.items():
            expert = load_model(
                workspace.models.get(named, named), device=lm.device, dtype=lm.dtype, progress=False
            )
            check_vocabulary(lm.encoder, expert.encoder, setting)
            expert.use_compute_type()
            experts.append(expert)
        return ExpertPolicy(lm, task, settings.prompt, alpha=settings.alpha, experts=tuple(experts))


def check_vocabulary(ours: ContextEncoder, theirs: ContextEncoder, setting: str) -> None:
    """Refuse an expert whose tokens are not those of the model that is steered.

    Raises:
        EquipoiseError: Naming the ``setting`` that names it.
    """
    own, other = ours.tokenizer.get_vocab(), theirs.tokenizer.get_vocab()
    if own != other:
        raise EquipoiseError(
            f"'{theirs.name}' has another vocabulary than '{ours.name}' ({len(other)} tokens and "
            f"{len(own)}), so their logits are not of the same tokens",
            field=setting,
            hint="Name a model of the same family.",
        )


def _encoder_of(name: str) -> ContextEncoder | None:
    """How a model encodes; None where its files are not on this machine."""
    try:
        encoder = model_size(name).encoder
    except EquipoiseError:
        return None
    return encoder if isinstance(encoder, ContextEncoder) else None


def _is_model(name: str) -> bool:
    """Whether an expert is a model of its own; else it is the label of a method."""
    return name in EMBEDDED or "/" in name
