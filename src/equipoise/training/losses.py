"""Training losses as pure functions of log-probabilities and rewards."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

RatioLoss = Literal["sigmoid", "ipo", "hinge"]
"""Losses on the difference of two log-ratios to a reference."""

PreferenceLoss = Literal["sigmoid", "ipo", "hinge", "simpo", "orpo", "kto"]
"""All losses on preference pairs."""


def cross_entropy_sum(log_probabilities: Tensor) -> Tensor:
    """Sum of the negative log-likelihoods of the targets, in nats.

    A sum rather than a mean, so that parts of a batch add up to the whole: it is divided by the
    number of targets of the effective batch, whatever micro-batches that was split into.

    Args:
        log_probabilities: [N] of every target token.
    """
    return -log_probabilities.sum()


def preference_losses(
    chosen: Tensor,
    rejected: Tensor,
    beta: float,
    kind: RatioLoss = "sigmoid",
    label_smoothing: float = 0.0,
    lengths: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Loss [B] of each preference pair.

    ``sigmoid`` is DPO (Rafailov et al. 2023, arXiv 2305.18290, equation 7), with label smoothing
    conservative DPO; ``ipo`` is Azar et al. 2023 (arXiv 2310.12036, equation 17) on
    log-probabilities per token, as its authors use it; ``hinge`` is SLiC (Zhao et al. 2023, arXiv
    2305.10425) on the same margin.

    Args:
        chosen: [B] log-ratio ``log p(y|x) - log p_ref(y|x)`` of the chosen answers, in nats.
        rejected: [B] that of the rejected answers.
        beta: Strength of the pull towards the reference, above 0; τ of IPO.
        kind: Which loss.
        label_smoothing: Probability, below 0.5, that a pair's sides are swapped; ``sigmoid`` only.
        lengths: [B] tokens of the chosen and of the rejected answers; ``ipo`` needs them.
    """
    if kind == "ipo":
        if lengths is None:
            raise ValueError("ipo needs the lengths of both sides")
        margin = chosen / lengths[0] - rejected / lengths[1]
        return (margin - 1 / (2 * beta)) ** 2
    margin = beta * (chosen - rejected)
    if kind == "hinge":
        return torch.relu(1 - margin)
    return -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)


def simpo_losses(chosen: Tensor, rejected: Tensor, beta: float, gamma: float) -> Tensor:
    """Loss [B] of each preference pair without a reference.

    SimPO (Meng et al. 2024, arXiv 2405.14734, equation 6).

    Args:
        chosen: [B] log-probability a token of the chosen answers, in nats.
        rejected: [B] that of the rejected answers.
        beta: Scale of the reward, above 0.
        gamma: Margin by which the chosen answer's reward is to be larger, at least 0.
    """
    return -logsigmoid(beta * (chosen - rejected) - gamma)


def log_odds(log_probabilities: Tensor) -> Tensor:
    """``log (p / (1 - p))`` [B] of probabilities p, given their logarithms [B], all below 0."""
    # log (1 - p) by whichever of the two forms keeps its digits; the other one gets a harmless
    # value, since its infinite gradient times 0 would be no number.
    small = log_probabilities < -math.log(2)
    low = torch.where(small, log_probabilities, -1.0)
    high = torch.where(small, -0.5, log_probabilities)
    rest = torch.where(small, torch.log1p(-torch.exp(low)), torch.log(-torch.expm1(high)))
    return log_probabilities - rest


def odds_ratio_losses(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Loss [B] of each preference pair by the ratio of its odds, without a reference.

    The second term of ORPO (Hong et al. 2024, arXiv 2403.07691, equation 7).

    Args:
        chosen: [B] log-probability a token of the chosen answers, in nats, below 0.
        rejected: [B] that of the rejected answers.
    """
    return -logsigmoid(log_odds(chosen) - log_odds(rejected))


def kto_losses(
    ratios: Tensor, desirable: Tensor, beta: float, kl: float, weights: tuple[float, float]
) -> Tensor:
    """Loss [B] of each answer by itself: none needs a partner.

    KTO (Ethayarajh et al. 2024, arXiv 2402.01306, equation 8): an answer's value saturates as it
    gets far from the reference point ``kl``, on either side.

    Args:
        ratios: [B] log-ratio ``log p(y|x) - log p_ref(y|x)`` of the answers, in nats.
        desirable: [B] bool.
        beta: Strength of the pull towards the reference, above 0.
        kl: Reference point: an estimate of the KL divergence to the reference, at least 0, in nats.
        weights: Of desirable and of undesirable answers.
    """
    sign = torch.where(desirable, 1.0, -1.0)
    weight = torch.where(desirable, weights[0], weights[1])
    return weight * torch.sigmoid(-sign * beta * (ratios - kl))


def bradley_terry_losses(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Negative log-likelihood [B] that the chosen answers win (Bradley and Terry 1952), in nats.

    Args:
        chosen: [B] rewards of the chosen answers.
        rejected: [B] rewards of the rejected ones.
    """
    return -logsigmoid(chosen - rejected)


def leave_one_out_advantages(rewards: Tensor) -> Tensor:
    """Each reward minus the mean of the others of its prompt: [P, K].

    RLOO (Ahmadian et al. 2024, arXiv 2402.14740, equation 8; Kool et al. 2019). They sum to 0.

    Args:
        rewards: [P, K] of K >= 2 completions of each of P prompts.
    """
    others = (rewards.sum(dim=1, keepdim=True) - rewards) / (rewards.shape[1] - 1)
    return rewards - others


def group_relative_advantages(rewards: Tensor) -> Tensor:
    """Each reward in standard deviations above the mean of its prompt: [P, K].

    GRPO (Shao et al. 2024, arXiv 2402.03300, section 4.1.2), with the standard deviation of a
    sample. Where all rewards of a prompt are the same there is nothing to learn: 0.

    Args:
        rewards: [P, K] of K >= 2 completions of each of P prompts.
    """
    differ = rewards.amax(dim=1, keepdim=True) > rewards.amin(dim=1, keepdim=True)
    above = rewards - rewards.mean(dim=1, keepdim=True)
    # A rounded mean of equal rewards would give a deviation to divide by.
    return torch.where(differ, above / rewards.std(dim=1, keepdim=True), 0.0)


def clipped_policy_losses(
    log_probabilities: Tensor, old: Tensor, advantages: Tensor, clip: float
) -> Tensor:
    """Loss [B] of each completion, whose gradient raises what had a positive advantage.

    PPO's clipped surrogate (Schulman et al. 2017, arXiv 1707.06347, equation 7) with the whole
    completion as one action: ``-min(r A, clamp(r, 1 - clip, 1 + clip) A)``.

    Args:
        log_probabilities: [B] of the completions now, in nats, differentiable.
        old: [B] when they were drawn; r is the exponential of the difference.
        advantages: [B].
        clip: How far a ratio may move from 1 before its gradient stops.
    """
    ratios = torch.exp(log_probabilities - old)
    bounded = ratios.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratios * advantages, bounded * advantages)
