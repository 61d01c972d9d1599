"""The losses against values derived by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.training.losses import (
    bradley_terry_losses,
    clipped_policy_losses,
    leave_one_out_advantages,
    preference_losses,
)

T = torch.tensor


def test_dpo_by_hand() -> None:
    # margin = 0.5 (ln 3 + ln 3) = ln 3; sigma(ln 3) = 3/4, sigma(-ln 3) = 1/4.
    chosen, rejected = T([math.log(3), 0.0]), T([-math.log(3), 0.0])
    found = preference_losses(chosen, rejected, 0.5)
    torch.testing.assert_close(found, T([math.log(4 / 3), math.log(2)]))
    # A tenth of the labels is swapped: 0.9 ln(4/3) + 0.1 ln 4.
    smoothed = preference_losses(chosen, rejected, 0.5, label_smoothing=0.1)
    assert smoothed[0].item() == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4))


def test_hinge_by_hand() -> None:
    # 1 - 0.5 * 1 = 0.5; 1 - 0.5 * 4 < 0; 1 + 0.5 * 2 = 2.
    found = preference_losses(T([1.0, 4.0, -2.0]), T([0.0, 0.0, 0.0]), 0.5, "hinge")
    torch.testing.assert_close(found, T([0.5, 0.0, 2.0]))


def test_ipo_by_hand() -> None:
    # A token: 6/3 - (-2)/2 = 3; (3 - 1/(2 * 0.25))^2 = 1.
    found = preference_losses(T([6.0]), T([-2.0]), 0.25, "ipo", lengths=(T([3]), T([2])))
    torch.testing.assert_close(found, T([1.0]))
    with pytest.raises(ValueError, match="lengths"):
        preference_losses(T([6.0]), T([-2.0]), 0.25, "ipo")


def test_bradley_terry_by_hand() -> None:
    # P(chosen wins) = 1 / (1 + e^-(2 - 1)).
    found = bradley_terry_losses(T([2.0]), T([1.0]))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_advantages_by_hand() -> None:
    # 1 - (0 + 5)/2, 0 - (1 + 5)/2, 5 - (1 + 0)/2; and of two equal ones nothing is left.
    found = leave_one_out_advantages(T([[1.0, 0.0, 5.0], [2.0, 2.0, 2.0]]))
    torch.testing.assert_close(found, T([[-1.5, -3.0, 4.5], [0.0, 0.0, 0.0]]))


@given(
    st.lists(
        st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4), min_size=1, max_size=5
    ),
    st.floats(-50, 50, width=32),
)
def test_advantages_sum_to_nothing_and_forget_what_all_have(
    rows: list[list[float]], shift: float
) -> None:
    rewards = torch.tensor(rows, dtype=torch.float64)
    found = leave_one_out_advantages(rewards)
    assert found.sum(dim=1).abs().max() < 1e-9
    torch.testing.assert_close(leave_one_out_advantages(rewards + shift), found)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope"),
    [
        # Within the range the gradient of -r A by log p is -r A.
        (1.0, 2.0, -2.0, -2.0),
        (1.1, -1.0, 1.1, 1.1),
        # Beyond it nothing is gained by going on: the gradient is 0 ...
        (1.5, 2.0, -2.4, 0.0),
        (0.5, -1.0, 0.8, 0.0),
        # ... but what went the wrong way may come back.
        (1.5, -1.0, 1.5, 1.5),
        (0.5, 2.0, -1.0, -1.0),
    ],
)
def test_clipping_by_hand(ratio: float, advantage: float, loss: float, slope: float) -> None:
    now = T([math.log(ratio) - 7], requires_grad=True)
    found = clipped_policy_losses(now, T([-7.0]), T([advantage]), clip=0.2)
    assert found.item() == pytest.approx(loss, rel=1e-5)
    found.sum().backward()
    assert now.grad is not None
    assert now.grad.item() == pytest.approx(slope, rel=1e-5, abs=1e-12)
