"""Theorems about projections, on random ones."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.model.projection import Projection


def random_projection(size: int, rank: int, *, oblique: bool, seed: int = 0) -> Projection:
    """A projection of ``rank`` directions; of an oblique one, left and right differ."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    left = torch.linalg.qr(draw(size, rank))[0]
    # right.T @ left is the identity, for any matrix whose columns are orthogonal to left's.
    extra = draw(size, rank)
    right = left + (extra - left @ (left.mT @ extra)) if oblique else left
    return Projection(left, right, draw(size))


@given(st.integers(2, 13), st.data(), st.booleans(), st.integers(0, 99))
def test_it_is_idempotent_and_of_its_rank(
    size: int, data: st.DataObject, oblique: bool, seed: int
) -> None:
    rank = data.draw(st.integers(1, size - 1))
    projection = random_projection(size, rank, oblique=oblique, seed=seed)
    matrix = projection.matrix
    assert torch.allclose(matrix @ matrix, matrix, atol=1e-9)
    assert int(torch.linalg.matrix_rank(matrix, rtol=1e-9)) == size - rank
    assert projection.rank == rank
    states = torch.randn(7, size, dtype=torch.float64)
    once = projection(states)
    assert torch.allclose(projection(once), once, atol=1e-9)


def test_the_factors_and_the_whole_matrix_say_the_same() -> None:
    projection = random_projection(11, 3, oblique=True)
    states = torch.randn(5, 2, 11, dtype=torch.float64)
    expected = states @ projection.matrix.mT + projection.offset
    assert torch.allclose(projection(states), expected, atol=1e-12)


def test_the_centre_stays_and_a_linear_one_keeps_zero() -> None:
    projection = random_projection(11, 3, oblique=True)
    assert torch.equal(projection(projection.centre[None])[0], projection.centre)
    linear = Projection(projection.left, projection.right, torch.zeros(11, dtype=torch.float64))
    assert torch.equal(linear.offset, torch.zeros(11, dtype=torch.float64))


def test_an_orthogonal_one_takes_the_shortest_way() -> None:
    """x minus its image is orthogonal to all that is left, and shorter than any oblique way."""
    orthogonal = random_projection(11, 3, oblique=False)
    oblique = random_projection(11, 3, oblique=True)
    states = torch.randn(50, 11, dtype=torch.float64) + orthogonal.centre
    moved = states - orthogonal(states)
    kept = orthogonal.matrix
    assert torch.allclose(moved @ kept, torch.zeros(50, 11, dtype=torch.float64), atol=1e-12)
    # Onto the same subspace, the nullspace of right: take it from the oblique projection.
    basis = torch.linalg.qr(oblique.right)[0]
    nearest = Projection(basis, basis, oblique.centre)
    assert torch.allclose(oblique(states) - nearest(oblique(states)), torch.zeros(11).double())
    assert bool(
        ((states - nearest(states)).norm(dim=1) <= (states - oblique(states)).norm(dim=1)).all()
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_computes_exactly_whatever_the_type_of_the_states(dtype: torch.dtype) -> None:
    projection = random_projection(64, 5, oblique=True).to(torch.device("cpu"), torch.float32)
    states = (10 * torch.randn(9, 64)).to(dtype)
    expected = projection(states.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = projection(states)
    assert found.dtype == dtype
    assert torch.equal(found, expected.to(dtype))
