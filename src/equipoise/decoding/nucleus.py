"""Exact sampling from a temperature, top-k and nucleus distribution, without a full sort.

The nucleus of mass p (Holtzman et al. 2020, arXiv 1904.09751) is the shortest list of most
probable tokens whose mass reaches p: a token belongs to it exactly if the tokens ranked before it
have a mass below p. So a token drawn from the *whole* distribution is kept if that holds for it
and drawn again, among the tokens ranked before it, if not. What is kept follows the distribution
renormalised on the nucleus, and since the nucleus holds at least p of the mass, the first draw is
kept with probability p or more. It costs a comparison and a sum over the vocabulary, no sort.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

CHUNK_BYTES = 4 << 20
"""Rows are sampled in chunks of about this size on the CPU, so that they stay in its cache."""

NUCLEUS, GROWTH = 512, 8
"""Tokens that hold most nuclei, as against sorting a vocabulary; so many times more of the rest."""


def sample_tokens(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    top_k: int = 0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One token [B] a row of ``logits`` [B, V].

    Tokens are ranked by probability in float32, equal ones by index.

    Args:
        logits: [B, V]; ``-inf`` excludes a token.
        temperature: At least 0; 0 takes the most probable token.
        top_p: In (0, 1]; mass of the nucleus, of what ``top_k`` leaves.
        top_k: Number of most probable tokens to keep; 0 keeps all.
        generator: On the CPU, so that a seed means the same on every device.

    Raises:
        ValueError: A row has a NaN or no finite logit.
    """
    if temperature == 0:
        drawn = [chunk.argmax(-1) for chunk in _chunks(logits)]
    else:
        drawn = [tokens for tokens, *_ in _draws(logits, temperature, top_p, top_k, generator)]
    return torch.cat(drawn).to(logits.device)


