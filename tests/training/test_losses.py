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
    group_relative_advantages,
    kto_losses,
    leave_one_out_advantages,
    log_odds,
    odds_ratio_losses,
    preference_losses,
    simpo_losses,
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


def test_simpo_by_hand() -> None:
    # A token -1 against -2: 2 * 1 - 2 = 0, sigma(0) = 1/2; -1 against -1: sigma(-2).
    found = simpo_losses(T([-1.0, -1.0]), T([-2.0, -1.0]), beta=2.0, gamma=2.0)
    torch.testing.assert_close(found, T([math.log(2), math.log(1 + math.exp(2))]))


def test_odds_by_hand() -> None:
    # Odds of 3/4 are 3, of 1/4 they are 1/3: the ratio is 9, sigma(log 9) = 9/10.
    likely, unlikely = T([math.log(3 / 4)]), T([math.log(1 / 4)])
    torch.testing.assert_close(log_odds(likely), T([math.log(3)]))
    torch.testing.assert_close(odds_ratio_losses(likely, unlikely), T([math.log(10 / 9)]))


@pytest.mark.parametrize("value", [-1e-6, -0.3, -math.log(2), -0.7, -5.0, -80.0])
def test_log_odds_keep_their_digits(value: float) -> None:
    """Near 0 and far below it, where 1 - p or p is lost beside 1; gradients are 1 / (1 - p)."""
    x = T([value], requires_grad=True)
    found = log_odds(x)
    found.sum().backward()
    given = x.item()  # as float32 has it
    assert found.item() == pytest.approx(given - math.log(-math.expm1(given)), rel=1e-6, abs=1e-7)
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(-1 / math.expm1(given), rel=1e-5)


def test_kto_by_hand() -> None:
    # 0.5 (ln 9 - 0) = ln 3: sigma(-ln 3) = 1/4 of loss if desirable, 3/4 if not.
    ratios, desirable = T([math.log(9), math.log(9)]), T([True, False])
    found = kto_losses(ratios, desirable, 0.5, 0.0, (1.0, 1.0))
    torch.testing.assert_close(found, T([0.25, 0.75]))
    # At the reference point both are a half, times their weights.
    at = kto_losses(ratios, desirable, 0.5, math.log(9), (1.0, 3.0))
    torch.testing.assert_close(at, T([0.5, 1.5]))


def test_bradley_terry_by_hand() -> None:
    # P(chosen wins) = 1 / (1 + e^-(2 - 1)).
    found = bradley_terry_losses(T([2.0]), T([1.0]))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_advantages_by_hand() -> None:
    # 1 - (0 + 5)/2, 0 - (1 + 5)/2, 5 - (1 + 0)/2; and of two equal ones nothing is left.
    found = leave_one_out_advantages(T([[1.0, 0.0, 5.0], [2.0, 2.0, 2.0]]))
    torch.testing.assert_close(found, T([[-1.5, -3.0, 4.5], [0.0, 0.0, 0.0]]))


def test_group_relative_advantages_by_hand() -> None:
    # Mean 2, deviations -2, -1, 3: variance (4 + 1 + 9) / 2 = 7; equal rewards teach nothing,
    # though the mean of four times a third is not quite a third.
    found = group_relative_advantages(T([[0.0, 1.0, 5.0], [2.0, 2.0, 2.0]]))
    by_hand = T([[-2.0, -1.0, 3.0], [0.0, 0.0, 0.0]]) / math.sqrt(7)
    torch.testing.assert_close(found, by_hand)
    thirds = group_relative_advantages(torch.full((1, 7), 1 / 3))
    assert torch.equal(thirds, torch.zeros(1, 7))
    # Whatever unit rewards are in.
    one = T([[0.2, 0.9, 0.4, 0.4]])
    torch.testing.assert_close(
        group_relative_advantages(3 * one + 5), group_relative_advantages(one), rtol=1e-4, atol=1e-5
    )


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
