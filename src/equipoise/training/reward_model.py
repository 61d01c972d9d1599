"""A reward model: a language model's backbone with a scalar head, trained on preference pairs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_json
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import (
    PrefixTree,
    TokenSequence,
    last_target_nodes,
    node_states,
)
from equipoise.training.losses import bradley_terry_losses
from equipoise.training.objective import Loss, MicroBatch, Objective
from equipoise.training.preference import PairExample

HEAD = "score"
"""Name of the scalar head in transformers' models for sequence classification."""
BATCH = 32
"""Answers judged at a time."""


def with_scalar_head(lm: LanguageModel, seed: int) -> LanguageModel:
    """A copy of ``lm``'s backbone with a new head that gives one number; ``lm`` is left as it is.

    The model is transformers' ``...ForSequenceClassification`` with one label, whose output at the
    last token of an answer is its reward.

    Args:
        lm: The model whose backbone is copied.
        seed: Of the head's initial weights, normal with the model's own initialiser range.

    Raises:
        EquipoiseError: transformers has no such model for the architecture.
    """
    config = copy.deepcopy(lm.model.config)
    config.num_labels = 1
    try:
        with torch.device("meta"):
            network = AutoModelForSequenceClassification.from_config(config)
        backbone = copy.deepcopy(lm.model.base_model)
    except ValueError as error:
        raise _no_head(lm) from error
    if not isinstance(getattr(network, HEAD, None), nn.Linear):
        raise _no_head(lm)
    setattr(network, network.base_model_prefix, backbone)
    weights = torch.empty(1, getattr(network, HEAD).in_features)
    spread = float(getattr(config, "initializer_range", 0.02))
    weights.normal_(std=spread, generator=torch.Generator().manual_seed(seed))
    head = nn.Linear(weights.shape[1], 1, bias=False)
    head.weight = nn.Parameter(weights.to(lm.model.dtype))
    setattr(network, HEAD, head)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return replace(lm, model=network.to(lm.device).eval())


def _no_head(lm: LanguageModel) -> EquipoiseError:
    return EquipoiseError(
        f"there is no reward model of the architecture of '{lm.name}'",
        field="reward",
        hint="Set reward = 'constraint', or choose another base model.",
    )


def tree_rewards(model: Any, tree: PrefixTree) -> Tensor:
    """The reward [B] of each sequence: the head's output at its last token, in float32."""
    network = getattr(model, "module", model)
    states = node_states(network, tree)[last_target_nodes(tree)]
    rewards: Tensor = getattr(network, HEAD)(states)[:, 0]
    return rewards.float()


@dataclass
class RewardObjective(Objective[PairExample]):
    """Bradley-Terry on pairs: the loss is in nats a pair.

    Metrics, means over pairs: ``accuracy`` (share in which the chosen answer has the higher
    reward), ``margin`` (how much higher).
    """

    unit: ClassVar[str] = "pairs"

    def sequences(self, example: PairExample) -> tuple[TokenSequence, ...]:
        """See ``Objective``: chosen, then rejected."""
        return example.chosen, example.rejected

    def counts(self, examples: Sequence[PairExample]) -> tuple[int, ...]:
        """See ``Objective``: the number of pairs."""
        return (len(examples),)

    def loss(self, model: Any, batch: MicroBatch[PairExample], counts: Sequence[float]) -> Loss:
        """See ``Objective``."""
        rewards = tree_rewards(model, batch.tree)
        chosen, rejected = rewards[0::2], rewards[1::2]
        margin = (chosen - rejected).detach()
        metrics = {
            "accuracy": float((margin > 0).sum()) / counts[0],
            "margin": float(margin.sum()) / counts[0],
        }
        return Loss(bradley_terry_losses(chosen, rejected).sum() / counts[0], metrics)


@torch.inference_mode()
def rewards_of(lm: LanguageModel, answers: Sequence[TokenSequence]) -> Tensor:
    """Reward [B] of each answer under the reward model ``lm``, on the CPU in float32."""
    parts = [torch.zeros(0)]
    for start in range(0, len(answers), BATCH):
        tree = PrefixTree.build(answers[start : start + BATCH]).to(lm.device)
        with lm.autocast():
            parts.append(tree_rewards(lm.model, tree).cpu())
    return torch.cat(parts)


def ranked_right(lm: LanguageModel, pairs: Sequence[PairExample]) -> float:
    """Share (0-1) of ``pairs`` whose chosen answer has the higher reward; NaN without any."""
    rewards = rewards_of(lm, [side for pair in pairs for side in (pair.chosen, pair.rejected)])
    return float((rewards[0::2] > rewards[1::2]).float().mean())


def load_reward_model(lm: LanguageModel, folder: Path) -> LanguageModel:
    """The reward model stored in ``folder``, in the precision of ``lm``.

    Raises:
        EquipoiseError: It cannot be read, or its backbone is not that of ``lm``.
    """
    check_reward_folder(folder)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **options)
    ours = lm.model.config
    for name in ("model_type", "hidden_size", "num_hidden_layers", "vocab_size"):
        theirs = getattr(config, name, None)
        if theirs != getattr(ours, name, None):
            raise EquipoiseError(
                f"its backbone has {name} {theirs!r}, that of '{lm.name}' "
                f"{getattr(ours, name, None)!r}",
                file=folder,
                field="reward_model",
                hint="Use a reward model that was trained from the same base model.",
            )
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, attn_implementation="sdpa", dtype=lm.dtype, **options
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EquipoiseError(
            f"cannot be loaded ({str(error).splitlines()[0]})", file=folder, field="reward_model"
        ) from error
    return replace(lm, model=model.to(lm.device).eval())


def check_reward_folder(folder: Path) -> None:
    """Make sure that ``folder`` holds a model for sequence classification; nothing is loaded.

    Raises:
        EquipoiseError: It does not.
    """
    architectures = read_json(folder / "config.json").get("architectures") or [""]
    if "SequenceClassification" not in str(architectures[0]):
        raise EquipoiseError(
            f"holds a {architectures[0] or 'model of unknown kind'}, not a reward model",
            file=folder,
            field="reward_model",
            hint="Name a folder of a ...ForSequenceClassification model with one label.",
        )