def sample_weighed(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    top_k: int = 0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """What `sample_tokens` draws, and the logarithm [B] of its probability there, in float64.

    Arguments and errors are those of `sample_tokens`, but the temperature is above 0.
    """
    tokens, likely = [], []
    for drawn, weights, columns in _draws(logits, temperature, top_p, top_k, generator):
        tokens.append(drawn)
        likely.append(_at(weights, columns).double().log() - _nucleus_mass(weights, top_p).log())
    return torch.cat(tokens).to(logits.device), torch.cat(likely)


def _draws(
    logits: Tensor,
    temperature: float,
    top_p: float,
    top_k: int,
    generator: torch.Generator | None,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """A token [B] of each row, chunk by chunk, its row of `_weights` and its column there."""
    for chunk in _chunks(logits):
        weights, vocabulary = _weights(chunk, temperature, top_k)
        columns = _sample_nucleus(weights, top_p, generator)
        yield columns if vocabulary is None else _at(vocabulary, columns), weights, columns


def _chunks(logits: Tensor) -> Iterator[Tensor]:
    """Rows of ``logits`` in float32, as many at a time as are worked on at once; checked."""
    if logits.device.type == "mps":  # has no fp64, in which sums are taken
        logits = logits.cpu()
    rows = max(1, len(logits))
    if logits.device.type == "cpu":
        rows = max(1, CHUNK_BYTES // (4 * logits.shape[-1]))
    for start in range(0, max(1, len(logits)), rows):  # of no rows one empty chunk
        chunk = logits[start : start + rows].float()
        if not bool(torch.isfinite(chunk.amax(-1)).all()):
            raise ValueError("a row of logits has a NaN or no finite value: nothing can be sampled")
        yield chunk


def _at(table: Tensor, columns: Tensor) -> Tensor:
    """The value [B] of each row of ``table`` [B, V] in its column."""
    return table.gather(-1, columns[:, None])[:, 0]


def _nucleus_mass(weights: Tensor, top_p: float) -> Tensor:
    """Sum [B] of those ``weights`` [B, V] that are in the nucleus of mass ``top_p``."""
    total = weights.sum(-1, dtype=torch.float64)
    if top_p >= 1:
        return total
    goal, mass = top_p * total, torch.empty_like(total)
    left, size = torch.arange(len(weights), device=weights.device), NUCLEUS
    while len(left):
        size = min(size, weights.shape[-1])
        top = weights[left].topk(size).values.double()  # the largest first
        before = top.cumsum(-1) - top
        inside = torch.where(before < goal[left, None], top, 0.0).sum(-1)
        held = (top.sum(-1) >= goal[left]) | (size == weights.shape[-1])
        mass[left[held]] = inside[held]
        left, size = left[~held], GROWTH * size
    return mass


def _weights(logits: Tensor, temperature: float, top_k: int) -> tuple[Tensor, Tensor | None]:
    """Unnormalised probabilities [B, V or k], and the token of each column where k restricts."""
    vocabulary = None
    if 0 < top_k < logits.shape[-1]:
        # A stable sort of the k + ties that topk may return in any order keeps the rank by index.
        kth = logits.topk(top_k, dim=-1).values[:, -1:]
        above = (logits >= kth).sum(-1).max()
        values, vocabulary = logits.topk(int(above), dim=-1)
        by_index = vocabulary.argsort(-1)
        values, vocabulary = values.gather(-1, by_index), vocabulary.gather(-1, by_index)
        order = values.argsort(dim=-1, descending=True, stable=True)[:, :top_k]
        logits, vocabulary = values.gather(-1, order), vocabulary.gather(-1, order)
    highest = logits.amax(-1, keepdim=True)
    return ((logits - highest) / temperature).exp_(), vocabulary


def _sample_nucleus(weights: Tensor, top_p: float, generator: torch.Generator | None) -> Tensor:
    """A column [B] of each row of ``weights`` [B, V], drawn from the nucleus of mass ``top_p``."""
    drawn = _sample_columns(weights, generator)
    if top_p >= 1:
        return drawn
    goal = top_p * weights.sum(-1)
    pending = torch.arange(len(weights), device=weights.device)
    while True:
        before = _ranked_before(weights, drawn[pending])
        outside = before.sum(-1) >= goal[pending]
        if not bool(outside.any()):
            return drawn
        # What ranks behind a column outside the nucleus is outside too: it is not drawn again.
        pending, weights = pending[outside], before[outside]
        drawn[pending] = _sample_columns(weights, generator)


def _ranked_before(weights: Tensor, columns: Tensor) -> Tensor:
    """``weights`` [B, V], but 0 at ``columns`` [B] and at all that ranks behind them."""
    chosen = weights.gather(-1, columns[:, None])
    index = torch.arange(weights.shape[-1], device=weights.device)
    ahead = (weights > chosen) | ((weights == chosen) & (index < columns[:, None]))
    return torch.where(ahead, weights, 0.0)


def _sample_columns(weights: Tensor, generator: torch.Generator | None) -> Tensor:
    """A column [B] of each row of ``weights`` [B, V], with probability proportional to its weight.

    Inverse of the cumulative distribution in two levels: a block of about sqrt(V) columns, then a
    column in it. Only block sums are accumulated, in fp64.
    """
    n_rows, n_columns = weights.shape
    size = max(1, math.isqrt(n_columns))
    n_whole = n_columns // size * size
    blocks = (
        weights[:, :n_whole].reshape(n_rows, n_whole // size, size).sum(-1, dtype=torch.float64)
    )
    if n_whole < n_columns:
        rest = weights[:, n_whole:].sum(-1, keepdim=True, dtype=torch.float64)
        blocks = torch.cat([blocks, rest], dim=-1)
    uniform = torch.rand(2, n_rows, 1, dtype=torch.float64, generator=generator)
    uniform = uniform.to(weights.device)
    block = _invert(blocks, uniform[0])
    columns = block * size + torch.arange(size, device=weights.device)
    inside = weights.gather(-1, columns.clamp_max(n_columns - 1)).double()
    inside = torch.where(columns < n_columns, inside, 0.0)
    return (block * size + _invert(inside, uniform[1]))[:, 0]


def _invert(weights: Tensor, uniform: Tensor) -> Tensor:
    """Column [B, 1] at which the cumulated ``weights`` [B, n] first exceed ``uniform`` [B, 1]."""
    cumulated = weights.cumsum(-1)
    # Below the total, so that the column found always has a positive weight.
    goal = (uniform * cumulated[:, -1:]).clamp_max(cumulated[:, -1:] * (1 - 1e-15))
    return torch.searchsorted(cumulated, goal, right=True).clamp_max(weights.shape[-1] - 1)
