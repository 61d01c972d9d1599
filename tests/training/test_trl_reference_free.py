"""SimPO, ORPO and KTO equal TRL's CPOTrainer, ORPOTrainer and KTOTrainer (TRL 1.16)."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.training.objective import TreeCollator
from equipoise.training.preference import PairExample
from equipoise.training.preference_objectives import preference_objective
from training.test_trl_preference import OPTIONS, any_dataset, moved
from training.twins import make_pairs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that TRL imports
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    from trl import KTOConfig, KTOTrainer
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

__all__ = ["moved"]
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:.gradient_checkpointing(_kwargs)?. is deprecated:FutureWarning",
        "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning",
        "ignore:.*pad_token.*:UserWarning",
    )
]


def padded(sequences: Sequence[TokenSequence], fill: int, from_start: bool) -> torch.Tensor:
    """[B, T] tokens filled up with ``fill``, those of contexts replaced by it if wanted."""
    rows = [
        [fill if from_start and i < s.start else token for i, token in enumerate(s.tokens)]
        for s in sequences
    ]
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])


def paired_batch(pairs: Sequence[PairExample]) -> dict[str, torch.Tensor]:
    """What CPOTrainer and ORPOTrainer compute a loss of."""
    batch = {}
    for side in ("chosen", "rejected"):
        sequences = [getattr(pair, side) for pair in pairs]
        batch[f"{side}_input_ids"] = padded(sequences, 0, from_start=False)
        batch[f"{side}_labels"] = padded(sequences, -100, from_start=True)
        filled = padded(sequences, -1, from_start=False)
        batch[f"{side}_attention_mask"] = (filled >= 0).long()
    return batch


def with_one_token_of_context(pairs: Sequence[PairExample]) -> list[PairExample]:
    """``pairs`` of which nothing but the last token of the context is left."""

    def cut(one: TokenSequence) -> TokenSequence:
        return TokenSequence(one.tokens[one.start - 1 :], 1)

    return [PairExample(cut(pair.chosen), cut(pair.rejected)) for pair in pairs]


def check(
    loss: str,
    settings: dict[str, float],
    lms: tuple[LanguageModel, LanguageModel],
    pairs: Sequence[PairExample],
    theirs: Any,
    expected: torch.Tensor,
) -> None:
    """Our loss and gradients on ``pairs`` are those of ``theirs``, whose loss is ``expected``."""
    expected.backward()  # type: ignore[no-untyped-call]
    start, now = lms
    objective = preference_objective(loss, settings, start)  # type: ignore[arg-type]
    examples = objective.prepare(objective.refer(start, pairs), now.model, 0)
    for size in (len(examples), 2):  # micro-batches make no difference
        now.model.zero_grad()
        parts = TreeCollator(objective, micro_batch=size).pack(examples)
        value = torch.zeros(())
        for part in parts:
            value = value + objective.loss(now.model, part, objective.counts(examples)).value
        value.backward()  # type: ignore[no-untyped-call]
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-7)
        for one, other in zip(now.model.parameters(), theirs.parameters(), strict=True):
            assert (one.grad - other.grad).norm() <= 1e-4 * other.grad.norm()


@pytest.mark.parametrize(("gamma", "weight"), [(0.8, 0.0), (0.0, 0.0), (0.8, 0.6)])
def test_simpo(
    tiny_lm: LanguageModel, moved: LanguageModel, gamma: float, weight: float, tmp_path: Path
) -> None:
    theirs, pairs = copy.deepcopy(moved.model), make_pairs(7)
    config = CPOConfig(
        output_dir=str(tmp_path),
        loss_type="simpo",
        beta=2.0,
        simpo_gamma=gamma,
        cpo_alpha=weight,
        **OPTIONS,
    )
    row = {"prompt": "The", "chosen": " doctor", "rejected": " nurse"}
    trainer = CPOTrainer(
        theirs,
        args=config,
        train_dataset=any_dataset(**row),
        processing_class=tiny_lm.tokenizer,
    )
    expected, _ = trainer.get_batch_loss_metrics(theirs.train(), paired_batch(pairs))
    settings = {"beta": 2.0, "gamma": gamma, "sft_weight": weight}
    check("simpo", settings, (tiny_lm, moved), pairs, theirs, expected)


def test_orpo(tiny_lm: LanguageModel, moved: LanguageModel, tmp_path: Path) -> None:
    """TRL's SFT term is on contexts too: here they have one token, which nothing predicts."""
    theirs, pairs = copy.deepcopy(moved.model), with_one_token_of_context(make_pairs(7))
    config = ORPOConfig(output_dir=str(tmp_path), beta=0.4, **OPTIONS)
    row = {"prompt": "The", "chosen": " doctor", "rejected": " nurse"}
    trainer = ORPOTrainer(
        theirs,
        args=config,
        train_dataset=any_dataset(**row),
        processing_class=tiny_lm.tokenizer,
    )
    expected, _ = trainer.get_batch_loss_metrics(theirs.train(), paired_batch(pairs))
    settings = {"odds_weight": 0.4, "sft_weight": 1.0}
    check("orpo", settings, (tiny_lm, moved), pairs, theirs, expected)


