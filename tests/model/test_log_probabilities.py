from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from equipoise.model import log_probabilities
from equipoise.model.log_probabilities import token_log_probabilities


def plain(logits: Tensor, rows: Tensor, tokens: Tensor) -> Tensor:
    """The twin: a log-softmax of everything, in float32."""
    return logits.float().log_softmax(-1)[rows, tokens]


def with_gradient(function: object, logits: Tensor, *index: Tensor) -> tuple[Tensor, Tensor]:
    """Values, and the gradient of a sum that weighs each of them differently."""
    leaf = logits.clone().requires_grad_()
    values = function(leaf, *index)  # type: ignore[operator]
    (values * torch.arange(1, len(values) + 1)).sum().backward()
    assert leaf.grad is not None
    return values.detach(), leaf.grad


@given(
    seed=st.integers(0, 1000),
    n_rows=st.integers(1, 9),
    n_columns=st.integers(2, 7),
    n_targets=st.integers(1, 12),
    chunk=st.sampled_from([1, 40, 100, 10_000]),
)
def test_equals_the_log_softmax_with_its_gradient(
    seed: int, n_rows: int, n_columns: int, n_targets: int, chunk: int
) -> None:
    """Rows without a target, with several, and twice the same; chunks of any number of rows."""
    generator = torch.Generator().manual_seed(seed)
    logits = 5 * torch.randn(n_rows, n_columns, generator=generator)
    rows = torch.randint(n_rows, (n_targets,), generator=generator)
    tokens = torch.randint(n_columns, (n_targets,), generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(log_probabilities.CHUNK_BYTES, "cpu", chunk)
        values, gradient = with_gradient(token_log_probabilities, logits, rows, tokens)
    expected, expected_gradient = with_gradient(plain, logits, rows, tokens)
    torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-5)


def test_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])
    rows, tokens = torch.tensor([1, 0]), torch.tensor([1, 0])
    values, gradient = with_gradient(token_log_probabilities, logits, rows, tokens)
    assert values.tolist() == pytest.approx([math.log(0.75), math.log(0.5)])
    # d/dx of 1 * log p(row 1, token 1) + 2 * log p(row 0, token 0)
    assert gradient.tolist() == [pytest.approx([1.0, -1.0]), pytest.approx([-0.25, 0.25])]


def test_bfloat16_logits_give_float32_values_and_a_bfloat16_gradient() -> None:
    logits = torch.randn(5, 11, generator=torch.Generator().manual_seed(0)).bfloat16()
    rows, tokens = torch.tensor([4, 0, 4]), torch.tensor([10, 3, 2])
    values, gradient = with_gradient(token_log_probabilities, logits, rows, tokens)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, plain(logits, rows, tokens))
    # Rounded once, from the float32 gradient.
    _, expected = with_gradient(plain, logits.float(), rows, tokens)
    torch.testing.assert_close(gradient, expected.bfloat16(), rtol=0.01, atol=1e-6)


def test_impossible_tokens_have_no_gradient() -> None:
    logits = torch.tensor([[0.0, float("-inf"), 1.0]])
    values, gradient = with_gradient(
        token_log_probabilities, logits, torch.tensor([0]), torch.tensor([2])
    )
    assert torch.isfinite(values).all()
    assert gradient[0, 1] == 0
