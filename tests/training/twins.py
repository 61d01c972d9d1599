"""Training data for the tiny model, and training written out by hand."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from equipoise.model.prefix_tree import TokenSequence
from equipoise.training.preference import PairExample

Weights = dict[str, Tensor]


def make_examples(n: int, seed: int = 0) -> list[TokenSequence]:
    """Examples that begin alike, then differ from their first target on; 2 to 29 targets each.

    The first target of example i is token 100 + i, which stands nowhere else.

    As every second one is short, means over parts of a batch are far from the mean of the whole.
    """
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    made = []
    for index in range(n):
        context = [40, 41, 42, 60 + index % 3]
        length = draw.randint(2, 3) if index % 2 else draw.randint(15, 29)
        answer = [100 + index, *(draw.randrange(200, 400) for _ in range(length - 1))]
        made.append(TokenSequence((*context, *answer), len(context)))
    return made


def make_pairs(n: int, seed: int = 0) -> list[PairExample]:
    """Preference pairs of 2 to 12 tokens a side whose sides begin alike, then part."""
    draw = random.Random(seed)  # noqa: S311
    made = []
    for index in range(n):
        context = [40, 41, 42, 60 + index % 3]
        shared = [200 + index] * (index % 2)
        sides = [
            (
                *context,
                *shared,
                first,
                *(draw.randrange(210, 400) for _ in range(draw.randint(1, 10))),
            )
            for first in (100, 101)
        ]
        chosen, rejected = (TokenSequence(side, len(context)) for side in sides)
        made.append(PairExample(chosen, rejected))
    return made


def difference(one: Weights, other: Weights) -> float:
    """Norm of the difference of all weights."""
    assert one.keys() == other.keys()
    squares = [((one[name] - other[name]).double() ** 2).sum() for name in one]
    return float(torch.stack(squares).sum().sqrt())


def same(one: Weights, other: Weights) -> bool:
    """Whether all weights are equal bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def negative_log_likelihoods(model: Any, sequence: TokenSequence) -> Tensor:
    """Of each target, one sequence a row, in nats."""
    logits = model(torch.tensor([sequence.tokens])).logits[0].float()
    log_probabilities = torch.log_softmax(logits, dim=-1)
    targets = range(sequence.start, len(sequence.tokens))
    return torch.stack([-log_probabilities[t - 1, sequence.tokens[t]] for t in targets])


def train_by_hand(
    model: Any,
    batches: Iterable[Sequence[Sequence[TokenSequence]]],
    rates: Sequence[float],
    *,
    weight_decay: float,
    max_grad_norm: float = 1.0,
    mean_of_means: bool = False,
) -> Weights:
    """Update ``model`` once a batch, at ``rates``; a batch is a list of micro-batches.

    The loss is the mean over all targets of a batch; with ``mean_of_means`` each micro-batch counts
    the same whatever its number of targets, the mistake to be avoided.
    """
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]  # norms
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0}]
    )
    for rate, batch in zip(rates, batches, strict=True):
        parts = [torch.cat([negative_log_likelihoods(model, s) for s in part]) for part in batch]
        if mean_of_means:
            loss = torch.stack([part.mean() for part in parts]).mean()
        else:
            loss = torch.cat(parts).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return {name: value.clone() for name, value in model.state_dict().items()}