@pytest.mark.parametrize(("weights", "closer"), [((1.0, 1.0), False), ((1.3, 0.7), True)])
def test_kto(
    tiny_lm: LanguageModel,
    fresh_tiny_lm: Callable[[], LanguageModel],
    moved: LanguageModel,
    weights: tuple[float, float],
    closer: bool,
    tmp_path: Path,
) -> None:
    """Where mismatched answers gained probability, and where they lost some: then the KL is 0."""
    pairs = make_pairs(7)
    reference, now = (moved, fresh_tiny_lm()) if closer else (tiny_lm, moved)
    theirs = copy.deepcopy(now.model)
    config = KTOConfig(
        output_dir=str(tmp_path),
        beta=0.3,
        desirable_weight=weights[0],
        undesirable_weight=weights[1],
        **OPTIONS,
    )
    trainer = KTOTrainer(
        theirs,
        ref_model=copy.deepcopy(reference.model),
        args=config,
        train_dataset=any_dataset(prompt="The", completion=" doctor", label=True),
        processing_class=tiny_lm.tokenizer,
    )
    rows = []
    for pair, other in zip(pairs, [pairs[-1], *pairs[:-1]], strict=True):
        for side in ("chosen", "rejected"):
            own, another = getattr(pair, side), getattr(other, side)
            rows.append(
                {
                    "prompt_ids": list(own.tokens[: own.start]),
                    "completion_ids": list(own.tokens[own.start :]),
                    "KL_completion_ids": list(another.tokens[another.start :]),
                    "label": side == "chosen",
                }
            )
    expected = trainer.compute_loss(theirs.train(), trainer.data_collator(rows))
    found = trainer._metrics["train"]["kl"][-1]
    assert found == 0 if closer else found > 0.01
    settings = {
        "beta": 0.3,
        "desirable_weight": weights[0],
        "undesirable_weight": weights[1],
        "sft_weight": 0.0,
    }
    check("kto", settings, (reference, now), pairs, theirs, expected)


def test_a_reference_point_is_at_least_nothing(
    tiny_lm: LanguageModel, moved: LanguageModel
) -> None:
    settings = {"beta": 0.3, "desirable_weight": 1.0, "undesirable_weight": 1.0, "sft_weight": 0.0}
    objective = preference_objective("kto", settings, tiny_lm)
    examples: list[Any] = list(objective.refer(tiny_lm, make_pairs(7)))
    mean = examples[0].mismatched_reference
    nearer, further = (
        objective.prepare([replace(examples[0], mismatched_reference=mean + d)], tiny_lm.model, 0)
        for d in (-2.0, 2.0)
    )
    assert nearer[0].kl == pytest.approx(2.0, abs=1e-4)
    assert further[0].kl == 0
