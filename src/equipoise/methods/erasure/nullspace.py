"""Iterative nullspace projection (Ravfogel et al. 2020, arXiv 2004.07667, Algorithm 1).

A linear classifier is trained to tell the labels; the direction it uses is projected out; the next
one is trained on what is left, until none learns anything. With the classifiers' normals w_1, ...,
w_k, the result is the orthogonal projection onto the intersection of their nullspaces,

    P = I - Q Qᵀ,    Q an orthonormal basis of span(w_1, ..., w_k)

(their equation for the intersection: the projection onto the sum of the row spaces, subtracted),
rather than the product of k single projections, of which rounding makes no projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from equipoise.methods.erasure.probe import Classifier, Floats, Ints, LinearProbe, chance
from equipoise.model.projection import Projection


@dataclass(frozen=True)
class StoppingRule:
    """When no further direction is looked for.

    Attributes:
        max_directions: Most directions.
        margin: Above-chance accuracy (0-1) on words not fitted on that counts as nothing learned.
    """

    max_directions: int
    margin: float


@dataclass(frozen=True)
class Nullspace:
    """What the iteration found.

    Attributes:
        basis: [D, k], orthonormal: the directions to be projected out.
        accuracies: Of each classifier in turn, on words not fitted on (0-1), the one that learned
            nothing included.
        stopped: Whether the last one learned nothing; False if ``max_directions`` ended it.
    """

    basis: Floats
    accuracies: tuple[float, ...]
    stopped: bool


def find_nullspace(
    states: Floats,
    labels: Ints,
    others: Floats,
    other_labels: Ints,
    rule: StoppingRule,
    kind: Classifier = "logistic",
    strength: float = 1.0,
) -> Nullspace:
    """Look for directions that tell the labels, until there is none left.

    Args:
        states: [N, D] to train classifiers on.
        labels: [N] 0 or 1.
        others: [M, D] states of other words, which decide when to stop.
        other_labels: [M].
        rule: When to stop.
        kind: Of the classifiers.
        strength: Inverse of their regularisation.
    """
    basis = np.zeros((states.shape[1], 0))
    accuracies: list[float] = []
    bound = chance(other_labels) + rule.margin
    while True:
        probe = LinearProbe(states - states @ basis @ basis.T, labels, kind, strength)
        accuracies.append(probe.accuracy(others - others @ basis @ basis.T, other_labels))
        grown = extend_basis(basis, probe.direction)
        if accuracies[-1] <= bound or grown.shape == basis.shape:
            return Nullspace(basis, tuple(accuracies), stopped=True)
        if basis.shape[1] == rule.max_directions:
            return Nullspace(basis, tuple(accuracies), stopped=False)
        basis = grown


def extend_basis(basis: Floats, direction: Floats) -> Floats:
    """``basis`` [D, k] with the part of ``direction`` [D] outside of it as column k + 1.

    Without such a part, ``basis`` itself. Orthogonalised twice, which keeps the columns orthonormal
    to machine precision (Giraud et al. 2005).
    """
    rest, length = direction, float(np.linalg.norm(direction))
    for _ in range(2):
        rest = rest - basis @ (basis.T @ rest)
    new_length = float(np.linalg.norm(rest))
    if new_length <= 1e-8 * length or new_length == 0.0:
        return basis
    return np.column_stack([basis, rest / new_length])


def nullspace_projection(basis: Floats, centre: Floats) -> Projection:
    """The orthogonal projection that takes the columns of ``basis`` [D, k] away, around a state.

    Args:
        basis: Orthonormal columns.
        centre: [D] what stays what it is; zeros for the paper's linear projection.
    """
    directions = torch.from_numpy(np.ascontiguousarray(basis))
    return Projection(directions, directions, torch.from_numpy(centre))
