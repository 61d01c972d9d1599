"""The Pareto front: by hand, and against every method looked at with every other."""

from __future__ import annotations

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from equipoise.board.front import front
from equipoise.board.shown import declared

HEADLINES = {one.name: one for one in declared()}
BALANCE, SLOPE, TOKENS = (
    HEADLINES[name] for name in ("balanced_requested", "stereotype_slope", "tokens_per_delivered")
)


def table(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    """Methods with balance (higher), slope (nearer 0) and tokens (lower)."""
    names = ["method", BALANCE.name, SLOPE.name, TOKENS.name]
    return pd.DataFrame(rows, columns=names).set_index("method")


def told(found: pd.Series) -> dict[str, bool | None]:
    return {str(name): None if pd.isna(on) else bool(on) for name, on in found.items()}


def test_a_front_by_hand() -> None:
    values = table(
        ("prompt", 0.1, 2.0, 10),  # cheapest
        ("worse-prompt", 0.1, 2.1, 10),  # as good as prompt but for the slope
        ("sft", 0.9, -1.0, 12),  # most balanced of those that cost little
        ("far-below-0", 0.9, -3.0, 12),  # below 0 is not better: nearer 0 is
        ("filter", 1.0, 2.0, 100),
        ("twin", 1.0, 2.0, 100),  # equals beat nobody
        ("never", 0.9, 0.5, math.inf),  # delivers nothing, so that its tokens are infinite
        ("beaten", 0.8, 1.5, 13),
    )
    assert told(front(values, [BALANCE, SLOPE, TOKENS])) == {
        "prompt": True,
        "worse-prompt": False,
        "sft": True,
        "far-below-0": False,
        "filter": True,
        "twin": True,
        "never": True,
        "beaten": False,
    }
    assert told(front(values, [BALANCE]))["sft"] is False


def test_what_was_not_measured_is_not_compared() -> None:
    nothing = math.nan
    values = table(
        ("prompt", 0.1, nothing, 10), ("sft", 0.9, nothing, nothing), ("filter", 1.0, nothing, 5)
    )
    # Nobody's slope is known: it is left out. sft has no tokens, and neither beats nor is beaten.
    expected = {"prompt": False, "sft": None, "filter": True}
    assert told(front(values, [BALANCE, SLOPE, TOKENS])) == expected
    assert told(front(values, [SLOPE])) == dict.fromkeys(expected)


LEVELS = st.sampled_from([0.0, 0.25, 0.5, -0.5, math.nan])


@given(st.lists(st.tuples(LEVELS, LEVELS, LEVELS), min_size=1, max_size=8))
def test_against_its_definition(points: list[tuple[float, float, float]]) -> None:
    values = table(*((f"m{number}", *point) for number, point in enumerate(points)))
    there = [i for i in range(3) if not all(math.isnan(point[i]) for point in points)]
    good = [(point[0], -abs(point[1]), -point[2]) for point in points]

    def expected(one: tuple[float, float, float]) -> bool | None:
        known = [other for other in good if not any(math.isnan(other[i]) for i in there)]
        if not there or one not in known:
            return None
        return not any(
            all(other[i] >= one[i] for i in there) and any(other[i] > one[i] for i in there)
            for other in known
        )

    found = told(front(values, [BALANCE, SLOPE, TOKENS]))
    assert list(found.values()) == [expected(one) for one in good]
