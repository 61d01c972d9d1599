"""What a cell's end is told as."""

from __future__ import annotations

import pytest

from equipoise.study.cell_summary import outcome


@pytest.mark.parametrize(
    ("wanted", "delivered", "balanced", "told"),
    [
        (400, 400, 391, "97.8 % balanced"),
        (400, 58, 58, "14.5 % balanced, 58 of 400 delivered"),
        (400, 100, 50, "12.5 % balanced, 100 of 400 delivered"),
        (400, 0, 0, "nothing delivered"),
    ],
)
def test_balance_is_told_of_what_was_asked_for(
    wanted: int, delivered: int, balanced: int, told: str
) -> None:
    cost = {"wanted": wanted, "delivered": delivered, "balanced_delivered": balanced}
    assert outcome(cost) == told
