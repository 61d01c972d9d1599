"""Training losses as pure functions of log-probabilities."""

from __future__ import annotations

from torch import Tensor


def cross_entropy_sum(log_probabilities: Tensor) -> Tensor:
    """Sum of the negative log-likelihoods of the targets, in nats.

    A sum rather than a mean, so that parts of a batch add up to the whole: it is divided by the
    number of targets of the effective batch, whatever micro-batches that was split into.

    Args:
        log_probabilities: [N] of every target token.
    """
    return -log_probabilities.sum()
