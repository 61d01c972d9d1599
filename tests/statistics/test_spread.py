"""How unequal seeds and subjects are: from studies that were made up with known SDs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.statistics.cells import cells_of
from equipoise.statistics.simulation import Effects, draw_rates, draw_subjects
from equipoise.statistics.spread import effects_of, seed_variance

from .conftest import Scored


def made_up(effects: Effects, seeds: int, subjects: int, samples: int) -> pd.DataFrame:
    """Scored completions of two methods at 50 %."""
    generator = np.random.default_rng(3)
    moved = draw_subjects(2, 1, subjects, effects, generator)
    rates = draw_rates((0.0, 0.0), moved, effects, seeds=seeds, samples=samples,
                       generator=generator)  # fmt: skip
    frames = [
        pd.DataFrame(
            {
                "method": "ab"[m],
                "seed": s,
                "subject": f"s{o}",
                "split": "train",
                "balanced": np.arange(samples) < round(rates[m, 0, s, o] * samples),
            }
        )
        for m in range(2)
        for s in range(seeds)
        for o in range(subjects)
    ]
    return pd.concat(frames, ignore_index=True)


def test_known_effects_are_found_again() -> None:
    truth = Effects(seed_sd=0.4, subject_sd=0.6, interaction_sd=0.3)
    cells = cells_of(made_up(truth, seeds=60, subjects=60, samples=100), "balanced")
    found = effects_of(*cells.values())
    assert found is not None
    # Rates are less than linear in logits: an SD of 0.75 logits in all looks some 10 % smaller.
    assert found.seed_sd == pytest.approx(0.4, rel=0.25)
    assert found.subject_sd == pytest.approx(0.6, rel=0.25)
    assert found.interaction_sd == pytest.approx(0.3, rel=0.35)


def test_what_is_only_chance_is_no_effect() -> None:
    truth = Effects(seed_sd=0, subject_sd=0, interaction_sd=0)
    cells = cells_of(made_up(truth, seeds=20, subjects=20, samples=20), "balanced")
    found = effects_of(*cells.values())
    assert found is not None
    assert max(found.seed_sd, found.subject_sd, found.interaction_sd) < 0.2


def test_seed_variance_by_hand(scored: Scored) -> None:
    # Rates 0.4 and 0.6 of 100: variance 0.02; brought to logits by 1 / 0.25: 0.32; chance 0.04
    frame = scored({"a": {1: {"t": (40, 100)}, 2: {"t": (60, 100)}}})
    assert seed_variance(cells_of(frame, "balanced")["a"]) == pytest.approx(0.32 - 0.04)


def test_where_nothing_can_be_seen(scored: Scored) -> None:
    def of(hits: int, seeds: tuple[int, ...] = (1, 2)) -> dict[int, dict[str, tuple[int, int]]]:
        return {seed: {"t1": (hits, 10), "t2": (hits, 10)} for seed in seeds}

    for a, b in ((of(10), of(5)), (of(5, (1,)), of(5, (1,)))):
        cells = cells_of(scored({"a": a, "b": b}), "balanced")
        assert effects_of(*cells.values()) is None
