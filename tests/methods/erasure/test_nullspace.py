"""INLP: what is projected out, when it stops, and that nothing is left to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.methods.erasure.nullspace import (
    StoppingRule,
    extend_basis,
    find_nullspace,
    nullspace_projection,
)
from equipoise.methods.erasure.probe import Floats, Ints, LinearProbe, chance

RULE = StoppingRule(max_directions=10, margin=0.05)
ZERO = np.zeros(13)


def planted_states(n: int, *, planes: int = 1, seed: int = 0) -> tuple[Floats, Ints]:
    """States [n, 13] whose label shifts the first ``planes`` coordinates, each a little less."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    states = generator.normal(size=(n, 13))
    for plane in range(planes):
        states[:, plane] += (labels - 0.5) * 6 / (1 + plane)
    return states, labels


@pytest.mark.parametrize("kind", ["logistic", "svm"])
def test_a_probe_learned_before_and_learns_nothing_after(kind: str) -> None:
    states, labels = planted_states(2000, planes=3)
    others, other_labels = planted_states(1000, planes=3, seed=1)
    tests, test_labels = planted_states(4000, planes=3, seed=2)
    assert LinearProbe(states, labels, "logistic", 1.0).accuracy(tests, test_labels) > 0.99
    found = find_nullspace(states, labels, others, other_labels, RULE, kind)  # type: ignore[arg-type]
    projection = nullspace_projection(found.basis, ZERO)

    def after(x: Floats) -> Floats:
        return projection(torch.from_numpy(x)).numpy()

    probe = LinearProbe(after(states), labels, "logistic", 1.0)
    # Standard error 0.008; the margin of the rule is 0.05.
    assert probe.accuracy(after(tests), test_labels) < 0.5 + 0.05 + 3 * 0.008
    assert found.stopped
    assert len(found.accuracies) == found.basis.shape[1] + 1
    assert found.accuracies[0] > 0.99
    assert found.accuracies[-1] <= 0.55


def test_the_informative_direction_is_found_first() -> None:
    """With one informative coordinate the first normal is close to it. What is left of the shift of
    6 standard deviations, 6 sin(angle), may take another direction."""
    states, labels = planted_states(4000)
    others, other_labels = planted_states(2000, seed=1)
    found = find_nullspace(states, labels, others, other_labels, RULE)
    assert abs(found.basis[0, 0]) > 0.99
    assert found.basis.shape[1] <= 2
    assert found.stopped


def test_the_most_directions_end_it() -> None:
    states, labels = planted_states(500, planes=5)
    found = find_nullspace(states, labels, states, labels, StoppingRule(2, 0.0))
    assert found.basis.shape == (13, 2)
    assert not found.stopped
    assert len(found.accuracies) == 3


def test_nothing_to_learn_gives_no_direction() -> None:
    states, labels = planted_states(400, planes=0)
    others, other_labels = planted_states(4000, planes=0, seed=1)
    found = find_nullspace(states, labels, others, other_labels, RULE)
    assert found.basis.shape == (13, 0)
    assert found.stopped
    assert len(found.accuracies) == 1


def test_states_that_do_not_vary_end_it_at_once() -> None:
    states, labels = np.ones((8, 13)), np.arange(8) % 2
    found = find_nullspace(states, labels, states, labels, StoppingRule(5, 0.0))
    assert found.basis.shape == (13, 0)


def test_all_dimensions_gone_ends_it() -> None:
    """More directions are allowed than there are dimensions, and the labels stay learnable."""
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    states = generator.normal(size=(40, 3)) + (labels[:, None] - 0.5) * 9
    found = find_nullspace(states, labels, states, labels, StoppingRule(50, -1.0))
    assert found.basis.shape == (3, 3)


@given(st.integers(1, 9), st.integers(0, 99))
def test_the_projection_is_onto_the_intersection_of_all_nullspaces(k: int, seed: int) -> None:
    """Its range is what every w_i sends to 0, found here by the singular value decomposition."""
    generator = np.random.default_rng(seed)
    normals = generator.normal(size=(k, 13))
    normals[-1] = normals[0] + 1e-4 * normals[-1]  # nearly parallel ones included
    basis = np.zeros((13, 0))
    for normal in normals:
        basis = extend_basis(basis, normal)
    matrix = nullspace_projection(basis, ZERO).matrix.numpy()
    assert np.allclose(basis.T @ basis, np.eye(k), atol=1e-12)
    nullspace = np.linalg.svd(normals)[2][np.linalg.matrix_rank(normals, tol=1e-9) :]
    assert np.allclose(matrix, nullspace.T @ nullspace, atol=1e-8)
    assert np.allclose(matrix, matrix.T, atol=1e-14)
    assert np.allclose(matrix @ matrix, matrix, atol=1e-12)
    assert np.allclose(matrix @ normals.T, 0, atol=1e-8)
    assert np.linalg.matrix_rank(matrix, tol=1e-6) == 13 - k


def test_a_product_of_single_projections_is_none() -> None:
    """Why the basis is needed: for normals that are not orthogonal, the product is idempotent
    in no order (Ravfogel et al. 2020, footnote on approximate commuting)."""
    normals = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]])
    first, second = (np.eye(3) - np.outer(w, w) for w in normals)
    assert not np.allclose(second @ first @ second @ first, second @ first)


def test_a_direction_that_is_there_already_adds_nothing() -> None:
    basis = np.eye(13)[:, :2]
    assert extend_basis(basis, np.eye(13)[1] * 5) is basis
    assert extend_basis(basis, ZERO) is basis


def test_the_direction_does_not_depend_on_scale_or_place() -> None:
    states, labels = planted_states(300, planes=2)
    one = LinearProbe(states, labels, "logistic", 1.0).direction
    other = LinearProbe(states * 1000 + 7, labels, "logistic", 1.0).direction
    assert np.allclose(one, other, atol=1e-3 * np.linalg.norm(one))


def test_chance_is_the_more_frequent_label() -> None:
    assert chance(np.array([0, 0, 0, 1])) == 0.75
    assert chance(np.array([1, 1, 0, 1])) == 0.75
    assert chance(np.array([0, 1])) == 0.5
