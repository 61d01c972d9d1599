"""LEACE: its theorems, on states made for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.methods.erasure.least_squares import concept_by_part, fit_eraser
from equipoise.methods.erasure.nullspace import nullspace_projection
from equipoise.methods.erasure.probe import Floats, LinearProbe

N, D = 1200, 11


@pytest.fixture
def states() -> Floats:
    """Correlated states of two parts; the label shifts each part along its own direction."""
    generator = np.random.default_rng(0)
    mixed = generator.normal(size=(N, D)) @ generator.normal(size=(D, D)) + 5
    shifts = generator.normal(size=(2, D)) * 3
    return mixed + (LABELS - 0.5)[:, None] * shifts[PARTS]


LABELS = np.arange(N) % 2
PARTS = (np.arange(N) // 2) % 2


def covariance(states: Floats, concept: Floats) -> Floats:
    return (states - states.mean(axis=0)).T @ (concept - concept.mean(axis=0)) / (N - 1)


def apply(projection: object, states: Floats) -> Floats:
    return projection(torch.from_numpy(states)).numpy()  # type: ignore[operator]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shrinkage", [True, False])
def test_nothing_correlates_with_the_label_afterwards(
    states: Floats, affine: bool, shrinkage: bool
) -> None:
    concept = concept_by_part(LABELS - 0.5, PARTS)
    assert np.abs(covariance(states, concept)).max() > 0.1
    projection = fit_eraser(states, concept, affine=affine, shrinkage=shrinkage)
    after = apply(projection, states)
    assert np.abs(covariance(after, concept)).max() < 1e-12
    for part in (0, 1):  # so the classes' means agree in each part
        means = [after[(part == PARTS) & (label == LABELS)].mean(axis=0) for label in (0, 1)]
        assert np.allclose(*means, atol=1e-10)


def test_it_is_an_oblique_projection_of_the_concepts_rank(states: Floats) -> None:
    concept = concept_by_part(LABELS - 0.5, PARTS)
    projection = fit_eraser(states, concept, affine=True, shrinkage=True)
    matrix = projection.matrix
    assert projection.rank == 2
    assert torch.allclose(matrix @ matrix, matrix, atol=1e-9)
    assert int(torch.linalg.matrix_rank(matrix, rtol=1e-9)) == D - 2
    assert not torch.allclose(matrix, matrix.mT, atol=1e-3)
    assert np.allclose(apply(projection, states).mean(axis=0), states.mean(axis=0))


def test_a_linear_probe_learns_nothing_and_learned_before(states: Floats) -> None:
    projection = fit_eraser(
        states, concept_by_part(LABELS - 0.5, PARTS), affine=True, shrinkage=True
    )
    after = apply(projection, states)
    for part in (0, 1):
        here = part == PARTS
        before = LinearProbe(states[here], LABELS[here], "logistic", 1.0)
        assert before.accuracy(states[here], LABELS[here]) > 0.7
        probe = LinearProbe(after[here], LABELS[here], "logistic", 1.0)
        # Theorem 3.1: no predictor beats the constant one, so the best weights are zero.
        assert np.linalg.norm(probe.direction) < 1e-3
        assert np.linalg.norm(before.direction) > 0.5


def test_no_other_way_to_guard_the_label_changes_less(states: Floats) -> None:
    """Against the orthogonal projection of the same mean differences, and against perturbed
    erasers that guard as well: all change the states more, in the mean square."""
    concept = concept_by_part(LABELS - 0.5, PARTS)
    projection = fit_eraser(states, concept, affine=True, shrinkage=False)
    least = np.square(states - apply(projection, states)).sum(axis=1).mean()
    basis = np.linalg.qr(covariance(states, concept))[0]
    orthogonal = nullspace_projection(basis, states.mean(axis=0))
    after = apply(orthogonal, states)
    assert np.abs(covariance(after, concept)).max() < 1e-12  # it guards too
    assert least < np.square(states - after).sum(axis=1).mean() * 0.999
    generator = np.random.default_rng(1)
    centred = states - states.mean(axis=0)
    for _ in range(20):
        # P + A (I - Π), where I - Π sends the covariance to 0, also sends P's image of it to 0.
        change = 0.05 * generator.normal(size=(D, D)) @ (np.eye(D) - basis @ basis.T)
        other = centred @ (projection.matrix.numpy() + change).T
        assert np.abs(covariance(other, concept)).max() < 1e-12
        assert np.square(centred - other).sum(axis=1).mean() > least


def test_the_closed_form_by_hand() -> None:
    """Covariance diag(4, 1), label difference along (1, 1): with W = diag(1/2, 1), W Σ_xz is along
    (1/2, 1) / √(5/4), so r(x) = x - W⁻¹ u uᵀ W x with W⁻¹ u uᵀ W = [[1/5, 4/5], [1/5, 4/5]]."""
    # Four points ±a, ±b with covariance proportional to diag(4, 1), before labels shift nothing.
    corners = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
    concept = corners @ np.array([[1 / 4], [1.0]])  # Σ_xx⁻¹ (1, 1): covariance along (1, 1)
    projection = fit_eraser(corners, concept, affine=True, shrinkage=False)
    expected = np.eye(2) - np.array([[1.0, 4.0], [1.0, 4.0]]) / 5
    assert np.allclose(projection.matrix.numpy(), expected, atol=1e-12)


def test_states_without_any_correlation_are_left_alone() -> None:
    generator = np.random.default_rng(0)
    half = generator.normal(size=(40, D))
    states, labels = np.concatenate([half, half]), np.repeat([0.0, 1.0], 40)
    projection = fit_eraser(states, labels[:, None] - 0.5, affine=True, shrinkage=True)
    assert projection.rank == 0
    assert np.array_equal(apply(projection, states), states)


def test_a_concept_of_two_parts_has_two_columns() -> None:
    found = concept_by_part(np.array([-0.5, 0.5, 0.3]), np.array([1, 0, 1]))
    assert found.tolist() == [[0.0, -0.5], [0.5, 0.0], [0.0, 0.3]]
